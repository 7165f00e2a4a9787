public import Checkpoint

/// What a token file says of all of its frames. The bytes are described in `docs/token-format.md`.
public struct TokenHeader: Hashable, Sendable {
    /// The audio's rate in Hz.
    public let sampleRate: Int
    /// Samples per frame.
    public let hop: Int
    /// The model that made the tokens, and the only one that can decode them.
    public let model: Fingerprint
    public let layout: TokenLayout
    /// The identity of the prior that codes are written with, or `nil` where each takes the bits that number it.
    public let prior: UInt64?

    /// - Throws: `TokenLayoutError` unless both rates are 1 to 2³²−1.
    public init(
        sampleRate: Int, hop: Int, model: Fingerprint, layout: TokenLayout, prior: UInt64? = nil
    ) throws(TokenLayoutError) {
        for (value, what) in [(sampleRate, "a sample rate of"), (hop, "a hop of")] {
            guard value > 0, UInt32(exactly: value) != nil else { throw TokenLayoutError(reason: "\(what) \(value)") }
        }
        self.sampleRate = sampleRate
        self.hop = hop
        self.model = model
        self.layout = layout
        self.prior = prior
    }

    /// Frames per second.
    public var frameRate: Double { Double(sampleRate) / Double(hop) }
    /// Bits per second of audio that number the codes, without what frames the blocks; with a prior they take fewer.
    public var bitRate: Double { frameRate * Double(layout.bitsPerFrame) }

    /// Bits per second of audio of a file of so many `frames` whose codes take so many bytes.
    public func bitRate(codeBytes: Int?, frames: Int) -> Double {
        guard prior != nil, let codeBytes, frames > 0 else { return bitRate }
        return Double(8 * codeBytes) / Double(frames) * frameRate
    }
}

extension TokenHeader {
    public static let magic: [UInt8] = [0x89, 0x41, 0x4C, 0x4C, 0x4F, 0x0D, 0x0A, 0x1A]
    /// The newest version; without a prior files are of the first.
    static let version = 2
    /// The bytes before the levels, which are 8 bytes each.
    static let fixedByteCount = 52
    static let levelByteCount = 8
    /// The bytes that end the header of version 2.
    static let priorByteCount = 8

    private static let vq: UInt8 = 1
    private static let bsq: UInt8 = 2

    /// The header's bytes, all but its checksum.
    var bytes: [UInt8] {
        var bytes = Self.magic
        bytes.append(littleEndian: UInt16(prior == nil ? 1 : 2))
        bytes += [1, UInt8(layout.levels.count)]
        bytes.append(littleEndian: UInt32(sampleRate))
        bytes.append(littleEndian: UInt32(hop))
        bytes += model.bytes
        for level in layout.levels {
            switch level {
            case .vq(let codebookSize):
                bytes += [Self.vq, UInt8(level.bits), 0, 0]
                bytes.append(littleEndian: UInt32(codebookSize))
            case .bsq:
                bytes += [Self.bsq, UInt8(level.bits), 0, 0, 0, 0, 0, 0]
            }
        }
        if let prior { bytes.append(littleEndian: prior) }
        return bytes
    }

    /// Reads what `bytes` gives, for bytes whose checksum is right.
    init(bytes: [UInt8], name: String) throws(TokenFileError) {
        guard bytes[10] == 1 else {
            throw .unsupportedLayout(name: name, reason: "\(bytes[10]) channels, where 1 is possible")
        }
        var levels: [TokenLayout.Level] = []
        let hasPrior = bytes.littleEndian(UInt16.self, at: 8) >= 2
        let end = bytes.count - (hasPrior ? Self.priorByteCount : 0)
        for start in stride(from: Self.fixedByteCount, to: end, by: Self.levelByteCount) {
            let size = Int(bytes.littleEndian(UInt32.self, at: start + 4))
            switch (bytes[start], bytes[start + 2], bytes[start + 3]) {
            case (Self.vq, 0, 0): levels.append(.vq(codebookSize: size))
            case (Self.bsq, 0, 0) where size == 0: levels.append(.bsq(bits: Int(bytes[start + 1])))
            default:
                throw .unsupportedLayout(name: name, reason: "a level of unknown kind \(bytes[start])")
            }
        }
        do {
            try self.init(
                sampleRate: Int(bytes.littleEndian(UInt32.self, at: 12)),
                hop: Int(bytes.littleEndian(UInt32.self, at: 16)),
                model: Fingerprint(bytes: Array(bytes[20..<52]))!, layout: TokenLayout(levels),
                prior: hasPrior ? bytes.littleEndian(UInt64.self, at: end) : nil)
        } catch {
            throw .unsupportedLayout(name: name, reason: error.reason)
        }
        for (index, level) in layout.levels.enumerated() {
            let bits = Int(bytes[Self.fixedByteCount + Self.levelByteCount * index + 1])
            guard bits == level.bits else {
                throw .unsupportedLayout(name: name, reason: "\(bits) bits for a code that takes \(level.bits)")
            }
        }
    }
}

extension [UInt8] {
    mutating func append(littleEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    /// - Precondition: The bytes are there.
    func littleEndian<Integer: FixedWidthInteger & BitwiseCopyable>(_: Integer.Type, at offset: Int) -> Integer {
        withUnsafeBytes { Integer(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Integer.self)) }
    }
}
