/// Reads the tokens of level 1 as phonemes.
///
/// Level 1 decides each frame for itself and at once, and changes its mind for a frame more often than people speak that fast. What is read
/// is the likeliest path through all frames (Viterbi, 1967) on which each change costs something, and each frame as much as its token's
/// entry differs from that of the path: what is quite different is a phoneme in fewer frames than what is alike, which is a slip.
public struct PhonemeReader: Sendable {
    public let inventory: PhonemeInventory
    private let frameRate: Double
    private let delay: Int
    /// `[entries][entries]`: the cosine between entries.
    let likeness: [[Double]]
    let changeCost: Double

    /// What a change costs at 50 frames a second, where a frame of an entry costs one minus its cosine with the path's: so often what a
    /// frame costs by an entry that has nothing to do with it, the mean over all pairs. Twice as many frames say twice as much.
    static let differencesOfAChange = 1.6

    /// - Parameters:
    ///   - entries: the vector that each entry of the inventory stands for in the model's codebook, of any length.
    ///   - frameRate: frames per second.
    ///   - delay: how many frames after its sound a phoneme is named.
    /// - Precondition: there are as many vectors as the inventory has entries.
    public init(_ inventory: PhonemeInventory, entries: [[Double]], frameRate: Double, delay: Int = 0) {
        precondition(
            entries.count == inventory.count, "\(entries.count) vectors of an inventory of \(inventory.count)")
        let directions = entries.map { entry in
            let length = (entry.reduce(1e-12) { $0 + $1 * $1 }).squareRoot()
            return entry.map { $0 / length }
        }
        likeness = directions.map { a in directions.map { b in zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } } }
        let (count, likenesses) = (Double(entries.count), likeness.joined().reduce(0, +))
        let difference = 1 - (likenesses - count) / max(1, count * (count - 1))
        changeCost = Self.differencesOfAChange * difference * frameRate / 50
        self.inventory = inventory
        self.frameRate = frameRate
        self.delay = delay
    }

    /// The phonemes, one after another.
    ///
    /// - Parameter codes: one entry a frame.
    /// - Throws: `PhonemeInventoryError.noSuchEntry`.
    public func reading(_ codes: [Int]) throws(PhonemeInventoryError) -> [Int] {
        try inventory.reading(path(codes))
    }

    /// The phonemes in time. One that is named before there was anything to hear is none.
    ///
    /// - Parameter codes: one entry a frame.
    /// - Throws: `PhonemeInventoryError.noSuchEntry`.
    public func segments(_ codes: [Int]) throws(PhonemeInventoryError) -> [PhonemeSegment] {
        try inventory.segments(path(codes), frameRate: frameRate, delay: delay)
    }

    /// Where each entry of a frame comes from: from itself in the frame before, or from that frame's best.
    private struct Step {
        var best: Int
        var stays: [Bool]
    }

    /// The likeliest entry of each frame.
    ///
    /// - Throws: `PhonemeInventoryError.noSuchEntry`.
    func path(_ codes: [Int]) throws(PhonemeInventoryError) -> [Int] {
        for code in codes { _ = try inventory.symbol(code) }
        guard let first = codes.first else { return [] }
        var path: [Int] = []
        /// Of the frames after those of `path`, but for the first of them.
        var undecided: [Step] = []
        var scores = likeness[first]
        for code in codes.dropFirst() {
            let best = highest(scores)
            let changed = scores[best] - changeCost
            let step = Step(best: best, stays: scores.map { $0 > changed })
            // What all paths have in common need not be kept: recordings may last for hours.
            if step.stays.count(where: \.self) == 1 {
                path += traced(undecided, from: best)
                undecided = []
            } else {
                undecided.append(step)
            }
            // Relative to the best, so that sums over hours do not lose digits.
            let top = scores[best]
            for (entry, like) in likeness[code].enumerated() {
                scores[entry] = max(scores[entry], changed) - top + like
            }
        }
        return path + traced(undecided, from: highest(scores))
    }

    /// The path that ends at an entry.
    private func traced(_ steps: [Step], from end: Int) -> [Int] {
        var path = [end]
        for step in steps.reversed() {
            path.append(step.stays[path[path.count - 1]] ? path[path.count - 1] : step.best)
        }
        return path.reversed()
    }

    private func highest(_ scores: [Double]) -> Int { scores.indices.reduce(0) { scores[$1] > scores[$0] ? $1 : $0 } }
}
