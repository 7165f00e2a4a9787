/// How clips become rows of a batch.
public enum ClipLength: Hashable, Sendable {
    /// Pieces of so many frames from places of the clip that chance decides, in proportion to its length: every second of a
    /// dataset is as likely to be in the middle of a piece. A clip that is shorter than a piece gives one with padding, or none.
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
    ///
    /// - Parameter factor: how many times as many as by its length alone, on average; positive.
    func pieces(of sampleCount: Int, hop: Int, factor: Double, random: inout CountedRandom) -> [Range<Int>] {
        let length = longest * hop
        switch self {
        case .utterances:
            let count = factor == 1 ? 1 : Int(factor + random.unit())
            return (0..<count).map { _ in
                guard sampleCount > length else { return 0..<sampleCount }
                let start = random.below(sampleCount - length + 1)
                return start..<start + length
            }
        case .segments:
            // Middles a piece apart, or what the factor makes of that, the first of them anywhere in that distance: sampleCount /
            // length on average, and no two further from that than one. At the clip's edges pieces are moved inside, so that they are full.
            let distance = max(1, Int((Double(length) / factor).rounded()))
            return stride(from: random.below(distance), to: sampleCount, by: distance).map { middle in
                let start = max(0, min(middle - length / 2, sampleCount - length))
                return start..<min(start + length, sampleCount)
            }
        }
    }
}

/// The few lengths, in frames, that rows are filled up to, so that few shapes are compiled.
public struct LengthBuckets: Hashable, Sendable, Codable {
    /// Rising.
    public let frames: [Int]

    /// Lengths from `shortest` to `longest` frames, each at most so many times the one before: no row is more than
    /// `1 - 1 / ratio` padding because of its bucket.
    public init(shortest: Int, longest: Int, ratio: Double = 1.4) {
        precondition(
            shortest > 0 && shortest <= longest && ratio > 1, "buckets from \(shortest) to \(longest) by \(ratio)")
        var lengths = [longest]
        while let next = lengths.last, next > shortest {
            lengths.append(max(shortest, min(next - 1, Int((Double(next) / ratio).rounded(.up)))))
        }
        frames = lengths.reversed()
    }
}
