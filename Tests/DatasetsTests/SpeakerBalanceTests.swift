import Audio
import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite struct SpeakerBalanceTests {
    /// One of 48 s, one of 3 and one of a quarter of a second.
    private let seconds = ["much": 48.0, "some": 3, "little": 0.25]

    @Test func strengthZeroIsWhatThereIsAndOneEveryoneAlike() {
        let none = SpeakerBalance(seconds: seconds, strength: 0)
        let half = SpeakerBalance(seconds: ["a": 16, "b": 4, "c": 1], strength: 0.5)
        let all = SpeakerBalance(seconds: ["a": 16, "b": 4, "c": 1], strength: 1)
        for speaker in seconds.keys { #expect(none.factor(of: speaker) == 1) }
        // Square roots are 4, 2 and 1 of 7, and the whole is 21.
        for (speaker, heard) in [("a", 12.0), ("b", 6), ("c", 3)] {
            #expect(abs(half.factor(of: speaker) * half.seconds[speaker]! - heard) < 1e-12)
            #expect(abs(all.factor(of: speaker) * all.seconds[speaker]! - 7) < 1e-12)
        }
        #expect(all.factor(of: nil) == 1 && all.factor(of: "nobody") == 1)
    }

    @Test func aClipIsNotHeardAllTheTime() {
        let balance = SpeakerBalance(seconds: seconds, strength: 1)
        #expect(balance.factor(of: "little") == SpeakerBalance.limit)
        #expect(balance.factor(of: "much") > 1 / SpeakerBalance.limit)
        #expect(SpeakerBalance(seconds: ["a": 0, "b": 2], strength: 1).factor(of: "a") == 1)
    }

    /// It is another one in every process, and at every capacity.
    @Test func theOrderOfADictionaryIsOfNoAccount() {
        let balances = [0, 1 << 12, 1 << 14, 1 << 16].map { capacity in
            var seconds = [String: Double](minimumCapacity: capacity)
            for speaker in 1...1000 { seconds["\(speaker)"] = 1 / Double(speaker) }
            return SpeakerBalance(seconds: seconds, strength: 0.5)
        }
        #expect(Set(balances).count == 1)
    }

    private func source(speaker: @escaping @Sendable (Int) -> String?) -> SyntheticSource {
        var source = SyntheticSource(shardSizes: [40], isRandomAccess: true)
        source.speaker = { speaker($1) }
        return source
    }

    @Test func secondsAreReadFromSoundsWhereTheDatasetDoesNotSay() throws {
        let seconds = try source { $0 < 4 ? "few" : $0 < 38 ? "many" : nil }.secondsOfSpeakers()
        let length = { (ordinals: Range<Int>) in
            ordinals.reduce(0.0) { $0 + SyntheticSource.tone(shard: 0, ordinal: $1).duration }
        }
        #expect(Set(seconds.keys) == ["few", "many"])
        #expect(abs(try #require(seconds["few"]) - length(0..<4)) < 1e-9)
        #expect(abs(try #require(seconds["many"]) - length(4..<38)) < 1e-9)
    }

    /// A dataset may say what it likes of its clips' lengths.
    @Test func noLengthIsTooLong() throws {
        let folder = try TemporaryFolder()
        try SyntheticSource.tone(shard: 0, ordinal: 0).write(to: folder.file("a.wav"))
        let line = #"{"path": "a.wav", "seconds": 1e308, "speaker": "x"}"#
        try write(Array("\(line)\n\(line)\n".utf8), to: folder.file("manifest.jsonl"))
        let seconds = try openSource(folder.path).secondsOfSpeakers()
        #expect(seconds == ["x": 172_800])
        #expect(SpeakerBalance(seconds: seconds, strength: 0.5).factor(of: "x") == 1)
    }

    @Test func whatCannotBeFetchedIsAnError() {
        var lost = SyntheticSource(shardSizes: [4, 4], isRandomAccess: false)
        lost.unfetchedShard = 1
        #expect(throws: SkippedRecord.self) { try lost.secondsOfSpeakers() }
    }

    @Test(arguments: [
        ClipLength.segments(frames: 12), .utterances(LengthBuckets(shortest: 10, longest: 60)),
    ]) func everyoneIsHeardAlike(length: ClipLength) throws {
        let source = source { $0 < 10 ? "few" : "many" }
        let balance = SpeakerBalance(seconds: try source.secondsOfSpeakers(), strength: 1)
        let pipeline = try Pipeline([WeightedSource(source, balance: balance)], .small(length))
        var heard: [String: Int] = [:]
        var clips: [String: Set<String>] = [:]
        for _ in 0..<1500 {
            for clip in try pipeline.nextBatch().clips {
                let speaker = try #require(clip.speaker)
                heard[speaker, default: 0] += clip.sampleCount
                clips[speaker, default: []].insert(clip.key)
            }
        }
        let (few, many) = (Double(heard["few"] ?? 0), Double(heard["many"] ?? 0))
        #expect(abs(few / (few + many) - 0.5) < 0.03, "\(few) to \(many)")
        #expect(clips["few"]?.count == 10 && clips["many"]?.count == 30, "nobody's clips are left out")
    }
}
