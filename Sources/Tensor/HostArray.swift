/// A dense row-major array in host memory: what goes into a device buffer and what comes out of one.
public struct HostArray: Sendable, Hashable {
    public let type: TensorType
    /// The elements, row-major and native-endian.
    public let bytes: [UInt8]

    public var dtype: DType { type.dtype }
    public var shape: Shape { type.shape }
    public var count: Int { type.shape.elementCount }

    /// - Precondition: `bytes` is exactly as long as `type` says.
    public init(type: TensorType, bytes: [UInt8]) {
        precondition(
            bytes.count == type.byteCount, "\(type) takes \(type.byteCount) bytes, and \(bytes.count) were given")
        self.type = type
        self.bytes = bytes
    }

    /// An array of `shape` holding `values` in row-major order.
    public init<Element: Scalar>(_ values: [Element], shape: Shape) {
        precondition(
            values.count == shape.elementCount,
            "shape \(shape) takes \(shape.elementCount) elements, and \(values.count) were given")
        self.init(
            type: TensorType(Element.dtype, shape),
            bytes: values.withUnsafeBytes { Array($0) })
    }

    /// A vector of `values`.
    public init<Element: Scalar>(_ values: [Element]) { self.init(values, shape: [values.count]) }

    /// A scalar.
    public init<Element: Scalar>(_ value: Element) { self.init([value], shape: []) }

    /// `value` everywhere, rounded to `dtype`.
    public init(repeating value: Double, type: TensorType) {
        self.init([Double](repeating: value, count: type.shape.elementCount), as: type.dtype, shape: type.shape)
    }

    /// `values` rounded to `dtype` (to nearest, ties to even, bf16 and f16 by way of f32; integers truncate toward zero and saturate).
    public init(_ values: [Double], as dtype: DType, shape: Shape) {
        let type = TensorType(dtype, shape)
        switch dtype {
        case .f64: self.init(values, shape: shape)
        case .f32: self.init(values.map { Float($0) }, shape: shape)
        case .bf16: self.init(type: type, bits: values.map { bfloat16Bits(Float($0)) })
        case .f16: self.init(type: type, bits: values.map { float16Bits(Float($0)) })
        case .i64: self.init(values.map { saturating($0, Int64.self) }, shape: shape)
        case .i32: self.init(values.map { saturating($0, Int32.self) }, shape: shape)
        case .i16: self.init(values.map { saturating($0, Int16.self) }, shape: shape)
        case .i8: self.init(values.map { saturating($0, Int8.self) }, shape: shape)
        case .u64: self.init(values.map { saturating($0, UInt64.self) }, shape: shape)
        case .u32: self.init(values.map { saturating($0, UInt32.self) }, shape: shape)
        case .u16: self.init(values.map { saturating($0, UInt16.self) }, shape: shape)
        case .u8: self.init(values.map { saturating($0, UInt8.self) }, shape: shape)
        case .bool: self.init(values.map { $0 != 0 }, shape: shape)
        }
    }

    private init(type: TensorType, bits: [UInt16]) {
        self.init(type: type, bytes: bits.withUnsafeBytes { Array($0) })
    }

    /// The elements as they are stored.
    ///
    /// - Precondition: `Element` is the Swift type of this array's dtype (`UInt16` also reads the bits of bf16 and f16).
    public func values<Element: Scalar>(as element: Element.Type = Element.self) -> [Element] {
        precondition(
            Element.dtype == dtype || (Element.self == UInt16.self && dtype.byteCount == 2),
            "an array of \(dtype.rawValue) cannot be read as \(Element.self)")
        return bytes.withUnsafeBytes { source in
            [Element](unsafeUninitializedCapacity: count) { target, initialized in
                UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
                initialized = count
            }
        }
    }

    /// The elements converted to `Double`, whatever the dtype; `true` is 1.
    public var doubles: [Double] {
        switch dtype {
        case .f64: values(as: Double.self)
        case .f32: values(as: Float.self).map { Double($0) }
        case .bf16, .f16: floats.map { Double($0) }
        case .i64: values(as: Int64.self).map { Double($0) }
        case .i32: values(as: Int32.self).map { Double($0) }
        case .i16: values(as: Int16.self).map { Double($0) }
        case .i8: values(as: Int8.self).map { Double($0) }
        case .u64: values(as: UInt64.self).map { Double($0) }
        case .u32: values(as: UInt32.self).map { Double($0) }
        case .u16: values(as: UInt16.self).map { Double($0) }
        case .u8: values(as: UInt8.self).map { Double($0) }
        case .bool: values(as: Bool.self).map { $0 ? 1 : 0 }
        }
    }

    /// The elements converted to `Float`, whatever the dtype.
    public var floats: [Float] {
        switch dtype {
        case .f32: values(as: Float.self)
        case .bf16:
            [Float](unsafeUninitializedCapacity: count) { floats, initialized in
                widen(into: UnsafeMutableRawBufferPointer(floats))
                initialized = count
            }
        case .f16: values(as: UInt16.self).map { floatFromFloat16Bits($0) }
        default: doubles.map { Float($0) }
        }
    }

    /// Writes bf16 as f32, of which it is the upper half.
    private func widen(into target: UnsafeMutableRawBufferPointer) {
        bytes.withUnsafeBytes { source in
            source.withMemoryRebound(to: UInt16.self) { halves in
                target.withMemoryRebound(to: UInt32.self) { words in
                    // Unlike `map` this becomes vector instructions.
                    for index in 0..<halves.count { words[index] = UInt32(truncatingIfNeeded: halves[index]) &<< 16 }
                }
            }
        }
    }

    /// The same values rounded to another dtype, to nearest and in the middle to even, as `init(_:as:shape:)` does.
    public func converted(to target: DType) -> HostArray {
        switch target {
        case dtype: self
        // A model's weights come and go by these, and doubles in between would take four times the room.
        case .f32 where dtype == .bf16:
            HostArray(
                type: TensorType(target, shape),
                bytes: [UInt8](unsafeUninitializedCapacity: 4 * count) { bytes, initialized in
                    widen(into: UnsafeMutableRawBufferPointer(bytes))
                    initialized = 4 * count
                })
        case .f32: HostArray(floats, shape: shape)
        case .bf16: HostArray(type: TensorType(target, shape), bits: floats.map { bfloat16Bits($0) })
        default: HostArray(doubles, as: target, shape: shape)
        }
    }

    /// The same elements under another shape of as many elements.
    public func reshaped(_ shape: Shape) -> HostArray { HostArray(type: TensorType(dtype, shape), bytes: bytes) }
}

private func saturating<Integer: FixedWidthInteger>(_ value: Double, _: Integer.Type) -> Integer {
    if value.isNaN { return 0 }
    return Integer(exactly: value.rounded(.towardZero)) ?? (value < 0 ? .min : .max)
}

/// The upper half of a Float, rounded to nearest even; a NaN stays a NaN.
func bfloat16Bits(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
}

/// IEEE binary16 bits of a Float, rounded to nearest even, without `Float16`, which x86 Linux lacks in older toolchains.
func float16Bits(_ value: Float) -> UInt16 {
    let sign = UInt16(truncatingIfNeeded: (value.bitPattern >> 16) & 0x8000)
    let magnitude = value.magnitude
    if magnitude.isNaN { return sign | 0x7E00 }
    if magnitude >= 65520 { return sign | 0x7C00 }
    if magnitude < 0x1p-14 {
        // Subnormals count in units of 2^-24.
        return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven))
    }
    let bits = magnitude.bitPattern
    let rounded = bits &+ 0xFFF &+ ((bits >> 13) & 1)
    return sign | UInt16(truncatingIfNeeded: (rounded >> 13) &- (112 << 10))
}

func floatFromFloat16Bits(_ bits: UInt16) -> Float {
    let sign: Float = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int((bits >> 10) & 0x1F)
    let fraction = Float(bits & 0x3FF)
    if exponent == 0 { return sign * fraction * 0x1p-24 }
    if exponent == 31 { return fraction == 0 ? sign * .infinity : .nan }
    return sign * (1 + fraction * 0x1p-10) * Float(sign: .plus, exponent: exponent - 15, significand: 1)
}
