public import Tensor

/// How the tensors in a file differ from those that a model needs.
public struct TensorDifferences: Error, Hashable, CustomStringConvertible {
    public struct Change: Hashable, Sendable {
        public let name: String
        public let expected: TensorType
        public let found: TensorType
    }

    /// The file.
    public let source: String
    public internal(set) var missing: [String] = []
    public internal(set) var extra: [String] = []
    public internal(set) var misshapen: [Change] = []
    /// Tensors of another element type; one may be misshapen as well.
    public internal(set) var mistyped: [Change] = []
    /// Tensors that hold a NaN or an infinity.
    public internal(set) var nonFinite: [String] = []

    init(source: String) { self.source = source }

    public var isEmpty: Bool {
        missing.isEmpty && extra.isEmpty && misshapen.isEmpty && mistyped.isEmpty && nonFinite.isEmpty
    }

    public var description: String {
        var lines = ["\(source): the tensors are not those of this model."]
        lines += section("missing", missing)
        lines += section("not part of the model", extra)
        lines += section("of another shape", misshapen.map { "\($0.name): \($0.found.shape) for \($0.expected.shape)" })
        lines += section(
            "of another type",
            mistyped.map { "\($0.name): \($0.found.dtype.rawValue) for \($0.expected.dtype.rawValue)" })
        lines += section("not finite", nonFinite)
        return (lines + [remedy]).joined(separator: "\n")
    }

    private var remedy: String {
        if !nonFinite.isEmpty { return "The weights are spoilt; use an earlier checkpoint." }
        if missing.isEmpty && extra.isEmpty && misshapen.isEmpty {
            return "Convert these tensors to the types that are expected."
        }
        return "Use the configuration that the file was made with, or a file made with this one."
    }

    /// A model of another configuration differs in hundreds of tensors; the first few tell as much.
    private func section(_ title: String, _ items: [String]) -> [String] {
        if items.isEmpty { return [] }
        let shown = items.prefix(8).map { "    \($0)" }
        let rest = items.count > shown.count ? ["    … and \(items.count - shown.count) more"] : []
        return ["  \(title) (\(items.count)):"] + shown + rest
    }
}

/// Checks that `found` has the tensors `expected`, no others, and of the same types.
///
/// - Parameter source: The file they are from, for the error.
/// - Throws: `TensorDifferences`, which lists all differences.
public func verify(
    expected: [String: TensorType], found: [String: TensorType], in source: String, allowingExtra: Bool = false
) throws(TensorDifferences) {
    let differences = differences(expected: expected, found: found, source: source, allowingExtra: allowingExtra)
    if !differences.isEmpty { throw differences }
}

/// Checks as above, and where `finite` is set also that no expected tensor holds a NaN or an infinity.
public func verify(
    expected: [String: TensorType], found: [String: HostArray], in source: String, finite: Bool,
    allowingExtra: Bool = false
) throws(TensorDifferences) {
    var differences = differences(
        expected: expected, found: found.mapValues(\.type), source: source, allowingExtra: allowingExtra)
    if finite {
        differences.nonFinite = expected.keys.sorted().filter { found[$0].map { !$0.isFinite } ?? false }
    }
    if !differences.isEmpty { throw differences }
}

private func differences(
    expected: [String: TensorType], found: [String: TensorType], source: String, allowingExtra: Bool
) -> TensorDifferences {
    var differences = TensorDifferences(source: source)
    differences.missing = expected.keys.filter { found[$0] == nil }.sorted()
    if !allowingExtra { differences.extra = found.keys.filter { expected[$0] == nil }.sorted() }
    let common = expected.sorted { $0.key < $1.key }.compactMap { name, expected in
        found[name].map { TensorDifferences.Change(name: name, expected: expected, found: $0) }
    }
    differences.misshapen = common.filter { $0.expected.shape != $0.found.shape }
    differences.mistyped = common.filter { $0.expected.dtype != $0.found.dtype }
    return differences
}

extension SafetensorsFile {
    /// Reads the tensors `expected`, after checking that the file has them, of those types, and no others.
    ///
    /// - Parameters:
    ///   - finite: Whether a NaN or an infinity is an error.
    ///   - allowingExtra: Whether other tensors may be in the file; they are not read.
    ///   - others: Tensors that may be in the file in any case; they are not read.
    ///   - widening: Whether bf16 and f16 will do where f32 is expected. Each of their values is one of f32's, so what is
    ///     returned is exactly what the file holds.
    /// - Throws: `TensorDifferences`, `FileError` or `SafetensorsError`.
    public func arrays(
        matching expected: [String: TensorType], finite: Bool = true, allowingExtra: Bool = false,
        leavingOut others: Set<String> = [], widening: Bool = false
    ) throws -> [String: HostArray] {
        let found = types.filter { !others.contains($0.key) }.map { name, type in
            let isWidened = widening && expected[name]?.dtype == .f32 && [.bf16, .f16].contains(type.dtype)
            return (name, isWidened ? TensorType(.f32, type.shape) : type)
        }
        try verify(
            expected: expected, found: Dictionary(uniqueKeysWithValues: found), in: path, allowingExtra: allowingExtra)
        // Of a model that loads in a tenth of a second, all is reading and checking, so cores share it.
        let read = try inParallel(expected.sorted { $0.key < $1.key }) { name, type in
            let array = try array(named: name)
            return (name: name, array: array.converted(to: type.dtype), isSound: !finite || array.isFinite)
        }
        var differences = TensorDifferences(source: path)
        differences.nonFinite = read.filter { !$0.isSound }.map(\.name)
        if !differences.isEmpty { throw differences }
        return Dictionary(uniqueKeysWithValues: read.map { ($0.name, $0.array) })
    }
}

extension HostArray {
    /// Whether no element is a NaN or an infinity.
    ///
    /// Those are the values whose exponent bits are all set, in every floating-point format.
    var isFinite: Bool {
        switch dtype {
        case .f64: !hasElement(with: 0x7FF0_0000_0000_0000 as UInt64)
        case .f32: !hasElement(with: 0x7F80_0000 as UInt32)
        case .bf16: !hasElement(with: 0x7F80 as UInt16)
        case .f16: !hasElement(with: 0x7C00 as UInt16)
        default: true
        }
    }

    private func hasElement<Bits: FixedWidthInteger & BitwiseCopyable>(with mask: Bits) -> Bool {
        bytes.withUnsafeBytes { bytes in
            bytes.withMemoryRebound(to: Bits.self) { elements in
                // No early end and no branch, so that the loop becomes vector instructions.
                var found: Bits = 0
                for index in 0..<elements.count { found |= elements[index] & mask == mask ? 1 : 0 }
                return found != 0
            }
        }
    }
}
