public import Checkpoint

/// Something that takes tokens as they come and makes a file of them.
public protocol TokenSink: AnyObject {
    /// Takes the next frames.
    ///
    /// - Throws: `TokenFileError.invalidFrames` when a code does not fit the layout, or `FileError`.
    func append(_ frames: TokenFrames) throws

    /// Passes on what has been taken, as far as the format can, for a reader that follows live.
    func flush() throws

    /// Ends the file; it appears under its name only now.
    ///
    /// - Parameter sampleCount: The samples that the frames stand for; the last frame may be filled up with silence.
    func finish(sampleCount: Int) throws
}

/// Writes a token file block by block, in the memory of one block.
public final class TokenWriter: TokenSink {
    /// The most frames that a block may have.
    public static let blockLimit = 4096

    private let output: OutputFile
    private let header: TokenHeader
    private let framesPerBlock: Int
    private var pending: TokenFrames
    private var frameCount = 0
    private var checksum = CRC32()
    private var cursor: PriorCursor?
    /// The bytes that codes have taken so far.
    public private(set) var codeByteCount = 0

    /// Begins a token file in `output`: the header is written at once.
    ///
    /// - Parameters:
    ///   - prior: The prior that the header names, if it names one.
    ///   - framesPerBlock: How many frames, 1 to 4096, are gathered before they are written. A block costs 6 bytes, with a prior 10.
    /// - Throws: `FileError`.
    public init(
        to output: OutputFile, header: TokenHeader, prior: TokenPrior? = nil, framesPerBlock: Int = 512
    ) throws {
        precondition(prior?.identity == header.prior, "the prior is not the one that the header names")
        precondition((1...Self.blockLimit).contains(framesPerBlock), "\(framesPerBlock) frames are no block")
        self.output = output
        self.header = header
        self.framesPerBlock = framesPerBlock
        cursor = prior.map { PriorCursor($0) }
        pending = TokenFrames(levelCount: header.layout.levels.count)
        try write(header.bytes)
    }

    /// Begins the token file that is to be at `path`.
    public convenience init(path: String, header: TokenHeader, prior: TokenPrior? = nil) throws {
        try self.init(to: OutputFile(path: path), header: header, prior: prior)
    }

    public func append(_ frames: TokenFrames) throws {
        try header.layout.check(frames, name: output.name)
        var rest = 0..<frames.count
        while !rest.isEmpty {
            let part = rest.prefix(framesPerBlock - pending.count)
            pending.append(frames[part])
            rest = part.upperBound..<rest.upperBound
            if pending.count == framesPerBlock { try flush() }
        }
    }

    /// Writes the frames taken so far as a block of their own.
    public func flush() throws {
        if pending.isEmpty { return }
        var block: [UInt8] = []
        block.append(littleEndian: UInt16(pending.count))
        let codes = cursor == nil ? numbered() : coded()
        if cursor != nil { block.append(littleEndian: UInt32(codes.count)) }
        try write(block + codes)
        codeByteCount += codes.count
        frameCount += pending.count
        pending.removeAll()
    }

    /// The frames taken so far, each code in the bits that number it.
    private func numbered() -> [UInt8] {
        var bits = BitWriter()
        for frame in 0..<pending.count {
            for (index, level) in header.layout.levels.enumerated() {
                bits.append(pending[frame, index], count: level.bits)
            }
        }
        return bits.bytes
    }

    /// The frames taken so far, by their chances.
    private func coded() -> [UInt8] {
        var coder = RangeEncoder()
        var codes = pending.codes
        let levelCount = pending.levelCount
        for start in stride(from: 0, to: codes.count, by: levelCount) {
            cursor?.code(&codes[start..<start + levelCount], with: &coder)
        }
        return coder.finish()
    }

    public func finish(sampleCount: Int) throws {
        try flush()
        guard sampleCount >= 0, header.canHold(samples: UInt64(sampleCount), in: UInt64(frameCount)) else {
            throw TokenFileError.invalidFrames(
                name: output.name, reason: "\(sampleCount) samples in \(frameCount) frames of \(header.hop)")
        }
        var block: [UInt8] = [0, 0]
        block.append(littleEndian: UInt64(frameCount))
        block.append(littleEndian: UInt64(sampleCount))
        try write(block)
        try output.commit()
    }

    /// Writes `bytes` and the checksum of everything so far, earlier checksums left out: a CRC that runs over its own value
    /// forgets what came before.
    private func write(_ bytes: [UInt8]) throws {
        checksum.update(bytes)
        var sealed = bytes
        sealed.append(littleEndian: checksum.value)
        try output.write(sealed)
    }
}

extension TokenLayout {
    /// - Throws: `TokenFileError.invalidFrames` when a code is larger than its level has.
    func check(_ frames: TokenFrames, name: String) throws(TokenFileError) {
        guard frames.levelCount == levels.count else {
            throw .invalidFrames(name: name, reason: "\(frames.levelCount) levels instead of \(levels.count)")
        }
        for (index, level) in levels.enumerated() {
            if let code = frames.level(index).first(where: { $0 > level.largestCode }) {
                throw .invalidFrames(
                    name: name, reason: "code \(code) in level \(index + 1), whose largest is \(level.largestCode)")
            }
        }
    }
}

extension TokenHeader {
    /// Whether so many samples are what so many frames stand for: they end in the last frame.
    func canHold(samples: UInt64, in frames: UInt64) -> Bool {
        let hop = UInt64(hop)
        return samples / hop + (samples % hop == 0 ? 0 : 1) == frames
    }
}
