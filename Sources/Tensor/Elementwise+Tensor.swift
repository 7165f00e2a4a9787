extension Tensor {
    private func unary(_ kind: Unary.Kind, _ file: StaticString, _ line: UInt) -> Tensor {
        Tensor.apply1(Unary(kind: kind), self, file: file, line: line)
    }

    /// eˣ.
    public func exp(file: StaticString = #fileID, line: UInt = #line) -> Tensor { unary(.exponential, file, line) }
    /// `exp(x) - 1`, exact near zero.
    public func expm1(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        unary(.exponentialMinusOne, file, line)
    }
    /// The natural logarithm.
    public func log(file: StaticString = #fileID, line: UInt = #line) -> Tensor { unary(.log, file, line) }
    /// `log(1 + x)`, exact near zero.
    public func log1p(file: StaticString = #fileID, line: UInt = #line) -> Tensor { unary(.logOnePlus, file, line) }
    /// The square root; NaN below 0.
    public func sqrt(file: StaticString = #fileID, line: UInt = #line) -> Tensor { unary(.squareRoot, file, line) }
    /// `1 / sqrt(x)`.
    public func rsqrt(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        unary(.reciprocalSquareRoot, file, line)
    }
    /// The sine of radians.
    public func sin(file: StaticString = #fileID, line: UInt = #line) -> Tensor { unary(.sine, file, line) }
    /// The cosine of radians.
    public func cos(file: StaticString = #fileID, line: UInt = #line) -> Tensor { unary(.cosine, file, line) }
    /// The hyperbolic tangent.
    public func tanh(file: StaticString = #fileID, line: UInt = #line) -> Tensor { unary(.tanh, file, line) }
    /// The logistic function `1 / (1 + exp(-x))`.
    public func sigmoid(file: StaticString = #fileID, line: UInt = #line) -> Tensor { unary(.logistic, file, line) }
    /// The magnitude.
    public func abs(file: StaticString = #fileID, line: UInt = #line) -> Tensor { unary(.absolute, file, line) }
    /// -1, 0 or 1.
    public func sign(file: StaticString = #fileID, line: UInt = #line) -> Tensor { unary(.sign, file, line) }
    /// The largest integer that is not above.
    public func floor(file: StaticString = #fileID, line: UInt = #line) -> Tensor { unary(.floor, file, line) }
    /// The smallest integer that is not below.
    public func ceil(file: StaticString = #fileID, line: UInt = #line) -> Tensor { unary(.ceil, file, line) }
    /// To the nearest integer, ties to even.
    public func rounded(file: StaticString = #fileID, line: UInt = #line) -> Tensor { unary(.roundToEven, file, line) }
    /// Whether an element is neither infinite nor NaN, as booleans.
    public func isFinite(file: StaticString = #fileID, line: UInt = #line) -> Tensor { unary(.isFinite, file, line) }

    public var squared: Tensor { self * self }

    /// The same values as another element type.
    public func cast(to dtype: DType) -> Tensor {
        dtype == self.dtype ? self : Tensor.apply1(Convert(dtype: dtype), self)
    }

    /// The same bits as another element type of the same width.
    public func bitcast(to dtype: DType, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        Tensor.apply1(Bitcast(dtype: dtype), self, file: file, line: line)
    }

    public func power(_ exponent: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        binary(.power, self, exponent, file, line)
    }
    public func power(_ exponent: Double, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        binary(.power, self, Tensor.full(exponent, type), file, line)
    }

    /// Every element between the two bounds; the gradient is zero outside.
    public func clamped(_ low: Double, _ high: Double) -> Tensor { maximum(self, low).clampedAbove(high) }
    private func clampedAbove(_ high: Double) -> Tensor { minimum(self, high) }

    /// Whether elements are equal, as booleans; NaN equals nothing.
    public func equals(_ other: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        compare(.equal, self, other, file, line)
    }
    public func equals(_ other: Double) -> Tensor { equals(Tensor.full(other, type)) }
    public func differs(from other: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        compare(.notEqual, self, other, file, line)
    }
    /// Comparisons give booleans, false where either side is NaN.
    public func isLess(than other: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        compare(.less, self, other, file, line)
    }
    public func isLess(than other: Double) -> Tensor { isLess(than: Tensor.full(other, type)) }
    public func isAtMost(_ other: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        compare(.lessOrEqual, self, other, file, line)
    }
    public func isGreater(than other: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        compare(.greater, self, other, file, line)
    }
    public func isGreater(than other: Double) -> Tensor { isGreater(than: Tensor.full(other, type)) }
    public func isAtLeast(_ other: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        compare(.greaterOrEqual, self, other, file, line)
    }
    public func isAtLeast(_ other: Double) -> Tensor { isAtLeast(Tensor.full(other, type)) }

    public static prefix func - (x: Tensor) -> Tensor { apply1(Unary(kind: .negate), x) }
    public static prefix func ! (x: Tensor) -> Tensor { apply1(Unary(kind: .not), x) }

    public static func + (x: Tensor, y: Tensor) -> Tensor { binary(.add, x, y, #fileID, #line) }
    public static func - (x: Tensor, y: Tensor) -> Tensor { binary(.subtract, x, y, #fileID, #line) }
    public static func * (x: Tensor, y: Tensor) -> Tensor { binary(.multiply, x, y, #fileID, #line) }
    public static func / (x: Tensor, y: Tensor) -> Tensor { binary(.divide, x, y, #fileID, #line) }
    public static func % (x: Tensor, y: Tensor) -> Tensor { binary(.remainder, x, y, #fileID, #line) }
    public static func & (x: Tensor, y: Tensor) -> Tensor { binary(.and, x, y, #fileID, #line) }
    public static func | (x: Tensor, y: Tensor) -> Tensor { binary(.or, x, y, #fileID, #line) }
    public static func ^ (x: Tensor, y: Tensor) -> Tensor { binary(.xor, x, y, #fileID, #line) }
    public static func << (x: Tensor, y: Int) -> Tensor {
        binary(.shiftLeft, x, full(Double(y), x.type), #fileID, #line)
    }
    /// A shift that fills with zeros, whatever the sign.
    public static func >> (x: Tensor, y: Int) -> Tensor {
        binary(.shiftRightLogical, x, full(Double(y), x.type), #fileID, #line)
    }

    public static func + (x: Tensor, y: Double) -> Tensor { x + full(y, x.type) }
    public static func - (x: Tensor, y: Double) -> Tensor { x - full(y, x.type) }
    public static func * (x: Tensor, y: Double) -> Tensor { x * full(y, x.type) }
    public static func / (x: Tensor, y: Double) -> Tensor { x / full(y, x.type) }
    public static func + (x: Double, y: Tensor) -> Tensor { full(x, y.type) + y }
    public static func - (x: Double, y: Tensor) -> Tensor { full(x, y.type) - y }
    public static func * (x: Double, y: Tensor) -> Tensor { full(x, y.type) * y }
    public static func / (x: Double, y: Tensor) -> Tensor { full(x, y.type) / y }
}

public func maximum(_ x: Tensor, _ y: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    binary(.maximum, x, y, file, line)
}
public func maximum(_ x: Tensor, _ y: Double) -> Tensor { maximum(x, Tensor.full(y, x.type)) }
public func minimum(_ x: Tensor, _ y: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    binary(.minimum, x, y, file, line)
}
public func minimum(_ x: Tensor, _ y: Double) -> Tensor { minimum(x, Tensor.full(y, x.type)) }
public func atan2(_ y: Tensor, _ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    binary(.atan2, y, x, file, line)
}

/// `condition ? whenTrue : whenFalse` element by element, the three broadcast against each other.
public func select(
    _ condition: Tensor, _ whenTrue: Tensor, _ whenFalse: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
    let shape = broadcastShape(
        broadcastShape(condition.shape, whenTrue.shape, file, line), whenFalse.shape, file, line)
    return Tensor.apply1(
        Select(), condition.broadcast(to: shape), whenTrue.broadcast(to: shape), whenFalse.broadcast(to: shape),
        file: file, line: line)
}

private func binary(
    _ kind: Binary.Kind, _ x: Tensor, _ y: Tensor, _ file: StaticString, _ line: UInt
) -> Tensor {
    let shape = broadcastShape(x.shape, y.shape, file, line)
    return Tensor.apply1(
        Binary(kind: kind), x.broadcast(to: shape), y.broadcast(to: shape), file: file, line: line)
}

private func compare(
    _ direction: Compare.Direction, _ x: Tensor, _ y: Tensor, _ file: StaticString, _ line: UInt
) -> Tensor {
    let shape = broadcastShape(x.shape, y.shape, file, line)
    return Tensor.apply1(
        Compare(direction: direction), x.broadcast(to: shape), y.broadcast(to: shape), file: file, line: line)
}

/// The shape two operands share under NumPy's rules: aligned at the last axis, extents equal or 1.
func broadcastShape(_ x: Shape, _ y: Shape, _ file: StaticString, _ line: UInt) -> Shape {
    if x == y { return x }
    var result = x.rank >= y.rank ? x : y
    let shorter = x.rank >= y.rank ? y : x
    let offset = result.rank - shorter.rank
    for axis in shorter.indices {
        let (long, short) = (result[axis + offset], shorter[axis])
        precondition(
            long == short || long == 1 || short == 1, "shapes \(x) and \(y) do not broadcast", file: file, line: line)
        if long == 1 { result[axis + offset] = short }
    }
    return result
}
