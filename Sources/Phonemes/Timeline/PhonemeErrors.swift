/// How recognised phonemes differ from those that were said: the fewest substitutions, insertions and deletions.
///
/// Errors of several clips add up, and the rate is over all their phonemes together.
public struct PhonemeErrors: Codable, Hashable, Sendable {
    public private(set) var substitutions = 0
    public private(set) var insertions = 0
    public private(set) var deletions = 0
    /// Phonemes said.
    public private(set) var total = 0

    public init() {}

    /// All of several counts together.
    public init(_ parts: some Sequence<PhonemeErrors>) {
        for part in parts {
            substitutions += part.substitutions
            insertions += part.insertions
            deletions += part.deletions
            total += part.total
        }
    }

    /// Errors over phonemes said: 0 is perfect, and above 1 is possible; `nil` if nothing was said.
    public var rate: Double? {
        total == 0 ? nil : Double(substitutions + insertions + deletions) / Double(total)
    }

    /// Takes in a clip. Levenshtein, 1966; among alignments of equal cost the one with most substitutions counts.
    public mutating func add(reference: [Int], hypothesis: [Int]) {
        // Row by row: the cheapest way to turn the first `i` of the reference into the first `j` of the hypothesis.
        var row = (0...hypothesis.count).map { Path(insertions: $0) }
        for (i, said) in reference.enumerated() {
            var diagonal = row[0]
            row[0] = Path(deletions: i + 1)
            for (j, heard) in hypothesis.enumerated() {
                let above = row[j + 1]
                let ways = [said == heard ? diagonal : diagonal.substituting, row[j].inserting, above.deleting]
                row[j + 1] = ways.min { ($0.cost, $1.substitutions) < ($1.cost, $0.substitutions) }!
                diagonal = above
            }
        }
        let best = row[hypothesis.count]
        substitutions += best.substitutions
        insertions += best.insertions
        deletions += best.deletions
        total += reference.count
    }

    private struct Path {
        var substitutions = 0
        var insertions = 0
        var deletions = 0
        var cost: Int { substitutions + insertions + deletions }
        var substituting: Path {
            Path(substitutions: substitutions + 1, insertions: insertions, deletions: deletions)
        }
        var inserting: Path { Path(substitutions: substitutions, insertions: insertions + 1, deletions: deletions) }
        var deleting: Path { Path(substitutions: substitutions, insertions: insertions, deletions: deletions + 1) }
    }
}
