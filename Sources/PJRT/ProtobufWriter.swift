/// Writes the few kinds of protocol-buffer field that compile options are made of.
///
/// The wire format: <https://protobuf.dev/programming-guides/encoding/>.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    private enum WireType: UInt64 {
        case varint = 0
        case fixed64 = 1
        case lengthDelimited = 2
    }

    mutating func integer(_ field: UInt64, _ value: Int) {
        tag(field, .varint)
        varint(UInt64(bitPattern: Int64(value)))
    }

    mutating func bool(_ field: UInt64, _ value: Bool) { integer(field, value ? 1 : 0) }

    mutating func double(_ field: UInt64, _ value: Double) {
        tag(field, .fixed64)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
    }

    mutating func string(_ field: UInt64, _ value: String) { delimited(field, Array(value.utf8)) }

    mutating func message(_ field: UInt64, _ value: ProtobufWriter) { delimited(field, value.bytes) }

    mutating func packed(_ field: UInt64, _ values: [Int]) {
        var list = ProtobufWriter()
        for value in values { list.varint(UInt64(bitPattern: Int64(value))) }
        message(field, list)
    }

    private mutating func delimited(_ field: UInt64, _ value: [UInt8]) {
        tag(field, .lengthDelimited)
        varint(UInt64(value.count))
        bytes += value
    }

    private mutating func tag(_ field: UInt64, _ type: WireType) { varint(field << 3 | type.rawValue) }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
