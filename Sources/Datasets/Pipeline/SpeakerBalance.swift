import Audio

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How often what each speaker of a source says is heard: a few people often say most of a dataset, and a model of their voices
/// is none of others'.
///
/// Someone who says `s` seconds of it is heard in proportion to `s` to the power `1 - strength`: with 0 for as long as they
/// speak, with 1 as long as everyone else. The source as a whole stays as long as it is, but for the limit.
public struct SpeakerBalance: Hashable, Sendable {
    /// How long each speaker speaks.
    public let seconds: [String: Double]
    public let strength: Double
    private let scale: Double

    /// What a clip's share is at most multiplied or divided by: one clip is not heard all the time because its speaker has no other.
    public static let limit = 8.0

    /// - Precondition: `strength` is in `0 ... 1`.
    public init(seconds: [String: Double], strength: Double) {
        precondition((0...1).contains(strength), "a balance of \(strength)")
        self.seconds = seconds
        self.strength = strength
        // A dictionary's order is another in every process, and with it the last digits of a sum.
        let each = seconds.sorted { $0.key < $1.key }.map(\.value)
        let all = each.reduce(0, +)
        let heard = each.reduce(0) { $0 + ($1 > 0 ? pow($1, 1 - strength) : 0) }
        scale = heard > 0 ? all / heard : 1
    }

    /// How many times as often as it would be a second of this speaker is heard. 1 for who is not known.
    func factor(of speaker: String?) -> Double {
        guard let speaker, let seconds = seconds[speaker], seconds > 0 else { return 1 }
        return min(max(scale * pow(seconds, -strength), 1 / Self.limit), Self.limit)
    }
}

extension Source {
    /// How many seconds each speaker speaks, by what the dataset says; of sounds whose length it does not say the header is read. What
    /// cannot be read is left out, as training leaves it out.
    ///
    /// - Throws: ``SkippedRecord`` for what could not be fetched.
    public func secondsOfSpeakers() throws(SkippedRecord) -> [String: Double] {
        // Whatever a dataset says, no clip is longer than a day.
        let longest = 86_400.0
        var seconds: [String: Double] = [:]
        let stream = RecordStream(self, RecordStream.Order(seed: 0, isShuffled: false))
        while let drawn = stream.next(), drawn.epoch == 0 {
            switch drawn.result {
            case .failure(let failure): if failure.kind == .notFetched { throw SkippedRecord(failure) }
            case .success(let record):
                guard let speaker = record.metadata.speaker,
                    let length = record.metadata.seconds ?? record.lengthOfSound
                else { continue }
                seconds[speaker, default: 0] += min(max(0, length), longest)
            }
        }
        return seconds
    }
}

extension Record {
    /// In seconds, by the file's header; nil where that does not say.
    fileprivate var lengthOfSound: Double? {
        guard let reader = try? open(), let frames = reader.frames else { return nil }
        return Double(frames) / Double(reader.sampleRate)
    }
}
