/// The codes that make up one frame: which quantizers, in which order.
public struct TokenLayout: Hashable, Sendable {
    /// One quantizer of the stack.
    public enum Level: Hashable, Sendable {
        /// Vector quantization: the code is an index into a codebook of 2 to 2³¹ entries.
        case vq(codebookSize: Int)
        /// Binary spherical quantization: the code is 1 to 63 sign bits, bit `i` for coordinate `i`.
        case bsq(bits: Int)

        /// The bits that a code takes in a file.
        public var bits: Int {
            switch self {
            case .vq(let codebookSize): Int.bitWidth - (codebookSize - 1).leadingZeroBitCount
            case .bsq(let bits): bits
            }
        }

        /// The largest code.
        public var largestCode: UInt64 {
            switch self {
            case .vq(let codebookSize): UInt64(codebookSize - 1)
            case .bsq(let bits): 1 << UInt64(bits) - 1
            }
        }
    }

    /// The most levels of a frame.
    public static let levelLimit = 64

    public let levels: [Level]

    /// - Throws: `TokenLayoutError` unless there are 1 to 64 levels of sizes that the format can hold.
    public init(_ levels: [Level]) throws(TokenLayoutError) {
        guard (1...Self.levelLimit).contains(levels.count) else {
            throw TokenLayoutError(reason: "\(levels.count) levels, where 1 to \(Self.levelLimit) are possible")
        }
        for level in levels {
            switch level {
            case .vq(let size) where !(2...1 << 31).contains(size):
                throw TokenLayoutError(reason: "a codebook of \(size), where 2 to \(1 << 31) entries are possible")
            case .bsq(let bits) where !(1...63).contains(bits):
                throw TokenLayoutError(reason: "a spherical quantizer of \(bits) bits, where 1 to 63 are possible")
            default: break
            }
        }
        self.levels = levels
    }

    /// The bits of one frame, all levels together.
    public var bitsPerFrame: Int { levels.reduce(0) { $0 + $1.bits } }

    /// The most bytes that a frame can take that is written with a prior, which gives nothing a chance of 0.
    var largestCodedFrame: Int {
        levels.reduce(0) { total, level in
            switch level {
            case .vq: total + 4
            case .bsq(let bits): total + 2 * bits
            }
        }
    }
}

/// A layout or a rate that a token file cannot express.
public struct TokenLayoutError: Error, Hashable, CustomStringConvertible {
    public let reason: String
    public var description: String { "Tokens cannot have \(reason). Change the model's configuration." }
}
