#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// How evenly a quantizer uses its codes: counts that are added up over batches or devices.
public struct CodebookUsage: Sendable, Hashable {
    /// How often each code was chosen.
    public private(set) var counts: [Int]

    /// - Precondition: `codebookSize` is positive.
    public init(codebookSize: Int) {
        precondition(codebookSize > 0, "a codebook has at least one code")
        counts = [Int](repeating: 0, count: codebookSize)
    }

    /// Counts `codes`.
    ///
    /// - Precondition: each is in `0..<codebookSize`.
    public mutating func add(_ codes: some Sequence<some BinaryInteger>) {
        for code in codes {
            precondition(code >= 0 && code < counts.count, "code \(code) is not in a codebook of \(counts.count)")
            counts[Int(code)] += 1
        }
    }

    /// Adds the counts of another tally of the same codebook.
    ///
    /// - Precondition: both codebooks have the same size.
    public mutating func merge(_ other: CodebookUsage) {
        precondition(
            counts.count == other.counts.count,
            "codebooks of \(counts.count) and \(other.counts.count) codes cannot be merged")
        for index in counts.indices { counts[index] += other.counts[index] }
    }

    public var total: Int { counts.reduce(0, +) }

    /// The share of the codes that were chosen at least once, in 0...1.
    public var fractionUsed: Double { Double(counts.count { $0 > 0 }) / Double(counts.count) }

    /// The entropy of the codes in bits: what a perfect entropy coder would spend on each. 0 when nothing was counted.
    public var entropy: Double {
        let total = Double(total)
        return counts.reduce(0) { sum, count in
            guard count > 0 else { return sum }
            let probability = Double(count) / total
            return sum - probability * log2(probability)
        }
    }

    /// 2^entropy: how many codes would carry as much if all were equally likely.
    public var perplexity: Double { exp2(entropy) }
}
