import Foundation
import NN
import Phonemes
import Tensor
import TestSupport
import Testing
import Tokenizer
import XLA

@testable import Datasets
@testable import Training

struct PhonemeTrainingTests {
    private static func recipe(_ change: (inout Recipe) -> Void = { _ in }) throws -> Recipe {
        let inventory = try PhonemeInventory(["<blank>", "a", "b", "k", "s", "t", "i", "u"])
        let configuration = Alpha.Configuration(
            sampleRate: 8000, width: 4, strides: [4, 5, 8], dilations: [1], latentDimension: 16,
            transformer: .init(layers: 1, heads: 2, window: 8),
            quantizer: [.phonemes(inventory, dimension: 8), .bsq(bits: 6)], phonemes: inventory)
        var recipe = Recipe(model: .configuration(configuration))
        recipe.steps = 200
        recipe.clips.areWhole = true
        recipe.quantizerWarmupSteps = 0
        recipe.quantizerDropout = 0.25
        recipe.optimizer.learningRate = 1e-2
        recipe.optimizer.warmupSteps = 10
        recipe.optimizer.averageDecay = 0
        recipe.losses.melWindows = [256]
        recipe.losses.melBands = [20]
        recipe.losses.mel = 1
        recipe.losses.stft = 0
        change(&recipe)
        return recipe
    }

    /// Two clips, each of tones that stand for phonemes, the second shorter. They begin with a tone: in silence there is nothing that a
    /// causal model could tell them apart by, and either first phoneme may come there.
    private static func batch(_ configuration: Alpha.Configuration) -> (
        audio: HostArray, lengths: HostArray, labels: HostArray
    ) {
        let words: [[Int32]] = [[1, 3, 6, 4, 2], [5, 2, 2, 7]]
        let (frames, hop) = (30, configuration.hop)
        var samples = [Float](repeating: 0, count: 2 * frames * hop)
        for (row, word) in words.enumerated() {
            let start = row * frames * hop + (row == 1 ? 6 * hop : 0)
            for (place, phoneme) in word.enumerated() {
                for sample in 0..<4 * hop {
                    let time = Float(sample) / 8000
                    samples[start + place * 5 * hop + sample] = 0.4 * sin(2 * .pi * 300 * Float(phoneme) * time)
                }
            }
        }
        return (
            HostArray(samples, shape: [2, frames * hop, 1]), HostArray([Int32(frames * hop), Int32(24 * hop)]),
            HostArray(words.flatMap { $0 + [Int32](repeating: 0, count: 38 - $0.count) }, shape: [2, 38])
        )
    }

    /// The whole way: audio and labels into the compiled step, and at the end level 1 spells what was said.
    @Test func levelOneLearnsToSpell() throws {
        let engine = try XLABackend.engine(.quick)
        let recipe = try Self.recipe()
        let model = try Alpha(recipe.model.resolved())
        let step = TrainingStep(model: model, recipe: recipe, engine: engine)
        var state = try step.initialState(on: engine)
        let (audio, lengths, labels) = Self.batch(model.configuration)
        var losses: [Double] = []
        for _ in 0..<recipe.steps {
            let result = try step.function(at: 0)([
                "state": state, "audio": .leaf(engine.upload(audio)), "lengths": .leaf(engine.upload(lengths)),
                "bandwidth": .leaf(engine.upload(HostArray([4000, 4000] as [Float]))),
                "labels": .leaf(engine.upload(labels)),
            ])
            state = result["state"]
            losses.append(try result["metrics"]["ctc"].value.hostArray().doubles[0])
            #expect(try result["metrics"]["labelled"].value.hostArray().doubles == [1])
        }
        #expect(step.traceCount == 1)
        #expect(
            losses[0] > 2 && losses[recipe.steps - 1] < 0.1, "CTC went from \(losses[0]) to \(losses[recipe.steps - 1])"
        )

        let parameters = Tree(state["parameters"].values.merging(state["statistics"].values) { $1 })
        let codec = XLACodec(model: model, parameters: parameters, on: engine, chunkFrames: 10)
        var encoder = try codec.makeEncoder()
        var tokens = try encoder.push(audio.floats[..<(30 * model.configuration.hop)])
        tokens.append(try encoder.finish())
        let inventory = try #require(model.configuration.phonemes)
        let reading = try inventory.reading(tokens.level(0).map(Int.init))
        #expect(reading == [1, 3, 6, 4, 2])
        // And level 1 alone can be decoded.
        var decoder = try codec.makeLevelOneDecoder()
        let alone = try decoder.push(tokens) + decoder.finish()
        var full = try codec.makeDecoder()
        #expect(alone.count == 30 * model.configuration.hop)
        #expect(try alone != full.push(tokens) + full.finish())
    }

    /// With transcripts and discriminators; only what lies between is rounded to eight bits.
    @Test func bfloat16PlaysTheSameGameRoughly() throws {
        let engine = try XLABackend.engine(.quick)
        func metrics(_ precision: Recipe.Precision) throws -> [String: Double] {
            let recipe = try Self.recipe { recipe in
                recipe.precision = precision
                recipe.adversarial.startStep = 0
                recipe.adversarial.warmup = .none
                recipe.adversarial.discriminators.stft = .init(windows: [64], width: 2)
                recipe.adversarial.discriminators.period = .init(periods: [3], width: 2, maximumWidth: 4)
            }
            let model = try Alpha(recipe.model.resolved())
            let step = TrainingStep(model: model, recipe: recipe, engine: engine)
            let state = try step.initialState(on: engine)
            let (audio, lengths, labels) = Self.batch(model.configuration)
            let result = try step.function(at: 0)([
                "state": state, "audio": .leaf(engine.upload(audio)), "lengths": .leaf(engine.upload(lengths)),
                "bandwidth": .leaf(engine.upload(HostArray([4000, 4000] as [Float]))),
                "labels": .leaf(engine.upload(labels)),
            ])
            let types = result["state"].leaves.map(\.type.dtype)
            #expect(types.allSatisfy { $0 != .bf16 } && types.contains(.f32), "what is learned stays in f32")
            return try result["metrics"].values.mapValues { try $0.hostArray().doubles[0] }
        }
        let (full, half) = (try metrics(.f32), try metrics(.bf16))
        #expect(full["skipped"] == 0 && half["skipped"] == 0)
        for name in ["loss", "ctc", "mel", "adversarial", "features", "discriminator/loss"] {
            let (one, other) = (try #require(full[name]), try #require(half[name]))
            #expect(one > 0 && one != other && abs(one - other) < 0.05 * one, "\(name): \(one) and \(other)")
        }
    }

    @Test func transcriptsWaitForTheirStep() throws {
        let recipe = try Self.recipe { $0.losses.ctcStartStep = 2 }
        let model = try Alpha(recipe.model.resolved())
        let (audio, lengths, labels) = Self.batch(model.configuration)
        let values = model.initialization(key: RandomKey(seed: 2))
        let pairs = model.parameters.map { ($1.tensor, values[$0]!) }
        func ctc(at step: Double) throws -> Double {
            let attempt = GeneratorObjective(model: model, recipe: recipe)(
                .constant(audio), lengths: .constant(lengths),
                bandwidth: .constant(HostArray([4000, 4000] as [Float])),
                targets: PhonemeTargets(labels: .constant(labels)), step: .scalar(step, .i32), key: RandomKey(seed: 1))
            return try evaluate([#require(attempt.values["ctc"])].replacing(pairs)[0]).doubles[0]
        }
        #expect(try ctc(at: 1) == 0)
        #expect(try ctc(at: 2) > 2)
    }

    @Test func aTeacherListensAndStaysAsItIs() throws {
        let engine = try XLABackend.engine(.quick)
        let recipe = try Self.recipe { recipe in
            recipe.losses.perceptual = 1
            recipe.losses.perceptualModel = "unused"
        }
        let model = try Alpha(recipe.model.resolved())
        let teacher = try Alpha(recipe.model.resolved())
        let step = TrainingStep(model: model, recipe: recipe, teacher: teacher, engine: engine)
        let state = try step.initialState(on: engine)
        let (audio, lengths, labels) = Self.batch(model.configuration)
        var random = TestRandom(seed: 1)
        let frozen = teacher.encoder.parameters.mapValues { random.array($0.shape, .f32, low: -0.3, high: 0.3) }
        let buffers = try engine.upload(frozen)
        let result = try step.function(at: 0)([
            "state": state, "audio": .leaf(engine.upload(audio)), "lengths": .leaf(engine.upload(lengths)),
            "bandwidth": .leaf(engine.upload(HostArray([4000, 4000] as [Float]))),
            "labels": .leaf(engine.upload(labels)), "teacher": buffers,
        ])
        #expect(try result["metrics"]["perceptual"].value.hostArray().doubles[0] > 0)
        #expect(try result["metrics"]["skipped"].value.hostArray().doubles == [0])
        #expect(try buffers.hostArrays().values == frozen)
    }

    /// Phonemes, whole utterances and discriminators in one step; what stands in padding changes nothing of it. Also where a decoder is
    /// late, by more than the second clip is long.
    @Test(arguments: [(0, 24), (2, 24), (2, 1)])
    func aGameIsPlayedOverWhatIsReal(delay: Int, frames: Int) throws {
        let engine = try XLABackend.engine(.quick)
        var configuration = try Self.recipe().model.resolved()
        configuration.decoderDelay = delay
        let recipe = try Self.recipe { recipe in
            recipe.model = .configuration(configuration)
            recipe.adversarial.discriminators.stft = .init(windows: [64], width: 2)
            recipe.adversarial.discriminators.period = .init(periods: [3], width: 2, maximumWidth: 4)
            recipe.losses.distortion = 0.1
        }
        let step = TrainingStep(model: try Alpha(recipe.model.resolved()), recipe: recipe, engine: engine)
        let (silent, _, labels) = Self.batch(try recipe.model.resolved())
        let lengths = HostArray([Int32(silent.shape[1]), Int32(frames * step.model.configuration.hop)])
        var samples = silent.floats
        let start = samples.count / 2
        var random = TestRandom(seed: 3)
        let padding = silent.shape[1] - lengths.values(as: Int32.self).map(Int.init)[1]
        samples.replaceSubrange(
            start..<start + padding, with: random.array([padding], .f32, low: -1, high: 1).floats)
        let noisy = HostArray(samples, shape: silent.shape)
        let results = try [silent, noisy].map { audio -> [String: HostArray] in
            let result = try step.function(at: 0)([
                "state": step.initialState(on: engine), "audio": .leaf(engine.upload(audio)),
                "lengths": .leaf(engine.upload(lengths)),
                "bandwidth": .leaf(engine.upload(HostArray([4000, 4000] as [Float]))),
                "labels": .leaf(engine.upload(labels)),
            ]).hostArrays()
            return Dictionary(uniqueKeysWithValues: zip(result.paths, result.leaves))
        }
        for name in ["ctc", "adversarial", "features", "distortion", "discriminator/loss"] {
            let value = try #require(results[0]["metrics.\(name)"]).doubles[0]
            #expect(value.isFinite && value != 0, "\(name)")
        }
        #expect(results[0]["metrics.skipped"]?.doubles == [0])
        #expect(step.traceCount == 1)
        #expect(results[0].keys == results[1].keys)
        for (path, expected) in results[0] where path.hasPrefix("metrics.") || path.contains("moments.first.") {
            let largest = expected.doubles.reduce(0) { max($0, abs($1)) }
            expectClose(
                try #require(results[1][path]), expected, relative: 1e-3, absolute: 1e-3 * max(largest, 1e-4), path)
        }
    }

    @Test func aBatchInPartsTakesItsLabelsAlong() throws {
        let engine = try XLABackend.engine(.quick)
        let whole = try Self.recipe { recipe in
            recipe.quantizerDropout = 0
            // The entropy of a mean is no mean of entropies.
            recipe.losses.entropy = 0
        }
        var parts = whole
        parts.accumulation = 2
        let (audio, _, _) = Self.batch(try whole.model.resolved())
        // As much of each, since every part weighs the same.
        let lengths = HostArray([Int32(audio.shape[1]), Int32(audio.shape[1])])
        let labels = HostArray([1, 3, 6, 4, 5, 2, 2, 7] as [Int32], shape: [2, 4])
        let results = try [whole, parts].map { recipe -> [String: HostArray] in
            let step = TrainingStep(model: try Alpha(recipe.model.resolved()), recipe: recipe, engine: engine)
            let result = try step.function(at: 0)([
                "state": step.initialState(on: engine), "audio": .leaf(engine.upload(audio)),
                "lengths": .leaf(engine.upload(lengths)),
                "bandwidth": .leaf(engine.upload(HostArray([3000, 3000] as [Float]))),
                "labels": .leaf(engine.upload(labels)),
            ]).hostArrays()
            return Dictionary(uniqueKeysWithValues: zip(result.paths, result.leaves))
        }
        let names = ["ctc", "mel", "waveform", "labelled", "impossible", "loss"].map { "metrics.\($0)" }
        for (path, expected) in results[0] where names.contains(path) || path.contains("moments.first.") {
            let largest = expected.doubles.reduce(0) { max($0, abs($1)) }
            expectClose(
                try #require(results[1][path]), expected, relative: 1e-3, absolute: 1e-4 * max(largest, 1e-4), path)
        }
        #expect(results[1]["metrics.labelled"]?.doubles == [1] && names.allSatisfy { results[0][$0] != nil })
    }

    @Test func temperatureGoesByOneFactorAStep() throws {
        var temperature = Recipe.BitTemperature()
        #expect(temperature.value(at: .scalar(5, .i32)) == nil)
        temperature.start = 2
        temperature.end = 32
        temperature.steps = 100
        for (step, expected) in [(0, 2.0), (25, 4), (50, 8), (100, 32), (1000, 32)] {
            let value = try evaluate(try #require(temperature.value(at: .scalar(Double(step), .i32)))).doubles[0]
            #expect(abs(value - expected) < 1e-4 * expected)
        }
    }

    @Test(arguments: [
        ("{\"model\": \"alpha-tiny-phonemes\"}", "clips.areWhole"),
        (
            "{\"model\": \"alpha-tiny-phonemes\", \"clips\": {\"areWhole\": true}, \"losses\": {\"ctc\": 0}}",
            "losses.ctc"
        ),
        ("{\"model\": \"alpha-tiny\", \"losses\": {\"perceptual\": 1}}", "losses.perceptualModel"),
        ("{\"model\": \"alpha-tiny\", \"losses\": {\"labelPriors\": 2}}", "losses.labelPriors"),
        ("{\"model\": \"alpha-tiny\", \"losses\": {\"ctcStartStep\": -1}}", "losses.ctcStartStep"),
        ("{\"model\": \"alpha-tiny\", \"losses\": {\"ctcStartStep\": 2147483648}}", "losses.ctcStartStep"),
        ("{\"model\": \"alpha-tiny\", \"quantizerDropout\": 1.5}", "quantizerDropout"),
        ("{\"model\": \"alpha-tiny\", \"bitTemperature\": {\"start\": 0}}", "bitTemperature"),
    ])
    func aRecipeThatCannotLearnPhonemesIsRefused(json: String, key: String) {
        let error = #expect(throws: RecipeError.self) { try Recipe(data: Data(json.utf8), path: "r.json") }
        #expect("\(error!)".contains(key))
    }

    @Test func phonemesThatAreReadAlikeAreRefused() throws {
        var configuration = try Alpha.Configuration.preset("alpha-tiny-phonemes")
        var symbols = try #require(configuration.phonemes).symbols
        symbols[symbols.count - 1] = "iː"
        configuration.phonemes = try PhonemeInventory(symbols)
        var recipe = try Recipe(preset: "alpha-tiny-phonemes")
        recipe.model = .configuration(configuration)
        let error = #expect(throws: RecipeError.self) { try Recipe(data: Data(recipe.json()), path: "r.json") }
        #expect("\(error!)".contains("'i' or 'iː'"))
    }

    @Test func aPresetWithPhonemesTakesWholeUtterances() throws {
        #expect(try Recipe(preset: "alpha-tiny-phonemes").clips.areWhole)
        #expect(try !Recipe(preset: "alpha-tiny").clips.areWhole)
    }

    @Test func labelsOfABatchHaveTheShapeOfItsLength() throws {
        func clip(_ text: String) -> Clip { Clip(key: text, sampleCount: 8, bandwidth: 4000, text: text) }
        let rows = [
            (clip: clip("a"), samples: [Float](repeating: 0, count: 8)), (clip("b"), [0, 0]), (clip("c"), [0]),
        ]
        let batch = Batch(rows, frames: 4, hop: 2, speakers: nil, labels: [[3, 4], [], [1, 2, 3]])
        // Four frames at 50 Hz are 0.08 s, and nobody says more than two phonemes in that time.
        let labels = batch.phonemeLabels(frameRate: 50)
        #expect(labels.shape == [3, 2])
        #expect(labels.values(as: Int32.self) == [3, 4, 0, 0, 0, 0])
        let none = Batch(rows, frames: 4, hop: 2, speakers: nil, labels: nil).phonemeLabels(frameRate: 50)
        #expect(none.values(as: Int32.self) == [0, 0, 0, 0, 0, 0])
    }
}

@Suite struct StatedPhonemesTests {
    @Test func phonemesThatADatasetStatesAreTheLabels() throws {
        // In a language that no espeak-ng speaks: there is no other way to them.
        let clips = ["t_ʃ_ɜː_tʃ s_iː", nil].map { ipa in
            Clip(key: "x", sampleCount: 1, bandwidth: 1, text: "church", language: ipa.map { _ in "xx" }, phonemes: ipa)
        }
        let inventory = PhonemeInventory.multilingual
        let labels = try PhonemeLabeler(inventory: inventory).labels(for: clips)
        #expect(labels[0] == IPAReader(inventory).read("t_ʃ_ɜː_tʃ s_iː").indices.map(Int32.init))
        #expect(labels[0].count >= 5 && labels[1].isEmpty)
    }
}

@Suite(.enabled(if: (try? Espeak()) != nil, "espeak-ng is not installed"))
struct PhonemeLabelerTests {
    @Test func aTextThatIsNoTranscriptHasNoPhonemes() throws {
        let endless = String(repeating: "a ", count: Phonemizer.longestText)
        let clips = [endless, "church"].map {
            Clip(key: "x", sampleCount: 1, bandwidth: 1, text: $0, language: "en")
        }
        #expect(try EspeakTranscriber().phonemes(of: clips).map { $0 != nil } == [false, true])
    }

    @Test func clipsHaveThePhonemesOfTheirTextAndLanguage() throws {
        func clip(_ text: String?, _ language: String?) -> Clip {
            Clip(key: "x", sampleCount: 1, bandwidth: 1, text: text, language: language)
        }
        let inventory = PhonemeInventory.multilingual
        let labels = try PhonemeLabeler(inventory: inventory).labels(for: [
            clip("church", "en"), clip("чай", "ru"), clip(nil, "en"), clip("church", nil), clip("church", "xx"),
            clip("", "en"), clip("si", "es"),
        ])
        let spelled = try labels.map { try inventory.symbols(of: $0.map(Int.init)).joined(separator: " ") }
        #expect(spelled == ["t͡ʃ ɜ t͡ʃ", "t͡ɕ ɑ j", "", "", "", "", "s i"])
    }
}
