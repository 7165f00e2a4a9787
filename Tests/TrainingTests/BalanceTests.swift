import Audio
import Datasets
import Foundation
import TestSupport
import Testing

@testable import Training

/// What a recipe's `clips.balance` makes of a run's data.
@Suite struct BalanceTests {
    private func source(in folder: TemporaryFolder, seconds: [String: Double]) throws -> WeightedSource {
        let lines = seconds.sorted { $0.key < $1.key }.map {
            "{\"path\": \"\($0.key).wav\", \"seconds\": \($0.value), \"speaker\": \"\($0.key)\"}\n"
        }
        for name in seconds.keys {
            try Waveform(samples: [0.5, -0.5], sampleRate: 8000).write(to: folder.file("\(name).wav"))
        }
        try write(Array(lines.joined().utf8), to: folder.file("manifest.jsonl"))
        return WeightedSource(try openSource(folder.path), weight: 2)
    }

    @Test func aRunReadsWhoSpeaksOnce() throws {
        let (data, run) = (try TemporaryFolder(), try TemporaryFolder())
        var recipe = SmallTraining.recipe
        let source = try source(in: data, seconds: ["a": 30, "b": 10])
        #expect(try recipe.balanced([source], in: run.path)[0].balance == nil)
        #expect(!FileManager.default.fileExists(atPath: run.file("speakers.json")))
        recipe.clips.balance = 0.5
        let balance = SpeakerBalance(seconds: ["a": 30, "b": 10], strength: 0.5)
        let first = try recipe.balanced([source], in: run.path)
        #expect(first[0].balance == balance && first[0].weight == 2)
        // What a run has written down is not read again, unless the data or the recipe is another.
        let file = run.file("speakers.json")
        let text = String(decoding: try contents(of: file), as: UTF8.self)
        let marked = text.replacing("\"a\" : 30", with: "\"a\" : 31")
        #expect(marked != text)
        try write(Array(marked.utf8), to: file)
        #expect(try recipe.balanced([source], in: run.path)[0].balance?.seconds == ["a": 31, "b": 10])
        let more = try self.source(in: data, seconds: ["a": 30, "b": 10, "c": 5])
        #expect(try recipe.balanced([more], in: run.path)[0].balance?.seconds.count == 3)
        recipe.clips.balance = 1
        #expect(try recipe.balanced([more], in: run.path)[0].balance?.strength == 1)
        #expect(try recipe.balanced([source, more], in: run.path).map { $0.balance?.seconds.count } == [2, 3])
        try write(Array("[{}".utf8), to: file)
        #expect(try recipe.balanced([source], in: run.path)[0].balance?.seconds == balance.seconds)
    }

    @Test func sourcesThatLookAlikeKeepTheirOwnSpeakers() throws {
        let (run, one, other) = (try TemporaryFolder(), try TemporaryFolder(), try TemporaryFolder())
        var recipe = SmallTraining.recipe
        recipe.clips.balance = 0.5
        let sources = [
            try source(in: one, seconds: ["a": 30, "b": 10]), try source(in: other, seconds: ["c": 5, "d": 6]),
        ]
        try #require(sources[0].source.contents == sources[1].source.contents)
        let speakers = try recipe.balanced(sources, in: run.path).map { $0.balance?.seconds }
        #expect(speakers == [["a": 30, "b": 10], ["c": 5, "d": 6]])
        #expect(try recipe.balanced(sources, in: run.path).map { $0.balance?.seconds } == speakers)
    }

    @Test func dataWithoutSpeakersCannotBeBalanced() throws {
        let data = try TemporaryFolder()
        var recipe = SmallTraining.recipe
        recipe.clips.balance = 0.5
        let source = WeightedSource(try openSource(SmallTraining.dataset(in: data), split: "train"))
        let error = #expect(throws: TrainingError.self) { try recipe.balanced([source], in: data.path) }
        #expect("\(error!)".contains(data.path) && "\(error!)".contains("clips.balance"))
    }
}
