/// The element type of a tensor, named as StableHLO and safetensors name it.
public enum DType: String, Sendable, Hashable, CaseIterable {
    case f64, f32, bf16, f16
    case i64, i32, i16, i8
    case u64, u32, u16, u8
    case bool

    /// The size of one element in host memory, in bytes.
    public var byteCount: Int {
        switch self {
        case .f64, .i64, .u64: 8
        case .f32, .i32, .u32: 4
        case .bf16, .f16, .i16, .u16: 2
        case .i8, .u8, .bool: 1
        }
    }

    public var isFloating: Bool {
        switch self {
        case .f64, .f32, .bf16, .f16: true
        default: false
        }
    }

    public var isSigned: Bool {
        switch self {
        case .i64, .i32, .i16, .i8: true
        default: isFloating
        }
    }

    public var isInteger: Bool { !isFloating && self != .bool }
}

/// A Swift type that stores one element of a tensor.
///
/// `bf16` and `f16` have no portable Swift type; `HostArray` reads and writes them through `Float` and `Double`.
public protocol Scalar: Sendable, BitwiseCopyable {
    static var dtype: DType { get }
}

extension Double: Scalar { public static var dtype: DType { .f64 } }
extension Float: Scalar { public static var dtype: DType { .f32 } }
extension Int64: Scalar { public static var dtype: DType { .i64 } }
extension Int32: Scalar { public static var dtype: DType { .i32 } }
extension Int16: Scalar { public static var dtype: DType { .i16 } }
extension Int8: Scalar { public static var dtype: DType { .i8 } }
extension UInt64: Scalar { public static var dtype: DType { .u64 } }
extension UInt32: Scalar { public static var dtype: DType { .u32 } }
extension UInt16: Scalar { public static var dtype: DType { .u16 } }
extension UInt8: Scalar { public static var dtype: DType { .u8 } }
extension Bool: Scalar { public static var dtype: DType { .bool } }
