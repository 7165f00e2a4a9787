public import Tensor

extension Unary: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        let x = inputs[0]
        if kind == .isFinite { return [HostArray(x.doubles.map(\.isFinite), shape: x.shape)] }
        if x.dtype == .bool { return [HostArray(type: x.type, bytes: x.bytes.map { $0 ^ 1 })] }
        switch x.dtype.element {
        case .floating(let type): return [floating(x, type)]
        case .integer(let type): return [integer(x, type)]
        }
    }

    private func floating<T: FloatingElement>(_ x: HostArray, _: T.Type) -> HostArray {
        let function: (T) -> T =
            switch kind {
            case .negate: { -$0 }
            case .exponential: T.exponential
            case .exponentialMinusOne: T.exponentialMinusOne
            case .log: T.logarithm
            case .logOnePlus: T.logarithmOnePlus
            case .squareRoot: { $0.squareRoot() }
            case .reciprocalSquareRoot: { 1 / $0.squareRoot() }
            case .sine: T.sine
            case .cosine: T.cosine
            case .tanh: T.hyperbolicTangent
            case .logistic: logistic
            case .absolute: { $0.magnitude }
            case .sign: { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 }
            case .floor: { $0.rounded(.down) }
            case .ceil: { $0.rounded(.up) }
            case .roundToEven: { $0.rounded(.toNearestOrEven) }
            case .not, .isFinite: preconditionFailure("\(name) has no floating result")
            }
        return T.array(T.elements(of: x).map(function), x.type)
    }

    private func integer<T: IntegerElement>(_ x: HostArray, _: T.Type) -> HostArray {
        let function: (T) -> T =
            switch kind {
            case .negate: { 0 &- $0 }
            case .absolute: { $0 < 0 ? 0 &- $0 : $0 }
            case .sign: { $0.signum() }
            case .not: { ~$0 }
            default: preconditionFailure("\(name) is not defined on integers")
            }
        return T.array(T.elements(of: x).map(function), x.type)
    }
}

/// `1 / (1 + exp(-x))`, written so that neither tail overflows.
private func logistic<T: FloatingElement>(_ x: T) -> T {
    if x >= 0 { return 1 / (1 + T.exponential(-x)) }
    let power = T.exponential(x)
    return power / (1 + power)
}

extension Binary: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        switch inputs[0].dtype.element {
        case .floating(let type): [floating(inputs[0], inputs[1], type)]
        case .integer(let type): [integer(inputs[0], inputs[1], type)]
        }
    }

    private func floating<T: FloatingElement>(_ x: HostArray, _ y: HostArray, _: T.Type) -> HostArray {
        let function: (T, T) -> T =
            switch kind {
            case .add: { $0 + $1 }
            case .subtract: { $0 - $1 }
            case .multiply: { $0 * $1 }
            case .divide: { $0 / $1 }
            case .remainder: T.remainder
            case .maximum: larger
            case .minimum: { -larger(-$0, -$1) }
            case .power: T.power
            case .atan2: T.arcTangent
            case .and, .or, .xor, .shiftLeft, .shiftRightLogical:
                preconditionFailure("\(name) is not defined on floating values")
            }
        return T.array(zipped(T.elements(of: x), T.elements(of: y), function), x.type)
    }

    // Bool comes here as 0 and 1, which the bitwise operations keep.
    private func integer<T: IntegerElement>(_ x: HostArray, _ y: HostArray, _: T.Type) -> HostArray {
        let function: (T, T) -> T =
            switch kind {
            case .add: { $0 &+ $1 }
            case .subtract: { $0 &- $1 }
            case .multiply: { $0 &* $1 }
            case .divide: { $1 == 0 ? ~0 : $0.dividedReportingOverflow(by: $1).partialValue }
            case .remainder: { $1 == 0 ? $0 : $0.remainderReportingOverflow(dividingBy: $1).partialValue }
            case .maximum: { Swift.max($0, $1) }
            case .minimum: { Swift.min($0, $1) }
            case .power: integerPower
            case .and: { $0 & $1 }
            case .or: { $0 | $1 }
            case .xor: { $0 ^ $1 }
            // A shift by the width or more, and so by a negative count read as unsigned, leaves nothing.
            case .shiftLeft: { $1 < 0 ? 0 : $0 << $1 }
            case .shiftRightLogical: { $1 < 0 ? 0 : T(truncatingIfNeeded: T.Magnitude(truncatingIfNeeded: $0) >> $1) }
            case .atan2: preconditionFailure("\(name) is not defined on integers")
            }
        return T.array(zipped(T.elements(of: x), T.elements(of: y), function), x.type)
    }
}

/// IEEE 754-2019 `maximum`: NaN if either is, and +0 above -0.
private func larger<T: FloatingElement>(_ x: T, _ y: T) -> T {
    if x > y { return x }
    if y > x { return y }
    if x == y { return x.sign == .plus ? x : y }
    return .nan
}

/// Wraps around; a negative exponent truncates toward zero, so that only ±1 survive it.
private func integerPower<T: IntegerElement>(_ base: T, _ exponent: T) -> T {
    if exponent < 0 { return base == 1 ? 1 : base == ~0 ? (exponent & 1 == 0 ? 1 : base) : 0 }
    var (result, square, remaining): (T, T, T) = (1, base, exponent)
    while remaining > 0 {
        if remaining & 1 == 1 { result = result &* square }
        square = square &* square
        remaining >>= 1
    }
    return result
}

private func zipped<A, Result>(_ x: [A], _ y: [A], _ function: (A, A) -> Result) -> [Result] {
    [Result](unsafeUninitializedCapacity: x.count) { buffer, initialized in
        initialized = x.count
        for index in x.indices { buffer.initializeElement(at: index, to: function(x[index], y[index])) }
    }
}

extension Compare: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        [compare(inputs[0], inputs[1], inputs[0].dtype.element.any)]
    }

    private func compare<T: ReferenceElement>(_ x: HostArray, _ y: HostArray, _: T.Type) -> HostArray {
        let holds: (T, T) -> Bool =
            switch direction {
            case .equal: { $0 == $1 }
            case .notEqual: { $0 != $1 }
            case .less: { $0 < $1 }
            case .lessOrEqual: { $0 <= $1 }
            case .greater: { $0 > $1 }
            case .greaterOrEqual: { $0 >= $1 }
            }
        return HostArray(zipped(T.elements(of: x), T.elements(of: y), holds), shape: x.shape)
    }
}

extension Select: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        // As one array, the first choice and then the second: the place says which.
        let (count, chosen) = (inputs[0].count, inputs[0].bytes)
        let places = [Int](unsafeUninitializedCapacity: count) { places, initialized in
            for index in 0..<count {
                places.initializeElement(at: index, to: chosen[index] != 0 ? index : count + index)
            }
            initialized = count
        }
        let choices = HostArray(
            type: TensorType(inputs[1].dtype, [2 * count]), bytes: inputs[1].bytes + inputs[2].bytes)
        return [choices.elements(at: places, shape: inputs[1].shape)]
    }
}

extension Convert: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        let x = inputs[0]
        switch (x.dtype.element, dtype.element) {
        case (.floating, _): return [x.converted(to: dtype)]
        case (.integer(let source), .floating(let target)): return [floated(x, source, target)]
        case (.integer(let source), .integer(let target)):
            return [dtype == .bool ? truths(x, source) : wrapped(x, source, target)]
        }
    }

    private func floated<S: IntegerElement, T: FloatingElement>(_ x: HostArray, _: S.Type, _: T.Type) -> HostArray {
        T.array(S.elements(of: x).map { T($0) }, TensorType(dtype, x.shape))
    }

    private func wrapped<S: IntegerElement, T: IntegerElement>(_ x: HostArray, _: S.Type, _: T.Type) -> HostArray {
        T.array(S.elements(of: x).map { T(truncatingIfNeeded: $0) }, TensorType(dtype, x.shape))
    }

    private func truths<S: IntegerElement>(_ x: HostArray, _: S.Type) -> HostArray {
        HostArray(S.elements(of: x).map { $0 != 0 }, shape: x.shape)
    }
}

extension Bitcast: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        [HostArray(type: results[0], bytes: inputs[0].bytes)]
    }
}

extension StopGradient: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] { inputs }
}

extension Barrier: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] { inputs }
}
