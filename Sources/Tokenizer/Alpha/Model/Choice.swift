/// One of a few names in a JSON file. A wrong name is an error that lists the right ones.
public protocol Choice: RawRepresentable<String>, CaseIterable, Codable, Sendable {}

extension Choice {
    /// - Throws: `DecodingError.dataCorrupted`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let name = try container.decode(String.self)
        guard let choice = Self(rawValue: name) else {
            let known = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(name)' is none of \(known)")
        }
        self = choice
    }
}
