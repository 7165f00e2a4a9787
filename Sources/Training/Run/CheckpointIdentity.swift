import Datasets

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A recipe in a checkpoint, read as a file is: keys that came after it have their defaults, and keys that are no more are errors.
struct StoredRecipe: Codable {
    private let json: JSON

    init(_ recipe: Recipe) throws { json = try JSONDecoder().decode(JSON.self, from: recipe.json()) }

    init(from decoder: any Decoder) throws { json = try JSON(from: decoder) }
    func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }

    /// - Parameter path: names the checkpoint in errors.
    /// - Throws: `RecipeError`.
    func recipe(path: String) throws -> Recipe { try Recipe(data: JSONEncoder().encode(json), path: path) }
}

/// What tells one source of a run from another, wherever its files lie.
struct SourceIdentity: Codable {
    var weight: Double
    var contents: UInt64
    /// Nil where the lengths of the files are not known, and in checkpoints of before December 2026.
    var byteCounts: UInt64?

    init(_ source: WeightedSource) {
        weight = source.weight
        contents = source.source.contents
        byteCounts = source.source.byteCounts
    }

    /// Whether two runs have the same sources, as far as is known of both.
    static func agree(_ one: [SourceIdentity], _ other: [SourceIdentity]) -> Bool {
        one.count == other.count && zip(one, other).allSatisfy { $0.agrees(with: $1) }
    }

    private func agrees(with other: SourceIdentity) -> Bool {
        let haveOneLength = byteCounts == nil || other.byteCounts == nil || byteCounts == other.byteCounts
        return weight == other.weight && contents == other.contents && haveOneLength
    }
}
