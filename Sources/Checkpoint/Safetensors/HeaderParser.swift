/// A parser for the JSON of a safetensors header and for nothing else.
///
/// A general JSON parser takes the last of two equal keys in silence and reads offsets as `Double`, so that two programs may
/// see different tensors in one file; and it builds a tree many times as large as a hostile header. This one takes strings,
/// whole numbers, and arrays and objects of them where the format has them, and refuses all else.
struct HeaderParser {
    struct Failure: Error {
        let offset: Int
        let reason: String
    }

    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// What the header says of one tensor, not yet checked against anything.
    struct Entry {
        var dtype: String
        var shape: [Int]
        var offsets: [Int]
    }

    /// The whole header: entries by tensor name, and the metadata.
    mutating func header() throws(Failure) -> (entries: [String: Entry], metadata: [String: String]) {
        guard bytes.first == UInt8(ascii: "{") else { throw failure("expected \"{\"") }
        var entries: [String: Entry] = [:]
        var metadata: [String: String]?
        try object { parser, key, start throws(Failure) in
            if key == "__metadata__" {
                guard metadata == nil else { throw Failure(offset: start, reason: "\"__metadata__\" appears twice") }
                metadata = try parser.stringsByKey()
            } else {
                guard entries[key] == nil else {
                    throw Failure(offset: start, reason: "\"\(key)\" appears twice, or in two Unicode forms")
                }
                entries[key] = try parser.entry()
            }
        }
        skipSpace()
        guard position == bytes.count else { throw failure("expected nothing but spaces after the header") }
        return (entries, metadata ?? [:])
    }

    private mutating func entry() throws(Failure) -> Entry {
        let opening = position
        var dtype: String?
        var shape: [Int]?
        var offsets: [Int]?
        try object { parser, key, start throws(Failure) in
            switch key {
            case "dtype" where dtype == nil: dtype = try parser.string()
            case "shape" where shape == nil: shape = try parser.integers()
            case "data_offsets" where offsets == nil: offsets = try parser.integers()
            case "dtype", "shape", "data_offsets": throw Failure(offset: start, reason: "\"\(key)\" appears twice")
            default: throw Failure(offset: start, reason: "a tensor has no \"\(key)\"")
            }
        }
        guard let dtype, let shape, let offsets else {
            throw Failure(offset: opening, reason: "a tensor needs \"dtype\", \"shape\" and \"data_offsets\"")
        }
        return Entry(dtype: dtype, shape: shape, offsets: offsets)
    }

    private mutating func stringsByKey() throws(Failure) -> [String: String] {
        var strings: [String: String] = [:]
        try object { parser, key, start throws(Failure) in
            guard strings[key] == nil else { throw Failure(offset: start, reason: "\"\(key)\" appears twice") }
            strings[key] = try parser.string()
        }
        return strings
    }

    // MARK: JSON

    /// An object; `member` reads each value, with the parser standing before it. `start` is where the key stands.
    private mutating func object(
        _ member: (inout HeaderParser, _ key: String, _ start: Int) throws(Failure) -> Void
    ) throws(Failure) {
        try expect("{")
        if take("}") { return }
        repeat {
            skipSpace()
            let start = position
            let key = try string()
            try expect(":")
            try member(&self, key, start)
        } while take(",")
        try expect("}")
    }

    private mutating func integers() throws(Failure) -> [Int] {
        try expect("[")
        if take("]") { return [] }
        var values: [Int] = []
        repeat { values.append(try integer()) } while take(",")
        try expect("]")
        return values
    }

    private mutating func integer() throws(Failure) -> Int {
        skipSpace()
        let start = position
        var value = 0
        while position < bytes.count, case let digit = bytes[position] &- UInt8(ascii: "0"), digit <= 9 {
            let (shifted, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = shifted.addingReportingOverflow(Int(digit))
            if tooLarge || overflow { throw Failure(offset: start, reason: "the number is too large") }
            value = sum
            position += 1
        }
        guard position > start, position == start + 1 || bytes[start] != UInt8(ascii: "0") else {
            throw Failure(offset: start, reason: "expected a whole number")
        }
        return value
    }

    private mutating func string() throws(Failure) -> String {
        try expect("\"")
        let start = position
        var decoded: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: decoded, as: UTF8.self) else {
                    throw Failure(offset: start, reason: "the string is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"):
                decoded.append(contentsOf: Array(String(try escaped()).utf8))
            case 0..<0x20:
                throw Failure(offset: position - 1, reason: "a control character in a string")
            default:
                decoded.append(byte)
            }
        }
        throw Failure(offset: start, reason: "the string does not end")
    }

    /// The character after a backslash; the upper half of a surrogate pair brings the lower one along.
    private mutating func escaped() throws(Failure) -> Unicode.Scalar {
        guard position < bytes.count else { throw failure("the string does not end") }
        position += 1
        switch bytes[position - 1] {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let start = position - 2
            let unit = try hexadecimal()
            if let scalar = Unicode.Scalar(unit) { return scalar }
            if unit < 0xDC00, bytes[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) {
                position += 2
                let low = try hexadecimal()
                if (0xDC00..<0xE000).contains(low),
                    let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
                {
                    return scalar
                }
            }
            throw Failure(offset: start, reason: "half of a surrogate pair")
        default:
            throw Failure(offset: position - 2, reason: "an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(Failure) -> UInt32 {
        let digits = bytes[position...].prefix(4)
        var value: UInt32 = 0
        for digit in digits {
            guard let nibble = Character(Unicode.Scalar(digit)).hexDigitValue else {
                throw failure("expected four hexadecimal digits")
            }
            value = value << 4 | UInt32(nibble)
        }
        guard digits.count == 4 else { throw failure("expected four hexadecimal digits") }
        position += 4
        return value
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(Failure) {
        guard take(character) else { throw failure("expected \"\(character)\"") }
    }

    /// Steps over `character`, and spaces before it, if it is next.
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private func failure(_ reason: String) -> Failure { Failure(offset: position, reason: reason) }
}
