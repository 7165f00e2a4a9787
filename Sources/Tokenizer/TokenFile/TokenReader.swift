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
    private var cursor: PriorCursor?
    /// The bytes that the codes read so far take.
    public private(set) var codeByteCount = 0

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

    /// Reads the frames to come with `prior`, if they are written with one.
    ///
    /// - Throws: `TokenFileError.wrongPrior` if they are written with another.
    public func use(_ prior: TokenPrior?) throws(TokenFileError) {
        guard let identity = header.prior else { return }
        guard let prior, prior.identity == identity, prior.layout == header.layout else {
            throw .wrongPrior(name: name)
        }
        cursor = PriorCursor(prior)
    }

    /// Checks that the tokens can be decoded with the model in `file`, and reads them with its prior.
    ///
    /// - Throws: `TokenFileError.wrongModel`, `.wrongPrior`, or `.corrupted` where the header names the model but describes other tokens than it has.
    public func require(model file: ModelFile) throws {
        try require(model: file.fingerprint)
        let configuration = file.model.configuration
        guard try header.layout == configuration.tokenLayout, header.hop == configuration.hop,
            header.sampleRate == configuration.sampleRate
        else {
            throw TokenFileError.corrupted(
                name: name, block: nil, reason: "its levels, hop or sample rate are not those of the model it names")
        }
        try use(file.prior)
    }

    /// The frames of the next block, at most 4096, as soon as it has arrived; `nil` after the last.
    ///
    /// - Throws: `TokenFileError` or `FileError`; the frames before were good all the same. `.wrongPrior` if there is a prior and `use`
    ///   has not been called.
    public func next() throws -> TokenFrames? {
        if header.prior != nil && cursor == nil { throw TokenFileError.wrongPrior(name: name) }
        guard let block = try block() else { return nil }
        let frames =
            try header.prior == nil ? unpack(block.codes, count: block.count) : decode(block.codes, count: block.count)
        source.frameCount += block.count
        return frames
    }

    /// Passes over all frames that are left and checks that they are whole; for that no prior is needed.
    public func skipRest() throws {
        while let block = try block() { source.frameCount += block.count }
    }

    /// The next block: how many frames, and the bytes of their codes.
    private func block() throws -> (count: Int, codes: [UInt8])? {
        if sampleCount != nil { return nil }
        blockCount += 1
        let count = Int(try source.bytes(2).littleEndian(UInt16.self, at: 0))
        if count == 0 {
            try finish()
            return nil
        }
        guard count <= TokenWriter.blockLimit else { throw corrupted("it would have \(count) frames") }
        let codes = try source.bytes(
            header.prior == nil ? (count * header.layout.bitsPerFrame + 7) / 8 : codedByteCount(count))
        try source.checkSeal(block: blockCount)
        codeByteCount += codes.count
        return (count, codes)
    }

    /// The bytes of the codes of a block of `count` frames, which are written with a prior.
    private func codedByteCount(_ count: Int) throws -> Int {
        let bytes = Int(try source.bytes(4).littleEndian(UInt32.self, at: 0))
        guard bytes <= count * header.layout.largestCodedFrame else { throw corrupted("it would have \(bytes) bytes") }
        return bytes
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

    private func decode(_ coded: [UInt8], count: Int) throws -> TokenFrames {
        var coder = RangeDecoder(coded)
        let levelCount = header.layout.levels.count
        var codes = [UInt64](repeating: 0, count: count * levelCount)
        for start in stride(from: 0, to: codes.count, by: levelCount) {
            cursor?.code(&codes[start..<start + levelCount], with: &coder)
        }
        guard coder.isExact else { throw corrupted("its codes are written as no writer does") }
        return TokenFrames(codes: codes, levelCount: levelCount)
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
