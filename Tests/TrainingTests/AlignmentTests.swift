import Audio
import Datasets
import Foundation
import Phonemes
import Tensor
import TestSupport
import Testing
import Tokenizer
import XLA

@testable import Training

/// From the `phones` of a manifest to the loss of frames.
struct AlignmentTests {
    private static let inventory = try? PhonemeInventory(["<blank>", "a", "b", "k", "s", "t", "i", "u"])

    /// Recordings whose level tells, at every sample, the phone that their manifest has there: entry *n* is a level of *n*/10. Times
    /// fall between frames; one recording is shorter than a segment, and one has no alignment.
    private static func dataset(in folder: TemporaryFolder, rate: Int = 8000) throws -> String {
        let inventory = try #require(inventory)
        var random = TestRandom(seed: 5)
        var lines: [String] = []
        for (name, seconds, isAligned) in [("a", 2.0, true), ("b", 0.45, true), ("c", 1.3, true), ("d", 1.1, false)] {
            var phones: [(entry: Int, start: Double, end: Double)] = []
            var time = 0.0503
            while time < seconds - 0.2 {
                let end = time + 0.0431 + Double(random.array([1], .f32, low: 0, high: 0.1).doubles[0])
                phones.append((1 + (phones.count * 3 + name.utf8.count) % 7, time, end))
                // Every third is followed by silence.
                time = end + (phones.count % 3 == 0 ? 0.07 : 0)
            }
            var samples = [Float](repeating: 0, count: Int(seconds * Double(rate)))
            for index in samples.indices {
                let now = Double(index) / Double(rate)
                if let phone = phones.first(where: { $0.start <= now && now < $0.end }) {
                    samples[index] = Float(phone.entry) / 10
                }
            }
            try Waveform(samples: samples, sampleRate: rate).write(to: folder.file("\(name).wav"))
            let alignment = phones.map { "[\"\(inventory.symbols[$0.entry])\", \($0.start), \($0.end)]" }
            let field = isAligned ? ", \"phones\": [\(alignment.joined(separator: ", "))]" : ""
            for split in ["train", "dev"] {
                lines.append("{\"path\": \"\(name).wav\", \"seconds\": \(seconds), \"split\": \"\(split)\"\(field)}\n")
            }
        }
        try write(Array(lines.joined().utf8), to: folder.file("manifest.jsonl"))
        return folder.path
    }

    private static func recipe(_ change: (inout Recipe) -> Void = { _ in }) throws -> Recipe {
        let inventory = try #require(inventory)
        var configuration = SmallTraining.configuration
        configuration.strides = [4, 5, 8]
        configuration.quantizer = [.phonemes(inventory, dimension: 4), .bsq(bits: 4)]
        configuration.phonemes = inventory
        var recipe = SmallTraining.recipe
        recipe.model = .configuration(configuration)
        recipe.segmentSeconds = 0.5
        recipe.losses.ctc = 0
        recipe.losses.phonemeFrames = 1
        change(&recipe)
        return recipe
    }

    /// Segments of any place, whole clips, padding, other speeds: what a frame is labelled is what is heard at its middle.
    @Test(arguments: [
        (whole: false, speed: Interval(1, 1)), (true, Interval(1, 1)), (false, Interval(0.8, 1.25)),
    ])
    func aFramesLabelIsWhatIsHeardThere(whole: Bool, speed: Interval) throws {
        let folder = try TemporaryFolder()
        let source = try openSource(Self.dataset(in: folder), split: "train")
        let recipe = try Self.recipe { recipe in
            recipe.clips.areWhole = whole
            recipe.clips.longestSeconds = 1.5
            recipe.clips.speed = speed
        }
        let inventory = try #require(Self.inventory)
        let pipeline = try Pipeline([WeightedSource(source)], recipe.pipelineOptions())
        var (right, wrong, silent, padded) = (0, 0, 0, 0)
        for _ in 0..<12 {
            let batch = try pipeline.nextBatch()
            let frames = batch.phonemeFrames(inventory, frameRate: 50)
            #expect(frames.shape == [batch.batchSize, batch.frameCount] && batch.hop == 160)
            let (labels, audio) = (frames.values(as: Int32.self), batch.audio.floats)
            for (place, label) in labels.enumerated() {
                let (row, frame) = (place / batch.frameCount, place % batch.frameCount)
                let isPadding = frame < batch.frameCount - Int(batch.lengths.values(as: Int32.self)[row]) / 160
                if isPadding || batch.clips[row].key == "d.wav" {
                    #expect(label == -1)
                    padded += isPadding ? 1 : 0
                    continue
                }
                let heard = Int32((audio[row * batch.sampleCount + frame * 160 + 80] * 10).rounded())
                if heard == label { right += 1 } else { wrong += 1 }
                silent += label == 0 ? 1 : 0
            }
        }
        #expect(silent > 20 && padded > 0 && right > 300)
        // A resampling filter rings at edges; where none is needed, every frame agrees.
        #expect(wrong <= (speed.low == speed.high ? 0 : right / 10), "\(wrong) of \(right + wrong)")
    }

    /// No transcripts, no espeak-ng, segments of any place.
    @Test func levelOneLearnsFromAlignmentsAlone() throws {
        let (folder, data) = (try TemporaryFolder(), try TemporaryFolder())
        let path = try Self.dataset(in: data)
        let recipe = try Self.recipe { recipe in
            recipe.steps = 60
            recipe.batchSize = 4
            recipe.losses.mel = 0
            recipe.checkpoints.every = 100
            recipe.evaluation.clips = 0
        }
        let trainer = try Trainer(
            recipe: recipe, data: [WeightedSource(openSource(path, split: "train"))],
            heldOut: openSource(path, split: "dev"), folder: folder.file("run"),
            engine: XLABackend.engine(.quick))
        var metrics: [[String: Double]] = []
        try trainer.run { event in if case .step(_, let values) = event { metrics.append(values) } }
        let losses = metrics.compactMap { $0["phonemeFrames"] }
        #expect(losses.count == 60 && metrics[0]["ctc"] == nil && trainer.traceCount == 1)
        let (first, last) = (losses[..<10].reduce(0, +) / 10, losses[50...].reduce(0, +) / 10)
        #expect(last < 0.8 * first, "cross-entropy went from \(first) to \(last)")
        #expect(metrics.contains { $0["aligned"] == 1 } && metrics.contains { $0["aligned"] ?? 1 < 1 })
    }

    @Test(arguments: [
        (#"{"model": "alpha-tiny", "losses": {"phonemeFrames": 1}}"#, "losses.phonemeFrames"),
        (#"{"model": "alpha-tiny-phonemes", "losses": {"phonemeFrames": -1}}"#, "losses.phonemeFrames"),
        (#"{"model": "alpha-tiny-phonemes", "losses": {"ctc": 0}}"#, "losses.ctc"),
    ])
    func aRecipeThatCannotLearnFromAlignmentsIsRefused(json: String, key: String) throws {
        let error = #expect(throws: RecipeError.self) { try Recipe(data: Data(json.utf8), path: "r.json") }
        #expect("\(error!)".contains(key))
    }

    @Test func segmentsWillDoWithAlignmentsAlone() throws {
        let json = #"{"model": "alpha-tiny-phonemes", "losses": {"ctc": 0, "phonemeFrames": 1}}"#
        #expect(try !Recipe(data: Data(json.utf8), path: "r.json").clips.areWhole)
    }
}
