/// When each phoneme of a known transcript is said: the likeliest of all paths that CTC sums over (Viterbi, 1967).
public struct ForcedAlignment: Hashable, Sendable {
    /// The entry of each frame, blank before, between and after phonemes.
    public let frames: [Int]
    /// The sum of the scores along the path, in nats.
    public let score: Double
    /// How much less likely the path is than each frame's likeliest entry, in nats for each frame: 0 if the transcript is what would
    /// have been heard without one; 0 without frames.
    public let mismatch: Double

    /// The most frames times states (twice the phonemes) that are looked at: an hour of speech said at once takes more memory
    /// than there is.
    public static let largestLattice = 1 << 30
    /// Seconds; closures of plosives last as long.
    static let shortestPause = 0.15

    /// - Parameters:
    ///   - phonemes: entries of the inventory in the order in which they are said, none of them blank.
    ///   - scores: `[frames, entries]`, row-major: how likely each entry is in each frame, in nats. They need not be probabilities.
    /// - Throws: `AlignmentError`.
    public init(of phonemes: [Int], scores: [Float], entries: Int) throws(AlignmentError) {
        precondition(entries > 1 && scores.count % entries == 0, "\(scores.count) scores of \(entries) entries")
        precondition(phonemes.allSatisfy { 0 < $0 && $0 < entries }, "phonemes that are not of the inventory")
        let frameCount = scores.count / entries
        let needed = phonemes.count + zip(phonemes, phonemes.dropFirst()).count { $0 == $1 }
        guard needed <= frameCount else { throw .tooShort(frames: frameCount, needed: needed) }
        let states = (0...2 * phonemes.count).map { $0 % 2 == 0 ? PhonemeInventory.blank : phonemes[$0 / 2] }
        guard frameCount * states.count <= Self.largestLattice else {
            throw .tooLong(frames: frameCount, phonemes: phonemes.count)
        }
        guard frameCount > 0 else {
            (frames, score, mismatch) = ([], 0, 0)
            return
        }

        /// How many states back the best way to a state comes from.
        var steps = [UInt8](repeating: 0, count: frameCount * states.count)
        // Before the first frame a path stands in the first blank, whence it may skip to the first phoneme.
        var best = [Double](repeating: -.infinity, count: states.count)
        best[0] = 0
        for frame in 0..<frameCount {
            // From the last state down, so that what a state is reached from is still the frame before's.
            for state in states.indices.reversed() {
                var (value, step) = (best[state], 0)
                if state > 0, best[state - 1] > value { (value, step) = (best[state - 1], 1) }
                let skips = state > 1 && states[state] != PhonemeInventory.blank && states[state] != states[state - 2]
                if skips, best[state - 2] > value { (value, step) = (best[state - 2], 2) }
                best[state] = value + Double(scores[frame * entries + states[state]])
                steps[frame * states.count + state] = UInt8(step)
            }
        }
        var state = states.count - 1
        if state > 0, best[state - 1] > best[state] { state -= 1 }
        score = best[state]
        let free = (0..<frameCount).reduce(0.0) { sum, frame in
            sum + Double(scores[frame * entries..<(frame + 1) * entries].max() ?? 0)
        }
        mismatch = (free - score) / Double(frameCount)
        var path = [Int](repeating: PhonemeInventory.blank, count: frameCount)
        for frame in (0..<frameCount).reversed() {
            path[frame] = states[state]
            state -= Int(steps[frame * states.count + state])
        }
        frames = path
    }
}

extension PhonemeInventory {
    /// The phonemes of an alignment in time. A pause shorter than `shortestPause` is none: a model that was taught by transcripts
    /// falls silent between phonemes, and nobody pauses for so short; the phoneme before it lasts until the next.
    ///
    /// - Parameter delay: how many frames after its sound a phoneme is named.
    /// - Precondition: the alignment is of this inventory.
    public func segments(_ alignment: ForcedAlignment, frameRate: Double, delay: Int = 0) -> [PhonemeSegment] {
        var segments = segments(known: alignment.frames, frameRate: frameRate, delay: delay)
        for (index, next) in segments.enumerated().dropFirst()
        where next.start - segments[index - 1].end < ForcedAlignment.shortestPause {
            segments[index - 1].end = next.start
        }
        return segments
    }
}

/// Phonemes that cannot be set beside a recording.
public enum AlignmentError: Error, Hashable, CustomStringConvertible {
    case tooShort(frames: Int, needed: Int)
    case tooLong(frames: Int, phonemes: Int)

    public var description: String {
        switch self {
        case .tooShort(let frames, let needed):
            "the recording has \(frames) frames, and its text takes \(needed) at least: give the text of this recording"
        case .tooLong(let frames, let phonemes):
            "\(frames) frames and \(phonemes) phonemes are too many to align at once: cut the recording"
        }
    }
}
