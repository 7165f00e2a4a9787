/// Appends codes to a byte string as one long little-endian number: the first bit of the first code is the lowest bit of
/// the first byte.
struct BitWriter {
    private(set) var bytes: [UInt8] = []
    private var freeBits = 0

    /// Appends the lowest `count` bits of `code`.
    mutating func append(_ code: UInt64, count: Int) {
        var rest = code
        var missing = count
        while missing > 0 {
            if freeBits == 0 {
                bytes.append(0)
                freeBits = 8
            }
            let taken = min(missing, freeBits)
            let part = UInt8(truncatingIfNeeded: rest & (1 << UInt64(taken) - 1))
            bytes[bytes.count - 1] |= part << UInt8(8 - freeBits)
            rest >>= UInt64(taken)
            missing -= taken
            freeBits -= taken
        }
    }
}

/// Takes codes from the bytes of a `BitWriter`.
struct BitReader {
    private let bytes: ArraySlice<UInt8>
    private var position = 0

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    /// The next `count` bits.
    ///
    /// - Precondition: There are as many left.
    mutating func next(_ count: Int) -> UInt64 {
        var code: UInt64 = 0
        var taken = 0
        while taken < count {
            let used = position % 8
            let part = min(count - taken, 8 - used)
            let byte = bytes[bytes.startIndex + position / 8] >> UInt8(used)
            code |= (UInt64(byte) & (1 << UInt64(part) - 1)) << UInt64(taken)
            position += part
            taken += part
        }
        return code
    }

    /// Whether the bits that are left, less than a byte, are all 0.
    var endsInZeros: Bool { position % 8 == 0 || bytes[bytes.endIndex - 1] >> UInt8(position % 8) == 0 }
}
