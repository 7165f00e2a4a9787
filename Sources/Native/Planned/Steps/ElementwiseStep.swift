internal import Tensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How an operand of an elementwise operation lies over its result: element `e` reads operand element
/// `(e / inner) % period`.
struct Spread: Hashable, Sendable {
    var inner: Int
    var period: Int

    /// One element for each.
    static func full(_ count: Int) -> Spread { Spread(inner: 1, period: max(1, count)) }

    /// How an operand that `Broadcast` maps by `axes` lies over `shape`; `nil` where that is no such pattern.
    init?(_ operand: Shape, axes: [Int], over shape: Shape) {
        // The operand's own axes must be neighbours in the result; what is left of them repeats the block, what is right
        // of them repeats each element.
        let kept = axes.indices.filter { operand[$0] != 1 }.map { axes[$0] }
        guard let first = kept.first, let last = kept.last else {
            self = Spread(inner: 1, period: 1)
            return
        }
        for axis in first...last where !kept.contains(axis) && shape[axis] != 1 { return nil }
        self = Spread(
            inner: shape.dimensions[(last + 1)...].reduce(1, *), period: operand.elementCount)
    }

    init(inner: Int, period: Int) {
        self.inner = inner
        self.period = period
    }

    /// For how many elements in a row an operand is either one element or neighbours.
    func run(_ count: Int) -> Int { period == 1 ? count : inner == 1 ? period : inner }
    var stride: Int { period == 1 || inner > 1 ? 0 : 1 }
    @inline(__always) func start(_ element: Int) -> Int { (element / inner) % period }
}

/// An operand with its place.
struct ElementOperand: Sendable {
    let place: Place
    let spread: Spread
}

/// An operation on f32, i32 or bool elements, with operands that need not be repeated in memory.
struct ElementwiseStep: Step {
    enum Kind: Sendable {
        case unary(Unary.Kind)
        case binary(Binary.Kind)
        case integer(Binary.Kind)
        case bits(Binary.Kind)
        case not
        case compare(Compare.Direction)
        case compareIntegers(Compare.Direction)
        case select(width: Int)
        case convert(from: DType, to: DType)
    }

    let kind: Kind
    let operands: [ElementOperand]
    let target: Place
    let count: Int
    private let run: Int

    init(_ kind: Kind, operands: [ElementOperand], target: Place, count: Int) {
        self.kind = kind
        self.operands = operands
        self.target = target
        self.count = count
        run = operands.reduce(count) { greatestCommonDivisor($0, $1.spread.run(count)) }
    }

    /// The kind for a primitive on operands of these types, or `nil` where only the reference evaluator knows it.
    static func kind(of primitive: any Primitive, _ operands: [TensorType]) -> Kind? {
        guard let dtype = operands.first?.dtype else { return nil }
        switch primitive {
        case let unary as Unary:
            if unary.kind == .not && dtype == .bool { return .not }
            return dtype == .f32 && unary.kind != .isFinite && unary.kind != .not ? .unary(unary.kind) : nil
        case let binary as Binary:
            switch (dtype, binary.kind) {
            case (.f32, _): return .binary(binary.kind)
            case (.i32, .add), (.i32, .subtract), (.i32, .multiply), (.i32, .maximum), (.i32, .minimum):
                return .integer(binary.kind)
            case (.bool, .and), (.bool, .or), (.bool, .xor): return .bits(binary.kind)
            default: return nil
            }
        case let compare as Compare:
            return dtype == .f32
                ? .compare(compare.direction) : dtype == .i32 ? .compareIntegers(compare.direction) : nil
        case is Select:
            let width = operands[1].dtype.byteCount
            return width == 4 || width == 1 ? .select(width: width) : nil
        case let convert as Convert:
            switch (dtype, convert.dtype) {
            case (.f32, .i32), (.f32, .bool), (.i32, .f32), (.i32, .bool), (.bool, .f32), (.bool, .i32):
                return .convert(from: dtype, to: convert.dtype)
            default: return nil
            }
        default: return nil
        }
    }

    func run(_ frame: Frame) {
        switch kind {
        case .unary(let kind): unary(kind, frame)
        case .binary(let kind): binary(kind, frame)
        case .integer(let kind): integer(kind, frame)
        case .bits(let kind):
            switch kind {
            case .and: map2(frame) { (x: UInt8, y: UInt8) in x & y }
            case .or: map2(frame) { (x: UInt8, y: UInt8) in x | y }
            default: map2(frame) { (x: UInt8, y: UInt8) in x ^ y }
            }
        case .not: map1(frame) { (x: UInt8) in x ^ 1 }
        case .compare(let direction): compare(direction, frame, Float.self)
        case .compareIntegers(let direction): compare(direction, frame, Int32.self)
        case .select(let width): width == 4 ? select(frame, UInt32.self) : select(frame, UInt8.self)
        case .convert(let source, let target): convert(source, target, frame)
        }
    }

    private func unary(_ kind: Unary.Kind, _ frame: Frame) {
        switch kind {
        case .negate: map1(frame) { (x: Float) in -x }
        case .exponential: map1(frame) { (x: Float) in exp(x) }
        case .exponentialMinusOne: map1(frame) { (x: Float) in expm1(x) }
        case .log: map1(frame) { (x: Float) in log(x) }
        case .logOnePlus: map1(frame) { (x: Float) in log1p(x) }
        case .squareRoot: map1(frame) { (x: Float) in x.squareRoot() }
        case .reciprocalSquareRoot: map1(frame) { (x: Float) in 1 / x.squareRoot() }
        case .sine: map1(frame) { (x: Float) in sin(x) }
        case .cosine: map1(frame) { (x: Float) in cos(x) }
        case .tanh: map1(frame) { (x: Float) in tanh(x) }
        case .logistic:
            map1(frame) { (x: Float) in
                // Neither tail overflows.
                let power = exp(-x.magnitude)
                return (x >= 0 ? 1 : power) / (1 + power)
            }
        case .absolute: map1(frame) { (x: Float) in x.magnitude }
        case .sign: map1(frame) { (x: Float) -> Float in x > 0 ? 1 : x < 0 ? -1 : x }
        case .floor: map1(frame) { (x: Float) in x.rounded(.down) }
        case .ceil: map1(frame) { (x: Float) in x.rounded(.up) }
        case .roundToEven: map1(frame) { (x: Float) in x.rounded(.toNearestOrEven) }
        case .not, .isFinite: preconditionFailure("\(kind) has no f32 result")
        }
    }

    private func binary(_ kind: Binary.Kind, _ frame: Frame) {
        switch kind {
        case .add: map2(frame) { (x: Float, y: Float) in x + y }
        case .subtract: map2(frame) { (x: Float, y: Float) in x - y }
        case .multiply: map2(frame) { (x: Float, y: Float) in x * y }
        case .divide: map2(frame) { (x: Float, y: Float) in x / y }
        case .remainder: map2(frame) { (x: Float, y: Float) in fmod(x, y) }
        case .maximum: map2(frame) { (x: Float, y: Float) in larger(x, y) }
        case .minimum: map2(frame) { (x: Float, y: Float) in -larger(-x, -y) }
        case .power: map2(frame) { (x: Float, y: Float) in pow(x, y) }
        case .atan2: map2(frame) { (x: Float, y: Float) in atan2(x, y) }
        case .and, .or, .xor, .shiftLeft, .shiftRightLogical:
            preconditionFailure("\(kind) is not defined on floating values")
        }
    }

    private func integer(_ kind: Binary.Kind, _ frame: Frame) {
        switch kind {
        case .add: map2(frame) { (x: Int32, y: Int32) in x &+ y }
        case .subtract: map2(frame) { (x: Int32, y: Int32) in x &- y }
        case .multiply: map2(frame) { (x: Int32, y: Int32) in x &* y }
        case .maximum: map2(frame) { (x: Int32, y: Int32) in max(x, y) }
        default: map2(frame) { (x: Int32, y: Int32) in min(x, y) }
        }
    }

    private func compare<T: Comparable>(_ direction: Compare.Direction, _ frame: Frame, _: T.Type) {
        switch direction {
        case .equal: map2(frame) { (x: T, y: T) in x == y }
        case .notEqual: map2(frame) { (x: T, y: T) in x != y }
        case .less: map2(frame) { (x: T, y: T) in x < y }
        case .lessOrEqual: map2(frame) { (x: T, y: T) in x <= y }
        case .greater: map2(frame) { (x: T, y: T) in x > y }
        case .greaterOrEqual: map2(frame) { (x: T, y: T) in x >= y }
        }
    }

    private func convert(_ source: DType, _ target: DType, _ frame: Frame) {
        switch (source, target) {
        case (.f32, .i32):
            map1(frame) { (x: Float) -> Int32 in
                x.isNaN ? 0 : Int32(exactly: Double(x).rounded(.towardZero)) ?? (x < 0 ? .min : .max)
            }
        case (.f32, .bool): map1(frame) { (x: Float) in x != 0 }
        case (.i32, .f32): map1(frame) { (x: Int32) in Float(x) }
        case (.i32, .bool): map1(frame) { (x: Int32) in x != 0 }
        case (.bool, .f32): map1(frame) { (x: UInt8) -> Float in x != 0 ? 1 : 0 }
        default: map1(frame) { (x: UInt8) -> Int32 in x != 0 ? 1 : 0 }
        }
    }

    // MARK: - Loops

    @inline(__always)
    private func map1<X, Y>(_ frame: Frame, _ function: (X) -> Y) {
        let x = frame.pointer(operands[0].place).assumingMemoryBound(to: X.self)
        let y = frame.pointer(target).assumingMemoryBound(to: Y.self)
        let spread = operands[0].spread
        let step = spread.stride
        var element = 0
        while element < count {
            let source = x + spread.start(element)
            for index in 0..<run { y[element + index] = function(source[index * step]) }
            element += run
        }
    }

    @inline(__always)
    private func map2<X, Y>(_ frame: Frame, _ function: (X, X) -> Y) {
        let a = frame.pointer(operands[0].place).assumingMemoryBound(to: X.self)
        let b = frame.pointer(operands[1].place).assumingMemoryBound(to: X.self)
        let y = frame.pointer(target).assumingMemoryBound(to: Y.self)
        let (first, second) = (operands[0].spread, operands[1].spread)
        let (firstStep, secondStep) = (first.stride, second.stride)
        var element = 0
        while element < count {
            let (left, right) = (a + first.start(element), b + second.start(element))
            let result = y + element
            if firstStep == 1 && secondStep == 1 {
                for index in 0..<run { result[index] = function(left[index], right[index]) }
            } else {
                for index in 0..<run { result[index] = function(left[index * firstStep], right[index * secondStep]) }
            }
            element += run
        }
    }

    private func select<Word>(_ frame: Frame, _: Word.Type) {
        let condition = frame.pointer(operands[0].place).assumingMemoryBound(to: UInt8.self)
        let a = frame.pointer(operands[1].place).assumingMemoryBound(to: Word.self)
        let b = frame.pointer(operands[2].place).assumingMemoryBound(to: Word.self)
        let y = frame.pointer(target).assumingMemoryBound(to: Word.self)
        let (s0, s1, s2) = (operands[0].spread, operands[1].spread, operands[2].spread)
        var element = 0
        while element < count {
            let (i0, i1, i2) = (s0.start(element), s1.start(element), s2.start(element))
            for index in 0..<run {
                y[element + index] =
                    condition[i0 + index * s0.stride] != 0 ? a[i1 + index * s1.stride] : b[i2 + index * s2.stride]
            }
            element += run
        }
    }
}

/// IEEE 754-2019 `maximum`: NaN if either is, and +0 above -0.
@inline(__always)
private func larger(_ x: Float, _ y: Float) -> Float {
    if x > y { return x }
    if y > x { return y }
    if x == y { return x.sign == .plus ? x : y }
    return .nan
}

func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestCommonDivisor(b, a % b) }
