public import Tensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Positions as rotations of queries and keys, so that their product depends on the distance alone.
///
/// Su et al., "RoFormer", 2021. Channel `i` is paired with channel `i + width / 2`, and the pair turns by
/// `position · base^(-2i / width)`. Only distances matter, so callers count from the start of whatever window they hold:
/// positions stay small, and exact, in streams of any length.
public struct RotaryEmbedding: Sendable, Hashable {
    public let width: Int
    public let base: Double

    /// - Precondition: `width` is even.
    public init(_ width: Int, base: Double = 10_000) {
        precondition(width > 0 && width % 2 == 0, "rotary width \(width) is not even")
        self.width = width
        self.base = base
    }

    /// The rotations of positions `0 ..< count`.
    public func table(_ count: Int, _ dtype: DType) -> Table {
        // cos and sin of a sum from those of 32-fold and single steps: exact to rounding, and few constants.
        let step = 32
        let frequencies = (0..<(width / 2)).map { pow(base, -2 * Double($0) / Double(width)) }
        let coarse = angles((0..<max(1, (count + step - 1) / step)).map { $0 * step }, frequencies, dtype)
        let fine = angles(Array(0..<step), frequencies, dtype)
        let (a, b) = ((coarse.cos.expanded(at: 1), coarse.sin.expanded(at: 1)), (fine.cos, fine.sin))
        func rows(_ x: Tensor) -> Tensor { x.reshaped([-1, frequencies.count]).slice(0, 0, count) }
        return Table(cos: rows(a.0 * b.0 - a.1 * b.1), sin: rows(a.1 * b.0 + a.0 * b.1))
    }

    private func angles(_ positions: [Int], _ frequencies: [Double], _ dtype: DType) -> (cos: Tensor, sin: Tensor) {
        let angles = positions.flatMap { position in frequencies.map { Double(position) * $0 } }
        let shape: Shape = [positions.count, frequencies.count]
        return (
            .constant(angles.map { cos($0) }, dtype, shape: shape),
            .constant(angles.map { sin($0) }, dtype, shape: shape)
        )
    }

    /// Cosines and sines, `[positions, width / 2]`.
    public struct Table: Sendable {
        let cos: Tensor
        let sin: Tensor

        /// - Parameters:
        ///   - x: `[batch, time, heads, width]`.
        ///   - position: that of the first step of `x`.
        /// - Returns: the same shape and type; computed in the table's type.
        public func rotating(_ x: Tensor, from position: Int = 0) -> Tensor {
            let (time, half) = (x.shape[1], x.shape[3] / 2)
            let c = cos.slice(0, position, position + time).expanded(at: 1)
            let s = sin.slice(0, position, position + time).expanded(at: 1)
            let wide = x.cast(to: cos.dtype)
            let (first, second) = (wide.slice(-1, 0, half), wide.slice(-1, half, 2 * half))
            return concatenate([first * c - second * s, second * c + first * s], axis: -1).cast(to: x.dtype)
        }
    }
}
