/// The record framing of TensorFlow's files: length, its checksum, data, its checksum, all little-endian.
enum TFRecord {
    static func framed(_ data: [UInt8]) -> [UInt8] {
        let length = littleEndian(UInt64(data.count))
        return length + littleEndian(maskedChecksum(length)) + data + littleEndian(maskedChecksum(data))
    }

    /// TensorFlow rotates and offsets checksums, since one over data that itself holds checksums detects less.
    private static func maskedChecksum(_ data: [UInt8]) -> UInt32 {
        let checksum = crc32c(data)
        return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
    }

    /// CRC-32C (Castagnoli), reflected, as iSCSI defines it.
    static func crc32c(_ data: [UInt8]) -> UInt32 {
        ~data.reduce(UInt32.max) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
    }

    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { rest, _ in rest & 1 == 1 ? 0x82F6_3B78 ^ rest >> 1 : rest >> 1 }
    }
}
