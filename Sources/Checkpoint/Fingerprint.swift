public import Tensor

/// What tells one model from another: 32 bytes that token files carry, so that nobody decodes them with the wrong model.
///
/// It is the SHA-256 of a table of the tensors, one line `name dtype d0,d1,… crc32` each with the checksum as 8
/// hexadecimal digits, sorted by name, followed by an empty line and the configuration. Hashing checksums instead of the weights
/// themselves makes it as fast as reading them; it tells models apart, and does not guard against forged ones.
public struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
    public static let byteCount = 32

    public let bytes: [UInt8]

    /// - Returns: `nil` unless there are 32 bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// The fingerprint of a model of these tensors, built by `configuration`, whose text counts to the last space.
    public init(of arrays: [String: HostArray], configuration: String) {
        let sorted = arrays.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        let lines = inParallel(sorted) { name, array in
            var checksum = CRC32()
            array.bytes.withUnsafeBytes { checksum.update($0) }
            let shape = array.shape.map(String.init).joined(separator: ",")
            return "\(name) \(array.dtype.rawValue) \(shape) \(hexadecimal(checksum.value))\n"
        }
        bytes = sha256(Array("\(lines.joined())\n\(configuration)".utf8))
    }

    /// 64 hexadecimal digits.
    public var description: String { bytes.map { hexadecimal($0) }.joined() }
}

/// All digits of `value`, leading zeros too.
func hexadecimal(_ value: some FixedWidthInteger & UnsignedInteger) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: value.bitWidth / 4 - digits.count) + digits
}
