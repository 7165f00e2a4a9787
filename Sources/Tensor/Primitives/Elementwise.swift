/// A function of one element.
public struct Unary: Primitive {
    public enum Kind: String, Sendable, CaseIterable {
        case negate, exponential, exponentialMinusOne, log, logOnePlus, squareRoot, reciprocalSquareRoot
        case sine, cosine, tanh, logistic, absolute, sign, floor, ceil, roundToEven
        case not, isFinite
    }

    public let kind: Kind
    public var name: String { kind.rawValue }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        let dtype = inputs[0].dtype
        switch kind {
        case .not: try require(!dtype.isFloating, "is not defined on \(dtype.rawValue)")
        case .negate, .absolute, .sign: try require(dtype.isSigned, "is not defined on \(dtype.rawValue)")
        default: try require(dtype.isFloating, "is not defined on \(dtype.rawValue)")
        }
        return [kind == .isFinite ? TensorType(.bool, inputs[0].shape) : inputs[0]]
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] {
        let x = site.inputs[0]
        let y = site.output
        let g = site.cotangent
        switch kind {
        case .negate: return [-g]
        case .exponential: return [g * y]
        case .exponentialMinusOne: return [g * (y + 1)]
        case .log: return [g / x]
        case .logOnePlus: return [g / (x + 1)]
        case .squareRoot: return [g * 0.5 / y]
        case .reciprocalSquareRoot: return [g * -0.5 * y / x]
        case .sine: return [g * x.cos()]
        case .cosine: return [-(g * x.sin())]
        case .tanh: return [g * (1 - y * y)]
        case .logistic: return [g * y * (1 - y)]
        case .absolute: return [g * x.sign()]
        case .sign, .floor, .ceil, .roundToEven, .not, .isFinite: return [nil]
        }
    }
}

/// A function of two elements of one type; shapes are equal (broadcasting happens before).
public struct Binary: Primitive {
    public enum Kind: String, Sendable, CaseIterable {
        case add, subtract, multiply, divide, remainder, maximum, minimum, power, atan2
        case and, or, xor, shiftLeft, shiftRightLogical
    }

    public let kind: Kind
    public var name: String { kind.rawValue }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        let type = inputs[0]
        try require(type == inputs[1], "operands differ")
        switch kind {
        case .and, .or, .xor: try require(!type.dtype.isFloating, "is not defined on \(type.dtype.rawValue)")
        case .shiftLeft, .shiftRightLogical:
            try require(type.dtype.isInteger, "is not defined on \(type.dtype.rawValue)")
        case .atan2: try require(type.dtype.isFloating, "is not defined on \(type.dtype.rawValue)")
        default: try require(type.dtype != .bool, "is not defined on bool")
        }
        return [type]
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] {
        let (x, y) = (site.inputs[0], site.inputs[1])
        let g = site.cotangent
        switch kind {
        case .add: return [g, g]
        case .subtract: return [g, -g]
        case .multiply: return [g * y, g * x]
        case .divide: return [g / y, -(g * site.output / y)]
        // x - y·trunc(x/y): the quotient is locally constant.
        case .remainder: return [g, -(g * ((x - site.output) / y).rounded())]
        case .maximum, .minimum:
            // A tie shares the cotangent, as a subgradient must be chosen and this one is symmetric.
            let tie = select(x.equals(y), g * 0.5, Tensor.zeros(g.type))
            let first = kind == .maximum ? x.isGreater(than: y) : x.isLess(than: y)
            let second = kind == .maximum ? x.isLess(than: y) : x.isGreater(than: y)
            let zero = Tensor.zeros(g.type)
            return [select(first, g, tie), select(second, g, select(first, zero, tie))]
        case .power:
            let zero = Tensor.zeros(g.type)
            let base = select(y.equals(zero), zero, g * y * x.power(y - 1))
            let exponent = select(x.isGreater(than: zero), g * site.output * safeLog(x), zero)
            return [base, exponent]
        case .atan2:
            let norm = x * x + y * y
            return [g * y / norm, -(g * x / norm)]
        case .and, .or, .xor, .shiftLeft, .shiftRightLogical: return [nil, nil]
        }
    }

    private func safeLog(_ x: Tensor) -> Tensor {
        select(x.isGreater(than: Tensor.zeros(x.type)), x, Tensor.ones(x.type)).log()
    }
}

/// An element-by-element comparison; NaN compares unequal to everything.
public struct Compare: Primitive {
    public enum Direction: String, Sendable, CaseIterable {
        case equal = "EQ"
        case notEqual = "NE"
        case less = "LT"
        case lessOrEqual = "LE"
        case greater = "GT"
        case greaterOrEqual = "GE"
    }

    public let direction: Direction
    public var name: String { "compare\(direction.rawValue)" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        try require(inputs[0] == inputs[1], "operands differ")
        return [TensorType(.bool, inputs[0].shape)]
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] { [nil, nil] }
}

/// `condition ? whenTrue : whenFalse`, element by element.
public struct Select: Primitive {
    public var name: String { "select" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        try require(inputs[0].dtype == .bool, "the condition is not bool")
        try require(inputs[1] == inputs[2], "the two choices differ")
        try require(inputs[0].shape == inputs[1].shape, "the condition has another shape than the choices")
        return [inputs[1]]
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] {
        let zero = Tensor.zeros(site.output.type)
        return [
            nil, select(site.inputs[0], site.cotangent, zero), select(site.inputs[0], zero, site.cotangent),
        ]
    }
}

/// A change of element type: to nearest for floats, toward zero from float to integer, `!= 0` to bool.
public struct Convert: Primitive {
    public let dtype: DType
    public var name: String { "convert" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        [TensorType(dtype, inputs[0].shape)]
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] {
        [site.inputs[0].dtype.isFloating && dtype.isFloating ? site.cotangent.cast(to: site.inputs[0].dtype) : nil]
    }
}

/// The same bits read as another type of the same width.
public struct Bitcast: Primitive {
    public let dtype: DType
    public var name: String { "bitcast" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        try require(
            inputs[0].dtype.byteCount == dtype.byteCount && inputs[0].dtype != .bool && dtype != .bool,
            "\(dtype.rawValue) is not as wide")
        return [TensorType(dtype, inputs[0].shape)]
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] { [nil] }
}

/// The identity, with no gradient.
public struct StopGradient: Primitive {
    public var name: String { "stopGradient" }
    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] { inputs }
    public func vjp(_ site: VJPSite) -> [Tensor?] { [nil] }
}

/// The identity on several values, which the compiler may not move operations across or merge through.
public struct Barrier: Primitive {
    public var name: String { "barrier" }
    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] { inputs }
    public func vjp(_ site: VJPSite) -> [Tensor?] { site.cotangents }
}

/// Keeps the compiler from fusing what makes `tensors` with what reads the result.
public func barrier(_ tensors: [Tensor]) -> [Tensor] { tensors.isEmpty ? [] : Tensor.apply(Barrier(), tensors) }
