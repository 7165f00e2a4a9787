/// The part of the Protocol Buffers wire format that TensorBoard's events need, written by hand to spare a dependency.
struct ProtocolBuffer {
    private(set) var bytes: [UInt8] = []

    private enum WireType: Int { case varint = 0, fixed64 = 1, lengthDelimited = 2, fixed32 = 5 }

    mutating func integer(_ value: Int, field: Int) {
        key(field, .varint)
        varint(UInt64(bitPattern: Int64(value)))
    }

    mutating func double(_ value: Double, field: Int) {
        key(field, .fixed64)
        bytes += littleEndian(value.bitPattern)
    }

    mutating func float(_ value: Float, field: Int) {
        key(field, .fixed32)
        bytes += littleEndian(value.bitPattern)
    }

    mutating func string(_ value: String, field: Int) { data(Array(value.utf8), field: field) }

    mutating func message(_ message: ProtocolBuffer, field: Int) { data(message.bytes, field: field) }

    mutating func data(_ value: [UInt8], field: Int) {
        key(field, .lengthDelimited)
        varint(UInt64(value.count))
        bytes += value
    }

    private mutating func key(_ field: Int, _ type: WireType) { varint(UInt64(field << 3 | type.rawValue)) }

    /// Seven bits a byte, the lowest first; the top bit says that more follow.
    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
