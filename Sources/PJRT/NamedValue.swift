import CPJRT

/// A named option given to a plugin, or a named attribute read from one.
public enum NamedValue: Sendable, Hashable {
    case string(String)
    case integer(Int)
    case integers([Int])
    case float(Float)
    case bool(Bool)

    /// The value as a number; nil for strings, lists and booleans.
    public var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .float(let value): Double(value)
        case .string, .integers, .bool: nil
        }
    }
}

extension NamedValue: CustomStringConvertible {
    public var description: String {
        switch self {
        case .string(let value): value
        case .integer(let value): "\(value)"
        case .integers(let values): "\(values)"
        case .float(let value): "\(value)"
        case .bool(let value): "\(value)"
        }
    }
}

extension NamedValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral,
    ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(arrayLiteral elements: Int...) { self = .integers(elements) }
    public init(floatLiteral value: Float) { self = .float(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension String {
    /// Copies `count` bytes of a string the plugin owns.
    init(_ bytes: UnsafePointer<CChar>?, count: Int) {
        self = String(decoding: UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : count), as: UTF8.self)
    }
}

extension [String: NamedValue] {
    /// Copies `count` values that the plugin owns.
    init(_ values: UnsafePointer<PJRT_NamedValue>?, count: Int) {
        self.init()
        guard let values, count > 0 else { return }
        // The elements lie at the plugin's own stride, which a newer plugin may have made larger than the header's.
        let stride = Swift.max(values.pointee.struct_size, MemoryLayout<PJRT_NamedValue>.stride)
        for index in 0..<count {
            let value = UnsafeRawPointer(values).advanced(by: index * stride).load(as: PJRT_NamedValue.self)
            guard let copy = NamedValue(value) else { continue }
            self[String(value.name, count: value.name_size)] = copy
        }
    }

    /// Gives `body` the values in the plugin's form, valid until it returns.
    func withPJRT<Result>(_ body: (UnsafePointer<PJRT_NamedValue>?, Int) throws -> Result) rethrows -> Result {
        let arena = Arena()
        let values = sorted { $0.key < $1.key }.map { name, value in value.pjrt(name: name, arena) }
        return try withExtendedLifetime(arena) {
            try values.withUnsafeBufferPointer { try body($0.baseAddress, $0.count) }
        }
    }
}

extension NamedValue {
    fileprivate init?(_ value: PJRT_NamedValue) {
        switch value.type {
        case PJRT_NamedValue_kString: self = .string(String(value.string_value, count: value.value_size))
        case PJRT_NamedValue_kInt64: self = .integer(Int(value.int64_value))
        case PJRT_NamedValue_kInt64List:
            self = .integers(
                UnsafeBufferPointer(start: value.int64_array_value, count: value.value_size).map { Int($0) })
        case PJRT_NamedValue_kFloat: self = .float(value.float_value)
        case PJRT_NamedValue_kBool: self = .bool(value.bool_value)
        default: return nil
        }
    }

    fileprivate func pjrt(name: String, _ arena: Arena) -> PJRT_NamedValue {
        var result = PJRT_NamedValue()
        // An array's elements have the plugin's stride, so this one struct keeps the header's size.
        result.struct_size = MemoryLayout<PJRT_NamedValue>.size
        let name = arena.copy(Array(name.utf8.map { CChar(bitPattern: $0) }))
        result.name = UnsafePointer(name.baseAddress)
        result.name_size = name.count
        result.value_size = 1
        switch self {
        case .string(let value):
            let bytes = arena.copy(Array(value.utf8.map { CChar(bitPattern: $0) }))
            result.type = PJRT_NamedValue_kString
            result.string_value = UnsafePointer(bytes.baseAddress)
            result.value_size = bytes.count
        case .integer(let value):
            result.type = PJRT_NamedValue_kInt64
            result.int64_value = Int64(value)
        case .integers(let values):
            let list = arena.copy(values.map { Int64($0) })
            result.type = PJRT_NamedValue_kInt64List
            result.int64_array_value = UnsafePointer(list.baseAddress)
            result.value_size = list.count
        case .float(let value):
            result.type = PJRT_NamedValue_kFloat
            result.float_value = value
        case .bool(let value):
            result.type = PJRT_NamedValue_kBool
            result.bool_value = value
        }
        return result
    }
}

/// Owns the memory that the pointers of one call's named values lead to.
private final class Arena {
    private var blocks: [UnsafeMutableRawPointer] = []

    func copy<Element: BitwiseCopyable>(_ elements: [Element]) -> UnsafeMutableBufferPointer<Element> {
        let block = UnsafeMutableBufferPointer<Element>.allocate(capacity: elements.count)
        _ = block.initialize(from: elements)
        if let base = block.baseAddress { blocks.append(UnsafeMutableRawPointer(base)) }
        return block
    }

    deinit {
        for block in blocks { block.deallocate() }
    }
}
