/// How clips become rows of a batch.
public enum ClipLength: Hashable, Sendable {
    /// Pieces of so many frames from places of the clip that chance decides: as many as fit, or one with padding.
    case segments(frames: Int)
    /// The whole clip, or a piece of it where it is longer than the longest bucket.
    case utterances(LengthBuckets)

    /// Frames of the longest row.
    var longest: Int {
        switch self {
        case .segments(let frames): frames
        case .utterances(let buckets): buckets.frames.last ?? 1
        }
    }

    /// Frames of a row that holds `frames`.
    func rowLength(_ frames: Int) -> Int {
        switch self {
        case .segments(let length): length
        case .utterances(let buckets): buckets.frames.first { $0 >= frames } ?? longest
        }
    }

    /// The ranges of a clip's samples that become rows.
    func pieces(of sampleCount: Int, hop: Int, random: inout CountedRandom) -> [Range<Int>] {
        let length = longest * hop
        guard sampleCount > length else { return [0..<sampleCount] }
        let count = if case .segments = self { sampleCount / length } else { 1 }
        let start = random.below(sampleCount - count * length + 1)
        return (0..<count).map { start + $0 * length..<start + ($0 + 1) * length }
    }
}

/// The few lengths, in frames, that rows are filled up to, so that few shapes are compiled.
public struct LengthBuckets: Hashable, Sendable, Codable {
    /// Rising.
    public let frames: [Int]

    /// Lengths from `shortest` to `longest` frames, each at most so many times the one before: no row is more than
    /// `1 - 1 / ratio` padding because of its bucket.
    public init(shortest: Int, longest: Int, ratio: Double = 1.4) {
        precondition(shortest > 0 && shortest <= longest && ratio > 1, "buckets from \(shortest) to \(longest) by \(ratio)")
        var lengths = [longest]
        while let next = lengths.last, next > shortest {
            lengths.append(max(shortest, min(next - 1, Int((Double(next) / ratio).rounded(.up)))))
        }
        frames = lengths.reversed()
    }
}
