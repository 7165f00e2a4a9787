/// JSON (RFC 8259) where it lies in memory: the members of one object, without a copy and without a tree.
///
/// A million-line manifest is read for a field or two a line. A general parser spends its time on dictionaries of strings that
/// nobody asks for; this one hands out slices, and what is wanted of them is decoded then.
struct JSONObject {
    struct Failure: Error, Hashable {
        let reason: String
        /// In bytes from the start.
        let offset: Int
    }

    enum Value {
        case string(Text)
        case number(UnsafeRawBufferPointer)
        case boolean(Bool)
        case null
        /// An array or an object, checked and skipped; its text as it stands.
        case container(UnsafeRawBufferPointer)
    }

    /// What stands between the quotes of a string, escapes and all.
    struct Text {
        let raw: UnsafeRawBufferPointer
        let hasEscapes: Bool
    }

    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    /// Deep nesting is refused before it exhausts the stack.
    private static let maximumDepth = 128

    /// Calls `body` with each member of the object that `bytes` are; nothing may stand around it but spaces, and before it the byte
    /// order mark with which some programs begin a file.
    static func forEachMember(
        of bytes: UnsafeRawBufferPointer, _ body: (Text, Value) throws(Failure) -> Void
    ) throws(Failure) {
        var reader = JSONObject(bytes: bytes)
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { reader.position = 3 }
        reader.skipSpace()
        guard reader.peek == UInt8(ascii: "{") else { throw reader.failure("not a JSON object") }
        try reader.members(depth: 0, body)
        reader.skipSpace()
        guard reader.position == bytes.count else { throw reader.failure("text after the object") }
    }

    private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func failure(_ reason: String) -> Failure {
        Failure(reason: position >= bytes.count ? "it ends inside the object" : reason, offset: position)
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private mutating func members(depth: Int, _ body: (Text, Value) throws(Failure) -> Void) throws(Failure) {
        position += 1
        skipSpace()
        if take(UInt8(ascii: "}")) { return }
        while true {
            let name = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw failure("a ':' is missing") }
            try body(name, try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: "}")) { return }
            guard take(UInt8(ascii: ",")) else { throw failure("a ',' or '}' is missing") }
            skipSpace()
        }
    }

    private mutating func value(depth: Int) throws(Failure) -> Value {
        guard depth < Self.maximumDepth else { throw failure("nested too deeply") }
        skipSpace()
        let start = position
        switch peek {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"):
            try members(depth: depth) { (_, _) throws(Failure) in }
            return .container(UnsafeRawBufferPointer(rebasing: bytes[start..<position]))
        case UInt8(ascii: "["):
            try elements(depth: depth)
            return .container(UnsafeRawBufferPointer(rebasing: bytes[start..<position]))
        case UInt8(ascii: "t"):
            try literal("true")
            return .boolean(true)
        case UInt8(ascii: "f"):
            try literal("false")
            return .boolean(false)
        case UInt8(ascii: "n"):
            try literal("null")
            return .null
        default: return .number(try number())
        }
    }

    private mutating func elements(depth: Int) throws(Failure) {
        position += 1
        skipSpace()
        if take(UInt8(ascii: "]")) { return }
        while true {
            _ = try value(depth: depth + 1)
            skipSpace()
            if take(UInt8(ascii: "]")) { return }
            guard take(UInt8(ascii: ",")) else { throw failure("a ',' or ']' is missing") }
        }
    }

    private mutating func literal(_ word: StaticString) throws(Failure) {
        for index in 0..<word.utf8CodeUnitCount {
            guard peek == word.utf8Start[index] else { throw failure("not a JSON value") }
            position += 1
        }
    }

    private mutating func number() throws(Failure) -> UnsafeRawBufferPointer {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            position += 1
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<position])
    }

    private mutating func digits() throws(Failure) {
        guard let first = peek, isDigit(first) else { throw failure("not a JSON value") }
        while let byte = peek, isDigit(byte) { position += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    private mutating func string() throws(Failure) -> Text {
        guard take(UInt8(ascii: "\"")) else { throw failure("a '\"' is missing") }
        let start = position
        var hasEscapes = false
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                return Text(
                    raw: UnsafeRawBufferPointer(rebasing: bytes[start..<(position - 1)]), hasEscapes: hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                position += 1
            case 0..<0x20:
                position -= 1
                throw failure("a control character in a string")
            default: break
            }
        }
        throw failure("")
    }
}

extension JSONObject.Text {
    /// Whether the string, once decoded, is `word`, which holds ASCII alone.
    func equals(_ word: String) -> Bool {
        if hasEscapes { return (try? decoded()) == word }
        guard word.utf8.count == raw.count else { return false }
        return zip(word.utf8, raw).allSatisfy { $0 == $1 }
    }

    /// - Throws: what is wrong with an escape, or with the UTF-8.
    func decoded() throws(JSONObject.Failure) -> String {
        guard hasEscapes else { return try validated(raw) }
        var units: [UInt8] = []
        units.reserveCapacity(raw.count)
        var position = 0
        while position < raw.count {
            let byte = raw[position]
            position += 1
            guard byte == UInt8(ascii: "\\") else {
                units.append(byte)
                continue
            }
            guard position < raw.count else { throw JSONObject.Failure(reason: "half an escape", offset: position) }
            let escape = raw[position]
            position += 1
            switch escape {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): units.append(escape)
            case UInt8(ascii: "b"): units.append(0x08)
            case UInt8(ascii: "f"): units.append(0x0C)
            case UInt8(ascii: "n"): units.append(0x0A)
            case UInt8(ascii: "r"): units.append(0x0D)
            case UInt8(ascii: "t"): units.append(0x09)
            case UInt8(ascii: "u"): units.append(contentsOf: try scalar(&position).utf8)
            default: throw JSONObject.Failure(reason: "an escape that JSON does not have", offset: position)
            }
        }
        return try units.withBytes { bytes throws(JSONObject.Failure) in try validated(bytes) }
    }

    /// The character of a `\u` escape, or of two that are a surrogate pair; a lone surrogate becomes U+FFFD.
    private func scalar(_ position: inout Int) throws(JSONObject.Failure) -> Character {
        let high = try hexadecimal(&position)
        guard high & 0xFC00 == 0xD800 else { return Character(Unicode.Scalar(high) ?? "\u{FFFD}") }
        var next = position
        guard next + 1 < raw.count, raw[next] == UInt8(ascii: "\\"), raw[next + 1] == UInt8(ascii: "u") else {
            return "\u{FFFD}"
        }
        next += 2
        let low = try hexadecimal(&next)
        guard low & 0xFC00 == 0xDC00 else { return "\u{FFFD}" }
        position = next
        return Character(Unicode.Scalar(0x10000 + (high & 0x3FF) << 10 + low & 0x3FF) ?? "\u{FFFD}")
    }

    private func hexadecimal(_ position: inout Int) throws(JSONObject.Failure) -> UInt32 {
        guard position + 4 <= raw.count else { throw JSONObject.Failure(reason: "half an escape", offset: position) }
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(raw[position])).hexDigitValue else {
                throw JSONObject.Failure(reason: "an escape that is not hexadecimal", offset: position)
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    private func validated(_ bytes: UnsafeRawBufferPointer) throws(JSONObject.Failure) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw JSONObject.Failure(reason: "a string that is not UTF-8", offset: 0)
        }
        return text
    }
}

extension [UInt8] {
    /// `withUnsafeBytes` does not carry the type of a thrown error through.
    func withBytes<Value, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try withUnsafeBytes { bytes in Result { () throws(Failure) in try body(bytes) } }.get()
    }
}
