import Audio
import Datasets
import Foundation
import Glibc
import Tensor
import TestSupport
import Testing

/// Pipelines of every kind of source, mode and damage.
private let cases: [(name: String, sources: [WeightedSource], options: Pipeline.Options)] = {
    let indexed = SyntheticSource("indexed", shardSizes: [40, 33], isRandomAccess: true) { $1 % 11 == 3 }
    let streamed = SyntheticSource("streamed", shardSizes: [30, 7, 25, 18], isRandomAccess: false, lostShard: 1) {
        $1 % 9 == 4
    }
    var filtered = SyntheticSource("filtered", shardSizes: [60, 44], isRandomAccess: false)
    filtered.hidden = { $1 < 20 + 10 * $0 || $1 % 3 == 0 }
    var augmented = Pipeline.Options.small(.segments(frames: 12))
    augmented.preparation.augmentation = Augmentation(
        speed: Interval(0.9, 1.1), gain: Interval(-6, 6), equalization: 6, band: Interval(1000, 3000))
    let balance = SpeakerBalance(seconds: ["speaker 0": 1, "speaker 1": 3, "speaker 2": 9], strength: 0.7)
    var ordered = Pipeline.Options.small()
    ordered.isShuffled = false
    return [
        ("indexed", [WeightedSource(indexed)], .small()),
        ("streamed", [WeightedSource(streamed)], .small()),
        ("streamed segments, augmented", [WeightedSource(streamed)], augmented),
        ("mixed", [WeightedSource(indexed, weight: 3), WeightedSource(streamed)], .small(.segments(frames: 12))),
        ("balanced", [WeightedSource(indexed, balance: balance)], .small(.segments(frames: 12))),
        ("in order", [WeightedSource(streamed)], ordered),
        ("another split in between", [WeightedSource(filtered)], .small()),
        ("another split in between, in order", [WeightedSource(filtered)], ordered),
    ]
}()

@Suite struct PipelineTests {
    @Test func batchesDoNotDependOnThreads() throws {
        for (name, sources, options) in cases {
            var single = options
            single.threads = 1
            let (one, many) = (try Pipeline(sources, single), try Pipeline(sources, options))
            for number in 0..<60 {
                #expect(try digest(one.nextBatch()) == digest(many.nextBatch()), "\(name), batch \(number)")
            }
            #expect(one.position == many.position)
        }
    }

    @Test func aPipelineGoesOnExactlyFromAnyPosition() throws {
        for (name, sources, options) in cases {
            let whole = try Pipeline(sources, options)
            var positions = [whole.position]
            var digests: [UInt64] = []
            for _ in 0..<80 {
                digests.append(digest(try whole.nextBatch()))
                positions.append(whole.position)
            }
            for start in [0, 1, 4, 5, 6, 17, 33, 59] {
                // As a checkpoint keeps it.
                let kept = try JSONEncoder().encode(positions[start])
                let resumed = try Pipeline(
                    sources, options, at: JSONDecoder().decode(Pipeline.Position.self, from: kept))
                for number in start..<min(start + 21, 80) {
                    #expect(
                        digest(try resumed.nextBatch()) == digests[number], "\(name) from \(start), batch \(number)")
                    #expect(resumed.position == positions[number + 1], "\(name) from \(start), after \(number)")
                }
            }
        }
    }

    @Test func anEpochHasEveryRecordOnce() throws {
        for isRandomAccess in [true, false] {
            let source = SyntheticSource(shardSizes: [40, 33, 7], isRandomAccess: isRandomAccess)
            let pipeline = try Pipeline([WeightedSource(source)], .small())
            var first: [String] = []
            var second = 0
            while second == 0 {
                for clip in try pipeline.nextBatch().clips where clip.epoch == 0 { first.append(clip.key) }
                second = pipeline.position.batches > 20 ? 1 : 0
            }
            #expect(Set(first) == source.keys)
            #expect(first.count == source.keys.count)
        }
    }

    @Test func shardsAreReadSideBySide() throws {
        let source = SyntheticSource(shardSizes: [30, 30, 30, 30], isRandomAccess: false)
        var options = Pipeline.Options.small(.utterances(LengthBuckets(shortest: 60, longest: 60)))
        options.poolBatches = 4
        let pipeline = try Pipeline([WeightedSource(source)], options)
        // A block, and a pool, of 16.
        for block in 0..<7 {
            let keys = try (0..<4).flatMap { _ in try pipeline.nextBatch().clips.map(\.key) }
            let counts = Dictionary(grouping: keys) { $0.prefix { $0 != "/" } }.mapValues(\.count)
            #expect(counts == ["0": 4, "1": 4, "2": 4, "3": 4], "block \(block)")
        }
    }

    @Test func aShardThatCannotBeFetchedAgainIsWaitedForAndNotPassedOver() throws {
        let source = SyntheticSource(shardSizes: [30, 30], isRandomAccess: false)
        var options = Pipeline.Options.small(.utterances(LengthBuckets(shortest: 60, longest: 60)))
        options.poolBatches = 2
        let pipeline = try Pipeline([WeightedSource(source)], options)
        let before = try (0..<2).flatMap { _ in try pipeline.nextBatch().clips.map(\.key) }
        // In the middle of a block. The last pool ends in the next epoch.
        let position = pipeline.position
        var busy = source
        busy.unfetchedShard = 1
        for _ in 0..<2 {
            let resumed = try Pipeline([WeightedSource(busy)], options, at: position)
            #expect(throws: SkippedRecord.self) { try resumed.nextBatch() }
            #expect(resumed.position == position)
        }
        let resumed = try Pipeline([WeightedSource(source)], options, at: position)
        let after = try (0..<14).flatMap { _ in try resumed.nextBatch().clips.map(\.key) }
        #expect(Set(before + after) == source.keys)
    }

    @Test(arguments: [true, false]) func partsOfADatasetAreDisjointAndComplete(isRandomAccess: Bool) throws {
        for parts in [2, 5] {
            let source = SyntheticSource(shardSizes: [40, 33, 7], isRandomAccess: isRandomAccess)
            var seen: [String] = []
            for part in 0..<parts {
                var options = Pipeline.Options.small()
                options.partition = Partition(index: part, of: parts)
                let pipeline = try Pipeline([WeightedSource(source)], options)
                var keys: Set<String> = []
                for _ in 0..<25 {
                    for clip in try pipeline.nextBatch().clips where clip.epoch == 0 { keys.insert(clip.key) }
                }
                seen += keys
            }
            #expect(seen.count == Set(seen).count, "\(parts) parts overlap")
            #expect(Set(seen) == source.keys, "\(parts) parts leave records out")
        }
    }

    @Test func epochsAndSeedsDifferInOrder() throws {
        let source = SyntheticSource(shardSizes: [64], isRandomAccess: true)
        func order(seed: UInt64) throws -> [[String]] {
            var options = Pipeline.Options.small(.utterances(LengthBuckets(shortest: 60, longest: 60)))
            options.seed = seed
            options.poolBatches = 16
            let pipeline = try Pipeline([WeightedSource(source)], options)
            return try (0..<2).map { _ in try (0..<16).flatMap { _ in try pipeline.nextBatch().clips.map(\.key) } }
        }
        let (one, other) = (try order(seed: 1), try order(seed: 2))
        #expect(Set(one[0]) == Set(one[1]))
        #expect(one[0] != one[1])
        #expect(one[0] != other[0])
        #expect(try order(seed: 1) == one)
    }

    @Test func sourcesAreMixedByWeight() throws {
        let sources = [
            WeightedSource(SyntheticSource("a", shardSizes: [50], isRandomAccess: true), weight: 3),
            WeightedSource(SyntheticSource("b", shardSizes: [500], isRandomAccess: true), weight: 1),
        ]
        let pipeline = try Pipeline(sources, .small())
        var counts = [0, 0]
        for _ in 0..<200 { for clip in try pipeline.nextBatch().clips { counts[clip.source] += 1 } }
        // 800 draws of probability 3/4: four standard deviations are 49.
        #expect(abs(counts[0] - 600) < 49, "\(counts)")
    }

    @Test func whatCannotBeUsedIsSkippedAndCountedByReason() throws {
        let source = SyntheticSource(shardSizes: [40, 10], isRandomAccess: false, lostShard: 1) { $1 == 3 || $1 == 4 }
        var options = Pipeline.Options.small()
        options.preparation.shortest = 0.2
        let pipeline = try Pipeline([WeightedSource(source)], options)
        var epochs = 0
        while epochs == 0 { epochs = try pipeline.nextBatch().clips.map(\.epoch).max() ?? 0 }
        let short = (0..<40).count {
            $0 != 3 && $0 != 4 && SyntheticSource.tone(shard: 0, ordinal: $0).samples.count < 1600
        }
        #expect((pipeline.skipped.counts["too short"] ?? 0) >= short)
        for reason in ["missing file", "not a sound file", "damaged shard"] {
            #expect((pipeline.skipped.counts[reason] ?? 0) >= 1, "\(reason)")
        }
        options.isStrict = true
        let strict = try Pipeline([WeightedSource(source)], options)
        #expect(throws: SkippedRecord.self) { while true { _ = try strict.nextBatch() } }
    }

    @Test func aSourceWithNothingToGiveIsAnErrorAndNoHang() throws {
        for source in [
            SyntheticSource(shardSizes: [], isRandomAccess: true),
            SyntheticSource(shardSizes: [0, 0], isRandomAccess: false),
            SyntheticSource(shardSizes: [20], isRandomAccess: true) { _, _ in true },
            SyntheticSource(shardSizes: [20, 5], isRandomAccess: false) { _, _ in true },
        ] {
            let pipeline = try Pipeline([WeightedSource(source)], .small())
            #expect(throws: PipelineError.self) { _ = try pipeline.nextBatch() }
        }
    }

    /// However often it is gone through while the others are read once.
    @Test func aSourceWithNothingUsableDoesNotEndTheOthers() throws {
        let good = SyntheticSource("good", shardSizes: [400], isRandomAccess: true)
        let bad = SyntheticSource("bad", shardSizes: [1], isRandomAccess: true) { _, _ in true }
        let sources = [WeightedSource(good), WeightedSource(bad, weight: 8)]
        let pipeline = try Pipeline(sources, .small())
        for _ in 0..<10 { #expect(try pipeline.nextBatch().clips.allSatisfy { $0.source == 0 }) }
        #expect((pipeline.skipped.counts["missing file"] ?? 0) > 10)
        // Of nothing but such sources there is an end.
        let hopeless = try Pipeline([WeightedSource(bad), WeightedSource(bad, weight: 8)], .small())
        #expect(throws: PipelineError.self) { _ = try hopeless.nextBatch() }
    }

    /// Whatever is killed, and whenever: what stands in its log is what an uninterrupted run gives, and so is what follows.
    @Test(arguments: [20, 90, 250]) func aProcessKilledBySignalNineIsFollowedByTheSameBatches(milliseconds: Int)
        async throws
    {
        let folder = try TemporaryFolder()
        let log = folder.file("log")
        await #expect(processExitsWith: .signal(SIGKILL)) { [log = log as String, milliseconds] in
            let (_, sources, options) = cases[3]
            let pipeline = try Pipeline(sources, options)
            let file = open(log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
            Thread {
                usleep(UInt32(milliseconds) * 1000)
                kill(getpid(), SIGKILL)
            }.start()
            while true {
                let hash = digest(try pipeline.nextBatch())
                let position = String(decoding: try JSONEncoder().encode(pipeline.position), as: UTF8.self)
                let line = "\(hash) \(position)\n"
                _ = line.withCString { write(file, $0, strlen($0)) }
            }
        }
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        // The last line may be cut off.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        let (_, sources, options) = cases[3]
        let whole = try Pipeline(sources, options)
        for line in lines { #expect(line.hasPrefix("\(digest(try whole.nextBatch())) ")) }
        let position = try lines.last.map { line in
            try JSONDecoder().decode(
                Pipeline.Position.self, from: Data(line.drop { $0 != "{" }.utf8))
        }
        let resumed = try Pipeline(sources, options, at: position ?? .start)
        for number in 0..<200 {
            #expect(try digest(resumed.nextBatch()) == digest(whole.nextBatch()), "batch \(number) after the kill")
        }
    }
}
