internal import Tensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A Swift type in which elements are computed, and how they get in and out of an array.
protocol ReferenceElement: Scalar, Comparable {
    static func elements(of array: HostArray) -> [Self]
    static func array(_ elements: [Self], _ type: TensorType) -> HostArray
}

/// `Double` for f64, `Float` for f32, bf16 and f16.
protocol FloatingElement: ReferenceElement, BinaryFloatingPoint {
    static func exponential(_ x: Self) -> Self
    static func exponentialMinusOne(_ x: Self) -> Self
    static func logarithm(_ x: Self) -> Self
    static func logarithmOnePlus(_ x: Self) -> Self
    static func sine(_ x: Self) -> Self
    static func cosine(_ x: Self) -> Self
    static func hyperbolicTangent(_ x: Self) -> Self
    static func power(_ x: Self, _ y: Self) -> Self
    static func arcTangent(_ y: Self, _ x: Self) -> Self
    static func remainder(_ x: Self, _ y: Self) -> Self
}

/// The integer of a dtype's own width; `UInt8` also carries bool, as 0 and 1.
protocol IntegerElement: ReferenceElement, FixedWidthInteger {}

extension Double: FloatingElement {
    static func elements(of array: HostArray) -> [Double] { array.doubles }
    static func array(_ elements: [Double], _ type: TensorType) -> HostArray {
        HostArray(elements, as: type.dtype, shape: type.shape)
    }

    static func exponential(_ x: Double) -> Double { exp(x) }
    static func exponentialMinusOne(_ x: Double) -> Double { expm1(x) }
    static func logarithm(_ x: Double) -> Double { log(x) }
    static func logarithmOnePlus(_ x: Double) -> Double { log1p(x) }
    static func sine(_ x: Double) -> Double { sin(x) }
    static func cosine(_ x: Double) -> Double { cos(x) }
    static func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }
    static func power(_ x: Double, _ y: Double) -> Double { pow(x, y) }
    static func arcTangent(_ y: Double, _ x: Double) -> Double { atan2(y, x) }
    static func remainder(_ x: Double, _ y: Double) -> Double { fmod(x, y) }
}

extension Float: FloatingElement {
    static func elements(of array: HostArray) -> [Float] { array.floats }
    static func array(_ elements: [Float], _ type: TensorType) -> HostArray {
        type.dtype == .f32
            ? HostArray(elements, shape: type.shape)
            : HostArray(elements.map { Double($0) }, as: type.dtype, shape: type.shape)
    }

    static func exponential(_ x: Float) -> Float { exp(x) }
    static func exponentialMinusOne(_ x: Float) -> Float { expm1(x) }
    static func logarithm(_ x: Float) -> Float { log(x) }
    static func logarithmOnePlus(_ x: Float) -> Float { log1p(x) }
    static func sine(_ x: Float) -> Float { sin(x) }
    static func cosine(_ x: Float) -> Float { cos(x) }
    static func hyperbolicTangent(_ x: Float) -> Float { tanh(x) }
    static func power(_ x: Float, _ y: Float) -> Float { pow(x, y) }
    static func arcTangent(_ y: Float, _ x: Float) -> Float { atan2(y, x) }
    static func remainder(_ x: Float, _ y: Float) -> Float { fmod(x, y) }
}

extension IntegerElement {
    static func elements(of array: HostArray) -> [Self] { array.values() }
    static func array(_ elements: [Self], _ type: TensorType) -> HostArray { HostArray(elements, shape: type.shape) }
}

extension Int64: IntegerElement {}
extension Int32: IntegerElement {}
extension Int16: IntegerElement {}
extension Int8: IntegerElement {}
extension UInt64: IntegerElement {}
extension UInt32: IntegerElement {}
extension UInt16: IntegerElement {}
extension UInt8: IntegerElement {
    static func elements(of array: HostArray) -> [UInt8] { array.bytes }
    static func array(_ elements: [UInt8], _ type: TensorType) -> HostArray { HostArray(type: type, bytes: elements) }
}

/// The type in which a dtype's elements are computed, for opening by a generic function.
enum ElementType {
    case floating(any FloatingElement.Type)
    case integer(any IntegerElement.Type)

    /// Of either kind, for what needs order alone.
    var any: any ReferenceElement.Type {
        switch self {
        case .floating(let type): type
        case .integer(let type): type
        }
    }
}

extension DType {
    var element: ElementType {
        switch self {
        case .f64: .floating(Double.self)
        case .f32, .bf16, .f16: .floating(Float.self)
        case .i64: .integer(Int64.self)
        case .i32: .integer(Int32.self)
        case .i16: .integer(Int16.self)
        case .i8: .integer(Int8.self)
        case .u64: .integer(UInt64.self)
        case .u32: .integer(UInt32.self)
        case .u16: .integer(UInt16.self)
        case .u8, .bool: .integer(UInt8.self)
        }
    }
}

extension HostArray {
    /// The elements of a small i32 array, such as a position.
    var positions: [Int] { values(as: Int32.self).map { Int($0) } }
}
