import Audio
import Checkpoint
import Datasets
import Foundation
import TestSupport
import Testing

private struct Stopped: Error {}

@Suite struct PreparationTests {
    private let source = SyntheticSource(shardSizes: [23, 9], isRandomAccess: false) { $1 % 8 == 5 }
    private let options = DatasetPreparation.Options(
        clips: ClipPreparation(sampleRate: 16000, shortest: 0.05), shardSize: 6)

    private func files(in folder: String) throws -> [String: [UInt8]] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        return Dictionary(uniqueKeysWithValues: try names.map { ($0, try contents(of: "\(folder)/\($0)")) })
    }

    @Test func whatWasPreparedReadsAsADatasetOfTheSameClips() throws {
        let folder = try TemporaryFolder()
        let preparation = try DatasetPreparation(source, in: folder.file("out"), options)
        try preparation.run()
        #expect(preparation.isFinished && preparation.clips == 28 && preparation.skipped.total == 4)
        #expect(preparation.shards.map(\.nsamples) == [6, 6, 6, 6, 4])

        let prepared = try openSource(folder.file("out"))
        var options = Pipeline.Options.small(.utterances(LengthBuckets(shortest: 10, longest: 120)))
        options.preparation = ClipPreparation(sampleRate: 16000, shortest: 0.05)
        options.isShuffled = false
        options.poolBatches = 1
        let pipeline = try Pipeline([WeightedSource(prepared)], options)
        let clips = try (0..<7).flatMap { _ in try pipeline.nextBatch().clips }
        let usable = [23, 9].enumerated().flatMap { shard, count in
            (0..<count).filter { $0 % 8 != 5 }.map { (shard, $0) }
        }
        let byText = Dictionary(uniqueKeysWithValues: clips.map { ($0.text, $0) })
        #expect(byText.count == 28 && clips.map(\.text) != usable.map { "text \($0)/\($1)" }, "shuffled")
        for (shard, ordinal) in usable {
            let clip = try #require(byText["text \(shard)/\(ordinal)"])
            #expect(clip.speaker == "speaker \(ordinal % 3)")
            #expect(clip.sampleCount == 2 * SyntheticSource.tone(shard: shard, ordinal: ordinal).samples.count)
            // A pure tone far below the rate: the band is that of the sound.
            #expect(clip.bandwidth < 4100)
        }
    }

    @Test func aPreparationIsOfOneSplitAndOneStateOfItsSource() throws {
        let folder = try TemporaryFolder()
        let out = folder.file("out")
        var train = options
        train.split = "train"
        try DatasetPreparation(source, in: out, train).run()
        #expect(try DatasetPreparation(source, in: out, train).isFinished)
        var dev = options
        dev.split = "dev"
        #expect(throws: PreparationError.self) { try DatasetPreparation(source, in: out, dev) }
        let grown = SyntheticSource(shardSizes: [23, 9, 1], isRandomAccess: false)
        #expect(throws: PreparationError.self) { try DatasetPreparation(grown, in: out, train) }
    }

    @Test func aSourceOfWhichNothingCanBeUsedIsNoDataset() throws {
        let folder = try TemporaryFolder()
        let bad = SyntheticSource(shardSizes: [3], isRandomAccess: false) { _, _ in true }
        #expect(throws: PipelineError.self) { try DatasetPreparation(bad, in: folder.file("out"), options).run() }
        #expect(try !DatasetPreparation(bad, in: folder.file("out"), options).isFinished, "and may be mended")
    }

    @Test func everyShardHasSomethingOfAllThatThereIs() throws {
        let folder = try TemporaryFolder()
        let source = SyntheticSource(shardSizes: [60, 60], isRandomAccess: true)
        var options = options
        options.shardSize = 30
        try DatasetPreparation(source, in: folder.file("out"), options).run()
        for shard in 0..<4 {
            let prepared = try openSource(folder.file("out/shard-00000\(shard).tar"))
            let clips = try ClipSample(
                prepared, count: 30, preparation: ClipPreparation(sampleRate: 16000, shortest: 0.05)
            ).clips
            let ofFirst = clips.filter { $0.clip.text?.hasPrefix("text 0/") == true }.count
            #expect(clips.count == 30 && (7...23).contains(ofFirst), "\(ofFirst) of 30")
        }
    }

    @Test func aPreparationOfAnotherVersionIsNotGoneOnWith() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("out/prepare.json")
        func begin() throws -> DatasetPreparation {
            try DatasetPreparation(source, in: folder.file("out"), options)
        }
        func setVersionOne(isFinished: Bool) throws {
            var state = try #require(
                JSONSerialization.jsonObject(with: Data(try contents(of: path))) as? [String: Any])
            (state["version"], state["isFinished"]) = (1, isFinished)
            try write(Array(JSONSerialization.data(withJSONObject: state)), to: path)
        }
        try begin().run()
        try setVersionOne(isFinished: true)
        #expect(try begin().isFinished)
        try setVersionOne(isFinished: false)
        #expect(throws: PreparationError.otherVersion(folder: folder.file("out"))) { try begin() }
    }

    @Test(arguments: [1, 5, 6, 13, 27]) func aPreparationThatWasStoppedGoesOnToTheSameFiles(after records: Int) throws {
        let folder = try TemporaryFolder()
        let whole = try DatasetPreparation(source, in: folder.file("whole"), options)
        try whole.run()
        do {
            let stopped = try DatasetPreparation(source, in: folder.file("stopped"), options)
            #expect(throws: Stopped.self) { try stopped.run { done, _ in if done == records { throw Stopped() } } }
            #expect(throws: FileError.self, "one at a time") {
                try DatasetPreparation(source, in: folder.file("stopped"), options)
            }
        }
        let resumed = try DatasetPreparation(source, in: folder.file("stopped"), options)
        #expect(resumed.records <= records)
        try resumed.run()
        var (expected, found) = (try files(in: folder.file("whole")), try files(in: folder.file("stopped")))
        // Named after its folder.
        for key in ["index.json", "prepare.json"] { (expected[key], found[key]) = (nil, nil) }
        #expect(expected == found)
        #expect(resumed.clips == whole.clips && resumed.skipped == whole.skipped && resumed.seconds == whole.seconds)
    }

    @Test(arguments: [true, false]) func whatCannotBeFetchedNowIsWaitedFor(isRandomAccess: Bool) throws {
        let folder = try TemporaryFolder()
        let source = SyntheticSource(shardSizes: [23, 9], isRandomAccess: isRandomAccess)
        var busy = source
        busy.unfetchedShard = 1
        for _ in 0..<2 {
            let error = #expect(throws: SkippedRecord.self) {
                try DatasetPreparation(busy, in: folder.file("out"), options).run()
            }
            #expect(error?.isNotFetched == true && error?.description.contains("busy") == true)
        }
        let later = try DatasetPreparation(source, in: folder.file("out"), options)
        try later.run()
        #expect(later.isFinished && later.clips == 32 && later.skipped.total == 0)
        let pipeline = try Pipeline([WeightedSource(busy)], .small())
        #expect(throws: SkippedRecord.self) { for _ in 0..<20 { _ = try pipeline.nextBatch() } }
    }

    /// Says a text's letters, of what is in English.
    private struct Speller: ClipTranscriber {
        func phonemes(of clips: [Clip]) -> [String?] {
            clips.map { clip in
                clip.language == "en"
                    ? clip.text.map { $0.map { String($0) }.joined(separator: "_") } : nil
            }
        }
    }

    @Test func phonemesAreWrittenDownAndReadBack() throws {
        let folder = try TemporaryFolder()
        var spoken = options
        spoken.phonemes = true
        spoken.language = "en"
        let preparation = try DatasetPreparation(source, in: folder.file("out"), spoken, transcriber: Speller())
        try preparation.run()
        #expect(preparation.clips == 28 && preparation.clipsWithPhonemes == 28)
        let sample = try ClipSample(
            try openSource(folder.file("out")), count: 28,
            preparation: ClipPreparation(sampleRate: 16000, shortest: 0.05))
        #expect(sample.clips.count == 28)
        for (clip, _) in sample.clips {
            let text = try #require(clip.text)
            #expect(clip.phonemes == text.map { String($0) }.joined(separator: "_") && clip.language == "en")
        }
        // Stopped in the middle of a group, it gives the same files.
        do {
            let stopped = try DatasetPreparation(source, in: folder.file("stopped"), spoken, transcriber: Speller())
            #expect(throws: Stopped.self) { try stopped.run { done, _ in if done == 15 { throw Stopped() } } }
        }
        try DatasetPreparation(source, in: folder.file("stopped"), spoken, transcriber: Speller()).run()
        var (expected, found) = (try files(in: folder.file("out")), try files(in: folder.file("stopped")))
        for key in ["index.json", "prepare.json"] { (expected[key], found[key]) = (nil, nil) }
        #expect(expected == found)
        // Without a language nobody knows how it is spoken.
        spoken.language = nil
        let mute = try DatasetPreparation(source, in: folder.file("mute"), spoken, transcriber: Speller())
        try mute.run()
        #expect(mute.clips == 28 && mute.clipsWithPhonemes == 0)
        // So that nobody asks again.
        let known = try ClipSample(
            try openSource(folder.file("mute")), count: 28,
            preparation: ClipPreparation(sampleRate: 16000, shortest: 0.05))
        #expect(known.clips.count == 28 && known.clips.allSatisfy { $0.clip.phonemes == "" })
    }

    /// Gives a text's letters equal shares of its sound, unless there are too many.
    private struct EvenAligner: ClipAligner {
        func scores(of waveform: Waveform) -> [Float] { waveform.samples }

        func phones(of ipa: String, scores: [Float]) -> [AlignedPhone]? {
            let letters = ipa.split(separator: "_")
            guard letters.count <= 8 else { return nil }
            let share = Double(scores.count) / 16000 / Double(letters.count)
            return letters.enumerated().map { place, letter in
                AlignedPhone(String(letter), from: Double(place) * share, to: Double(place + 1) * share)
            }
        }
    }

    @Test func alignmentsAreWrittenDownWhereTheyCanBeMade() throws {
        let folder = try TemporaryFolder()
        var aligned = options
        aligned.phonemes = true
        aligned.language = "en"
        aligned.aligner = "even"
        func prepare(_ name: String) throws -> DatasetPreparation {
            try DatasetPreparation(
                source, in: folder.file(name), aligned, transcriber: Speller(), aligner: EvenAligner())
        }
        let aligning = try { () throws -> Int in
            let preparation = try prepare("out")
            try preparation.run()
            return preparation.clipsWithPhones
        }()
        let sample = try ClipSample(
            try openSource(folder.file("out")), count: 28,
            preparation: ClipPreparation(sampleRate: 16000, shortest: 0.05))
        #expect(sample.clips.count == 28)
        var found = 0
        for (clip, waveform) in sample.clips {
            let text = try #require(clip.text)
            guard text.count <= 8 else {
                #expect(clip.phones == nil, "\(text) cannot be aligned")
                continue
            }
            found += 1
            let phones = try #require(clip.phones)
            #expect(phones.map(\.ipa) == text.map { String($0) } && phones.first?.start == 0)
            #expect(abs((phones.last?.end ?? 0) - waveform.duration) < 1e-3)
        }
        #expect(found > 0 && found < 28 && aligning == found)

        // What is aligned need not be aligned again, and is not.
        var again = options
        again.phonemes = true
        again.aligner = "other"
        let second = try DatasetPreparation(
            openSource(folder.file("out")), in: folder.file("again"), again, transcriber: Speller(),
            aligner: NoAligner())
        try second.run()
        #expect(second.clipsWithPhones == found)
        // Another model's times are not mixed in.
        aligned.aligner = "another model"
        #expect(throws: PreparationError.self) { try prepare("out") }
    }

    private struct NoAligner: ClipAligner {
        func scores(of waveform: Waveform) -> [Float] { [] }
        func phones(of ipa: String, scores: [Float]) -> [AlignedPhone]? { nil }
    }

    @Test func otherOptionsOrFilesAreNotMixedIn() throws {
        let folder = try TemporaryFolder()
        _ = try DatasetPreparation(source, in: folder.file("out"), options)
        var other = options
        other.shardSize = 7
        #expect(throws: PreparationError.self) { try DatasetPreparation(source, in: folder.file("out"), other) }
        try write([1], to: folder.file("photograph"))
        #expect(throws: PreparationError.notEmpty(folder: folder.path)) {
            try DatasetPreparation(source, in: folder.path, options)
        }
    }

    @Test func aStrictPreparationEndsAtTheFirstUnusableRecord() throws {
        let folder = try TemporaryFolder()
        let preparation = try DatasetPreparation(source, in: folder.file("out"), options)
        #expect(throws: SkippedRecord.self) { try preparation.run(isStrict: true) }
    }

    @Test func anInspectionCountsWhatThereIs() throws {
        let inspection = try Inspection(of: source)
        let usable = [23, 9].enumerated().flatMap { shard, count in
            (0..<count).filter { $0 % 8 != 5 }.map { SyntheticSource.tone(shard: shard, ordinal: $0).duration }
        }
        #expect(inspection.clips == 28 && inspection.skipped.total == 4 && inspection.clipsWithText == 28)
        #expect(abs(inspection.seconds - usable.reduce(0, +)) < 1e-9)
        #expect(inspection.shortest == usable.min() && inspection.longest == usable.max())
        #expect(inspection.sampleRates == [8000: 28] && inspection.channels == [1: 28])
        #expect(inspection.lengths.values.reduce(0, +) == 28)
        #expect(Set(inspection.speakers.keys) == ["speaker 0", "speaker 1", "speaker 2"])
        let median = usable.sorted()[14]
        #expect(inspection.length(quantile: 0.5) <= median && inspection.length(quantile: 0.5) * 1.21 >= median)
        #expect(try Inspection(of: source, limit: 3).clips == 3)
    }

    @Test func aSampleIsTheSameEachTimeAndSpreadOut() throws {
        let indexed = SyntheticSource(shardSizes: [40], isRandomAccess: true) { $1 < 3 }
        let preparation = ClipPreparation(sampleRate: 8000, shortest: 0.05)
        let sample = try ClipSample(indexed, count: 4, preparation: preparation)
        #expect(sample.clips.map(\.clip.key) == ["0/3", "0/10", "0/20", "0/30"])
        #expect(sample.skipped.total == 3)
        #expect(
            try ClipSample(source, count: 3, preparation: preparation).clips.map(\.clip.key) == ["0/0", "0/1", "0/2"])
        #expect(try ClipSample(source, count: 100, preparation: preparation).clips.count == 28)
        var unreached = source
        unreached.unfetchedShard = 1
        let failure = #expect(throws: SkippedRecord.self) {
            try ClipSample(unreached, count: 100, preparation: preparation)
        }
        #expect(failure?.isNotFetched == true, "else the clips would be others")
    }
}
