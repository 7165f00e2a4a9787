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
struct SourceIdentity: Codable, Hashable {
    var weight: Double
    var contents: UInt64

    init(_ source: WeightedSource) {
        weight = source.weight
        contents = source.source.contents
    }
}
