import CPJRT

/// The element type of a buffer, named as StableHLO names it.
public enum ElementType: String, Sendable, Hashable, CaseIterable {
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

    /// The size of a dense array, in bytes; nil for dimensions that no array can have.
    func byteCount(of dimensions: [Int]) -> Int? {
        guard dimensions.allSatisfy({ $0 >= 0 }) else { return nil }
        if dimensions.contains(0) { return 0 }
        var size = byteCount
        for dimension in dimensions {
            let (product, overflow) = size.multipliedReportingOverflow(by: dimension)
            if overflow { return nil }
            size = product
        }
        return size
    }

    var pjrt: PJRT_Buffer_Type {
        switch self {
        case .f64: PJRT_Buffer_Type_F64
        case .f32: PJRT_Buffer_Type_F32
        case .bf16: PJRT_Buffer_Type_BF16
        case .f16: PJRT_Buffer_Type_F16
        case .i64: PJRT_Buffer_Type_S64
        case .i32: PJRT_Buffer_Type_S32
        case .i16: PJRT_Buffer_Type_S16
        case .i8: PJRT_Buffer_Type_S8
        case .u64: PJRT_Buffer_Type_U64
        case .u32: PJRT_Buffer_Type_U32
        case .u16: PJRT_Buffer_Type_U16
        case .u8: PJRT_Buffer_Type_U8
        case .bool: PJRT_Buffer_Type_PRED
        }
    }

    /// Nil for the types this layer does not carry: complex, 8-bit floating point, packed integers and tokens.
    init?(pjrt: PJRT_Buffer_Type) {
        guard let type = Self.allCases.first(where: { $0.pjrt == pjrt }) else { return nil }
        self = type
    }
}
