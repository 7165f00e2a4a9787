public import Tensor

/// Codes of consecutive frames, `[frames, levels]`.
public struct TokenFrames: Hashable, Sendable {
    public let levelCount: Int
    /// The codes, all levels of the first frame first.
    public private(set) var codes: [UInt64]

    /// No frames.
    public init(levelCount: Int) { self.init(codes: [], levelCount: levelCount) }

    /// - Precondition: `codes` is a whole number of frames.
    public init(codes: [UInt64], levelCount: Int) {
        precondition(
            levelCount > 0 && codes.count.isMultiple(of: levelCount),
            "\(codes.count) codes are not frames of \(levelCount) levels")
        self.codes = codes
        self.levelCount = levelCount
    }

    /// The codes in an integer array `[frames, levels]`; a negative code becomes one that no layout allows.
    ///
    /// - Precondition: The array has that rank and 32- or 64-bit elements.
    public init(_ array: HostArray) {
        precondition(array.shape.rank == 2, "\(array.type) is not [frames, levels]")
        let codes: [UInt64] =
            switch array.dtype {
            case .i64: array.values(as: Int64.self).map { UInt64(bitPattern: $0) }
            case .u64: array.values(as: UInt64.self)
            case .i32: array.values(as: Int32.self).map { UInt64(bitPattern: Int64($0)) }
            case .u32: array.values(as: UInt32.self).map { UInt64($0) }
            default: preconditionFailure("\(array.type) holds no codes")
            }
        self.init(codes: codes, levelCount: array.shape[1])
    }

    /// The codes as `i64` `[frames, levels]`.
    public var array: HostArray {
        HostArray(codes.map { Int64(bitPattern: $0) }, shape: [count, levelCount])
    }

    /// The number of frames.
    public var count: Int { codes.count / levelCount }
    public var isEmpty: Bool { codes.isEmpty }

    public subscript(frame: Int, level: Int) -> UInt64 {
        get { codes[frame * levelCount + level] }
        set { codes[frame * levelCount + level] = newValue }
    }

    /// Some of the frames.
    public subscript(frames: Range<Int>) -> TokenFrames {
        let codes = codes[frames.lowerBound * levelCount..<frames.upperBound * levelCount]
        return TokenFrames(codes: Array(codes), levelCount: levelCount)
    }

    /// One level of every frame.
    public func level(_ level: Int) -> [UInt64] {
        stride(from: level, to: codes.count, by: levelCount).map { codes[$0] }
    }

    /// - Precondition: `other` has as many levels.
    public mutating func append(_ other: TokenFrames) {
        precondition(
            other.levelCount == levelCount, "frames of \(other.levelCount) levels after frames of \(levelCount) levels")
        codes.append(contentsOf: other.codes)
    }

    mutating func removeAll() { codes.removeAll(keepingCapacity: true) }
}
