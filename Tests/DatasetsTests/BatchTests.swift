import Audio
import Tensor
import Testing

@testable import Datasets

@Suite struct BatchTests {
    private struct CountingLabeler: ClipLabeler {
        func labels(for clips: [Clip]) throws -> [[Int32]] {
            clips.map { clip in (0..<Int32(clip.key.split(separator: "/")[1])!).map { $0 % 40 } }
        }
    }

    @Test func clipsStandAtTheEndOfRowsOfWholeFrames() throws {
        let source = SyntheticSource(shardSizes: [60], isRandomAccess: true)
        var options = Pipeline.Options.small(.utterances(LengthBuckets(shortest: 10, longest: 50)))
        options.speakers = SpeakerTable(names: ["speaker 2", "speaker 0", "speaker 2"])
        options.labeler = CountingLabeler()
        let pipeline = try Pipeline([WeightedSource(source)], options)
        for _ in 0..<15 {
            let batch = try pipeline.nextBatch()
            #expect(batch.audio.shape == [4, batch.sampleCount, 1])
            #expect(batch.sampleCount % 80 == 0)
            let audio = batch.audio.values(as: Float.self)
            let lengths = batch.lengths.values(as: Int32.self).map(Int.init)
            let sampleMask = batch.sampleMask.values(as: Bool.self)
            let frameMask = batch.frameMask.values(as: Bool.self)
            let labels = try #require(batch.labels)
            for (row, clip) in batch.clips.enumerated() {
                let ordinal = Int(clip.key.split(separator: "/")[1])!
                let wave = SyntheticSource.tone(shard: 0, ordinal: ordinal)
                // The files hold 16 bits.
                let expected = try Waveform.roundTrip(wave).samples
                let samples = Array(audio[row * batch.sampleCount..<(row + 1) * batch.sampleCount])
                let start = batch.sampleCount - lengths[row]
                #expect(lengths[row] == (expected.count + 79) / 80 * 80)
                #expect(samples[..<start].allSatisfy { $0 == 0 })
                #expect(Array(samples[start..<start + expected.count]) == expected)
                #expect(samples[(start + expected.count)...].allSatisfy { $0 == 0 })
                #expect(
                    (0..<batch.sampleCount).allSatisfy { sampleMask[row * batch.sampleCount + $0] == ($0 >= start) })
                #expect(
                    (0..<batch.frameCount).allSatisfy { frameMask[row * batch.frameCount + $0] == ($0 * 80 >= start) })
                #expect(clip.text == "text \(clip.key)")
                #expect(
                    batch.speakers.values(as: Int32.self)[row] == [0, -1, 1][ordinal % 3], "\(clip.speaker ?? "nobody")"
                )
                #expect(labels.counts.values(as: Int32.self)[row] == Int32(ordinal))
                let width = labels.values.shape[1]
                let values = labels.values.values(as: Int32.self)[row * width..<(row + 1) * width]
                #expect(values.prefix(ordinal).elementsEqual((0..<Int32(ordinal)).map { $0 % 40 }))
                #expect(values.dropFirst(ordinal).allSatisfy { $0 == -1 })
            }
        }
    }

    @Test func fewShapesAreMadeAndLittlePadding() throws {
        let source = SyntheticSource(shardSizes: [400], isRandomAccess: true)
        let buckets = LengthBuckets(shortest: 10, longest: 50)
        var options = Pipeline.Options.small(.utterances(buckets))
        options.poolBatches = 16
        let pipeline = try Pipeline([WeightedSource(source)], options)
        var shapes: Set<Int> = []
        var (real, padded) = (0, 0)
        for _ in 0..<200 {
            let batch = try pipeline.nextBatch()
            shapes.insert(batch.frameCount)
            padded += batch.batchSize * batch.sampleCount
            real += batch.clips.reduce(0) { $0 + $1.sampleCount }
        }
        #expect(shapes.isSubset(of: Set(buckets.frames)))
        #expect(shapes.count > 2, "lengths from 10 to 50 frames do not all fill one bucket")
        // Without sorting it would be about 0.6.
        #expect(Double(real) / Double(padded) > 0.75)
    }

    @Test func bucketsCoverTheirRange() {
        for (shortest, longest) in [(1, 1), (1, 2), (50, 500), (7, 1000)] {
            let frames = LengthBuckets(shortest: shortest, longest: longest).frames
            #expect(frames.first == shortest && frames.last == longest && frames == frames.sorted())
            #expect(Set(frames).count == frames.count)
            for (low, high) in zip(frames, frames.dropFirst()) { #expect(Double(high) <= Double(low) * 1.4 + 1) }
        }
    }

    @Test func aClipGivesSegmentsInProportionToItsLength() throws {
        let source = SyntheticSource(shardSizes: [50], isRandomAccess: true)
        let pipeline = try Pipeline([WeightedSource(source)], .small(.segments(frames: 20)))
        let epochs = 200
        var pieces: [String: [Int]] = [:]
        while true {
            let batch = try pipeline.nextBatch()
            for clip in batch.clips where clip.epoch < epochs {
                pieces[clip.key, default: [Int](repeating: 0, count: epochs)][clip.epoch] += 1
            }
            // Batches of a pool come in a random order: those of the last epoch are out when the next one's are old.
            if batch.clips.contains(where: { $0.epoch > epochs + 1 }) { break }
        }
        for ordinal in 0..<50 {
            let share = Double(SyntheticSource.tone(shard: 0, ordinal: ordinal).samples.count) / 1600
            let counts = try #require(pieces["0/\(ordinal)"], "clip \(ordinal) of \(share) segments")
            #expect(counts.allSatisfy { Double($0) > share - 1 && Double($0) < share + 1 }, "\(ordinal)")
            // A count is one of two numbers: its deviation is a half at most, and four of them of the mean 0.14.
            #expect(abs(Double(counts.reduce(0, +)) / Double(epochs) - share) < 0.15, "\(ordinal): \(share)")
        }
    }

    @Test func everyPartOfAClipIsInSegments() {
        let draws = 1000
        for count in [1, 7, 39, 40, 41, 79, 100] {
            var starts = [Int](repeating: 0, count: count)
            var sizes: Set<Int> = []
            var rows = 0
            for number in 0..<draws {
                var random = CountedRandom(seed: 1, UInt64(number))
                for piece in ClipLength.segments(frames: 5).pieces(of: count, hop: 8, factor: 1, random: &random) {
                    rows += 1
                    starts[piece.lowerBound] += 1
                    sizes.insert(piece.count)
                }
            }
            #expect(sizes == [min(count, 40)], "a segment is full where its clip can fill one")
            #expect(abs(Double(rows) / Double(draws) - Double(count) / 40) < 0.064, "\(count): \(rows)")
            // A clip's first and last samples are in half as many segments as others, and those in its middle in twice as many.
            let mean = Double(rows * min(count, 40)) / Double(count)
            for sample in 0..<count {
                let covering = Double(starts[max(0, sample - min(count, 40) + 1)...sample].reduce(0, +))
                #expect(covering > 0.4 * mean && covering < 2.1 * mean, "\(sample) of \(count)")
            }
        }
    }
}

extension Waveform {
    /// What a 16-bit file keeps.
    static func roundTrip(_ wave: Waveform) throws -> Waveform {
        try Waveform(
            samples: AudioReader(contents: try wave.wavFile(), name: "memory").readAll(limit: .max),
            sampleRate: wave.sampleRate)
    }
}
