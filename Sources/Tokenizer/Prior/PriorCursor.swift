#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Takes the codes of a file one after another, with the chances of each, to write them, to read them, or to count what they cost.
protocol EntropyCoder {
    /// One of several: which, of which `counts` (that sum to `total`) says how likely each is.
    ///
    /// - Parameter entry: what to write; a reader has its own.
    mutating func entry(_ entry: Int, counts: [UInt32], total: UInt32) -> Int
    /// A bit that is set `chance` times in 65536.
    mutating func bit(_ isSet: Bool, chance: UInt32) -> Bool
}

/// A prior on its way through the frames of one file.
struct PriorCursor: Sendable {
    private let prior: TokenPrior
    /// The features of the frames before, the last one first: their numbers, and whether each adds or takes away.
    private var recent: [[(feature: Int, sign: Int32)]] = []
    private var hidden: [Int32]
    private var counts: [UInt32] = []

    init(_ prior: TokenPrior) {
        self.prior = prior
        hidden = prior.bias
    }

    /// Passes the codes of the next frame through `coder`, which replaces them if it reads.
    mutating func code(_ frame: inout ArraySlice<UInt64>, with coder: inout some EntropyCoder) {
        hidden = prior.bias
        let (starts, featureCount) = TokenPrior.features(of: prior.layout)
        for (lag, features) in recent.enumerated() {
            for (feature, sign) in features { add(prior.pastWeights, row: lag * featureCount + feature, sign) }
        }
        var present: [(feature: Int, sign: Int32)] = []
        for (level, start) in zip(frame.indices, starts) {
            switch prior.layout.levels[level - frame.startIndex] {
            case .vq(let size):
                let total = count(features: start..<start + size)
                let entry = coder.entry(Int(frame[level]), counts: counts, total: total)
                frame[level] = UInt64(entry)
                present.append((start + entry, 1))
                add(prior.presentWeights, row: start + entry, 1)
            case .bsq(let bits):
                var code: UInt64 = 0
                for bit in 0..<bits {
                    let isSet = coder.bit(frame[level] >> UInt64(bit) & 1 == 1, chance: chance(of: start + bit))
                    if isSet { code |= 1 << UInt64(bit) }
                    present.append((start + bit, isSet ? 1 : -1))
                    add(prior.presentWeights, row: start + bit, isSet ? 1 : -1)
                }
                frame[level] = code
            }
        }
        recent.insert(present, at: 0)
        if recent.count > prior.past { recent.removeLast() }
    }

    private mutating func add(_ weights: [Int32], row: Int, _ sign: Int32) {
        let start = row * prior.width
        for unit in 0..<prior.width { hidden[unit] += sign * weights[start + unit] }
    }

    /// What the network says of a feature, in nats times 64, rounded down.
    private func score(of feature: Int) -> Int {
        let start = feature * prior.width
        // In steps of 1/4096, which 64 bits hold whatever the weights.
        var sum = Int64(prior.headBias[feature]) * Int64(TokenPrior.unit)
        for unit in 0..<prior.width {
            sum += Int64(max(0, hidden[unit])) * Int64(prior.headWeights[start + unit])
        }
        return Int(sum >> 6)
    }

    /// Fills `counts` with how likely each of some entries is; 1 at least, so that any can be written.
    private mutating func count(features: Range<Int>) -> UInt32 {
        let scores = features.map { score(of: $0) }
        let best = scores.max() ?? 0
        counts = scores.map { Self.exponentials[min(best - $0, Self.exponentials.count - 1)] + 1 }
        return counts.reduce(0, +)
    }

    private func chance(of feature: Int) -> UInt32 {
        let reach = Self.chances.count / 2
        return Self.chances[min(max(score(of: feature), -reach), reach) + reach]
    }

    /// 65536·exp(-n/64), rounded.
    private static let exponentials = (0...768).map { UInt32((65536 * exp(-Double($0) / 64)).rounded()) }
    /// 65536 / (1 + exp(-n/64)), rounded, from n = -512 to 512, and never nearer than 32 to none or all.
    private static let chances = (-512...512).map {
        min(max(UInt32((65536 / (1 + exp(-Double($0) / 64))).rounded()), 32), 65504)
    }
}
