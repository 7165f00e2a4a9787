/// The phonemes that level 1 of a model knows: entry *n* of its codebook is phoneme *n*, and entry 0 is `<blank>`.
///
/// As JSON it is the list of symbols, which is how it stands in a model's configuration.
public struct PhonemeInventory: Hashable, Sendable {
    /// IPA, `<blank>` first; affricates with their tie.
    public let symbols: [String]

    /// No phoneme: what CTC puts between and inside phonemes, and silence.
    public static let blank = 0
    public static let blankSymbol = "<blank>"

    public var count: Int { symbols.count }

    /// - Throws: `PhonemeInventoryError`.
    public init(_ symbols: [String]) throws(PhonemeInventoryError) {
        guard symbols.first == Self.blankSymbol else { throw .noBlank(first: symbols.first) }
        guard (2...65536).contains(symbols.count) else { throw .wrongCount(symbols.count) }
        var seen = Set<String>()
        for symbol in symbols {
            let isPrintable = symbol.unicodeScalars.allSatisfy { !isInvisible($0) }
            guard !symbol.isEmpty, symbol.utf8.count <= 32, isPrintable else { throw .badSymbol(symbol) }
            // Strings that differ only in how they are composed are equal in Swift.
            guard seen.insert(symbol).inserted else { throw .duplicate(symbol) }
        }
        self.symbols = symbols
    }

    /// The symbols of `indices`, side by side; no blanks are taken out.
    ///
    /// - Throws: `PhonemeInventoryError.noSuchEntry`.
    public func symbols(of indices: some Sequence<Int>) throws(PhonemeInventoryError) -> [String] {
        var result: [String] = []
        for index in indices { result.append(try symbol(index)) }
        return result
    }

    func symbol(_ index: Int) throws(PhonemeInventoryError) -> String {
        guard symbols.indices.contains(index) else { throw .noSuchEntry(index, count: count) }
        return symbols[index]
    }
}

private func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .privateUse, .unassigned: true
    default: false
    }
}

extension PhonemeInventory: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        do { self = try PhonemeInventory(container.decode([String].self)) } catch let error as PhonemeInventoryError {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(symbols)
    }
}

/// A list that is no inventory, or an entry that an inventory does not have.
public enum PhonemeInventoryError: Error, Hashable, CustomStringConvertible {
    case noBlank(first: String?)
    case wrongCount(Int)
    case badSymbol(String)
    case duplicate(String)
    case noSuchEntry(Int, count: Int)

    public var description: String {
        switch self {
        case .noBlank(let first):
            "phonemes: the first entry must be '\(PhonemeInventory.blankSymbol)', and is '\(first ?? "missing")'"
        case .wrongCount(let count): "phonemes: \(count) entries; an inventory has 2 to 65536"
        case .badSymbol(let symbol): "phonemes: '\(symbol)' is no symbol: empty, too long, or with invisible characters"
        case .duplicate(let symbol): "phonemes: '\(symbol)' stands there twice"
        case .noSuchEntry(let index, let count): "phonemes: there is no entry \(index) among \(count)"
        }
    }
}
