public import Checkpoint

/// Reads a token file block by block, in the memory of one block, from a file or as it arrives through a pipe.
///
/// Nothing in the file is believed before it is checked: counts before memory is taken for them, blocks against their
/// checksums, codes against the layout.
public final class TokenReader {
    public let header: TokenHeader
    /// The samples that the frames stand for; known after the last block.
    public private(set) var sampleCount: Int?

    private var source: SealedInput
    private var blockCount = 0

    /// Reads the header.
    ///
    /// - Throws: `TokenFileError` or `FileError`.
    public init(_ input: InputFile) throws {
        var source = SealedInput(input)
        header = try source.header()
        self.source = source
    }

    /// Opens the token file at `path`.
    public convenience init(path: String) throws { try self.init(InputFile(path: path)) }

    public var name: String { source.name }
    /// The frames read so far.
    public var frameCount: Int { source.frameCount }

    /// Checks that the tokens can be decoded with `model`.
    ///
    /// - Throws: `TokenFileError.wrongModel`.
    public func require(model: Fingerprint) throws(TokenFileError) {
        if header.model != model { throw .wrongModel(name: name, expected: model, found: header.model) }
    }

    /// Checks that the tokens can be decoded with the model in `file`.
    ///
    /// - Throws: `TokenFileError.wrongModel`, or `.corrupted` where the header names the model but describes other tokens than it has.
    public func require(model file: ModelFile) throws {
        try require(model: file.fingerprint)
        let configuration = file.model.configuration
        guard try header.layout == configuration.tokenLayout, header.hop == configuration.hop,
            header.sampleRate == configuration.sampleRate
        else {
            throw TokenFileError.corrupted(
                name: name, block: nil, reason: "its levels, hop or sample rate are not those of the model it names")
        }
    }

    /// The frames of the next block, at most 4096, as soon as it has arrived; `nil` after the last.
    ///
    /// - Throws: `TokenFileError` or `FileError`; the frames before were good all the same.
    public func next() throws -> TokenFrames? {
        if sampleCount != nil { return nil }
        blockCount += 1
        let count = Int(try source.bytes(2).littleEndian(UInt16.self, at: 0))
        if count == 0 {
            try finish()
            return nil
        }
        guard count <= TokenWriter.blockLimit else { throw corrupted("it would have \(count) frames") }
        let bitCount = count * header.layout.bitsPerFrame
        let packed = try source.bytes((bitCount + 7) / 8)
        try source.checkSeal(block: blockCount)
        let frames = try unpack(packed, count: count)
        source.frameCount += count
        return frames
    }

    /// All frames that are left.
    public func rest() throws -> TokenFrames {
        var frames = TokenFrames(levelCount: header.layout.levels.count)
        while let block = try next() { frames.append(block) }
        return frames
    }

    private func unpack(_ packed: [UInt8], count: Int) throws -> TokenFrames {
        var bits = BitReader(packed[...])
        let levels = header.layout.levels
        var codes: [UInt64] = []
        codes.reserveCapacity(count * levels.count)
        for _ in 0..<count {
            for level in levels {
                let code = bits.next(level.bits)
                guard code <= level.largestCode else { throw corrupted("code \(code) is not in its codebook") }
                codes.append(code)
            }
        }
        guard bits.endsInZeros else { throw corrupted("its last byte holds more than its frames") }
        return TokenFrames(codes: codes, levelCount: levels.count)
    }

    private func finish() throws {
        let frames = try source.bytes(8).littleEndian(UInt64.self, at: 0)
        let samples = try source.bytes(8).littleEndian(UInt64.self, at: 0)
        try source.checkSeal(block: blockCount)
        guard frames == UInt64(frameCount) else {
            throw corrupted("it counts \(frames) frames, and \(frameCount) came")
        }
        guard let samples = Int(exactly: samples), header.canHold(samples: UInt64(samples), in: frames) else {
            throw corrupted("\(samples) samples do not fit \(frames) frames of \(header.hop)")
        }
        guard try source.isAtEnd() else { throw corrupted("bytes follow the end") }
        sampleCount = samples
    }

    private func corrupted(_ reason: String) -> TokenFileError {
        .corrupted(name: name, block: blockCount, reason: reason)
    }
}
