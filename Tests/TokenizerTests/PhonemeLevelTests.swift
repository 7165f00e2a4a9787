import Foundation
import NN
import Phonemes
import Tensor
import TestSupport
import Testing

@testable import Tokenizer

/// Level 1 as phonemes: its logits, where gradients go, and decoding from it alone.
struct PhonemeLevelTests {
    private static let inventory = try? PhonemeInventory(["<blank>", "a", "b", "k", "s", "t", "i", "u"])

    private func configuration(
        _ first: Alpha.Configuration.Level, phonemes: Bool = true, phonemeLayers: Int? = nil
    ) throws -> Alpha.Configuration {
        Alpha.Configuration(
            sampleRate: 8000, width: 2, strides: [2, 4], dilations: [1], latentDimension: 8,
            transformer: .init(layers: 1, heads: 2, window: 4), quantizer: [first, .bsq(bits: 4)],
            phonemes: phonemes ? Self.inventory : nil, phonemeLayers: phonemeLayers)
    }

    private static let levels: [Alpha.Configuration.Level] = [
        .vq(codebookSize: 8, dimension: 4, codebook: .phonemes), .vq(codebookSize: 8, dimension: 4),
        .vq(codebookSize: 8, dimension: 4, codebook: .movingAverage), .bsq(bits: 3),
    ]

    /// The gradients of `loss` at every trainable parameter, by path, on random values.
    private func gradients(
        _ model: Alpha, _ loss: (Alpha, Tensor, QuantizerTraining) -> Tensor
    ) throws -> [String: [Double]] {
        let parameters = model.parameters.filter { $0.value.kind == .trainable }.sorted { $0.key < $1.key }
        let statistics = model.parameters.filter { $0.value.kind == .statistic }.sorted { $0.key < $1.key }
        var random = TestRandom(seed: 9)
        let values = (parameters + statistics).map { random.array($0.value.shape, .f32, low: -0.5, high: 0.5) }
        let audio = Tensor.constant(random.array([2, 48, 1], .f32))
        let training = QuantizerTraining(key: RandomKey(words: .constant(RandomKey.words(seed: 1))))
        let loss = loss(model, audio, training)
        let graph = Graph(
            inputs: (parameters + statistics).map(\.value.tensor),
            outputs: gradient(of: loss, at: parameters.map(\.value.tensor)))
        let results = try TestBackends.reference.run(graph, values)
        return Dictionary(uniqueKeysWithValues: zip(parameters.map(\.key), results.map(\.doubles)))
    }

    private func reached(_ gradients: [String: [Double]]) -> Set<String> {
        Set(gradients.filter { $0.value.contains { $0 != 0 } }.keys)
    }

    private func isOf(_ path: String, _ parts: String...) -> Bool { parts.contains { path.hasPrefix($0) } }

    @Test(arguments: levels) func theChosenEntryHasTheHighestLogit(level: Alpha.Configuration.Level) throws {
        let model = try Alpha(configuration(level))
        var random = TestRandom(seed: 2)
        let parameters = model.quantizer.parameters.sorted { $0.key < $1.key }
        let values = parameters.map { random.array($0.value.shape, .f32) }
        let x = random.array([2, 9, 8], .f32)
        let input = Tensor.input(x.type, name: "x")
        let quantized = model.quantizer(input)
        let logits = try #require(quantized.logits)
        #expect(logits.shape == [2, 9, 8] && logits.dtype == .f32)
        let results = try TestBackends.reference.run(
            Graph(
                inputs: [input] + parameters.map(\.value.tensor),
                outputs: [quantized.codes, logits.argmax(axis: -1), logits]),
            [x] + values)
        let codes = results[0].values(as: Int32.self)
        let width = model.quantizer.codeWidth
        let first = (0..<18).map { frame -> Int32 in
            level.kind == .vq
                ? codes[frame * width] : (0..<3).reduce(0) { $0 | codes[frame * width + $1] << Int32($1) }
        }
        #expect(first == results[1].values(as: Int32.self))
        // Minus a scaled squared distance on a sphere.
        #expect(results[2].doubles.allSatisfy { $0 <= 1e-5 })
        #expect(Set(first).count > 2)
    }

    @Test func logitsAreScaledDistances() throws {
        let quantizer = VectorQuantizer(
            channels: 2, codebookSize: 3, dimension: 2, learning: .phonemes, namesPhonemes: true)
        let values: [String: [Double]] = [
            "project.weight": [1, 0, 0, 1], "project.bias": [0, 0], "codebook": [1, 0, 0, 2, -3, 0],
            "logScale": [log(3)],
            "usage": [0, 0, 0], "expand.weight": [1, 0, 0, 1], "expand.bias": [0, 0],
        ]
        let parameters = quantizer.parameters.sorted { $0.key < $1.key }
        let x = HostArray([0.6, 0.8] as [Float], shape: [1, 1, 2])
        let input = Tensor.input(x.type, name: "x")
        let result = try TestBackends.reference.run(
            Graph(
                inputs: [input] + parameters.map(\.value.tensor),
                outputs: [try #require(quantizer(input, training: nil).logits)]),
            [x] + parameters.map { HostArray(try #require(values[$0.key]), as: .f32, shape: $0.value.shape) })
        // Squared distances from (0.6, 0.8) to (1, 0), (0, 1) and (-1, 0), times 3.
        expectClose(
            result[0], HostArray([-2.4, -1.2, -9.6] as [Float], shape: [1, 1, 3]), relative: 1e-5, absolute: 1e-5)
    }

    /// The rule of the design: the VQ answers to the phoneme loss alone, and the bits take the rest.
    @Test(arguments: [nil, 2]) func aPhonemeLevelLearnsByThePhonemeLossAlone(phonemeLayers: Int?) throws {
        let model = try Alpha(configuration(Self.levels[0], phonemeLayers: phonemeLayers))
        let byReconstruction = reached(
            try gradients(model) { model, audio, training in
                let (estimate, quantized) = model.reconstruct(audio, training: training)
                let named = quantized.losses.sorted { $0.key < $1.key }
                return named.reduce((estimate - audio).abs().mean()) { $0 + $1.value }
            })
        let byPhonemes = reached(
            try gradients(model) { model, audio, training in
                let logits = model.reconstruct(audio, training: training).quantized.logits ?? audio
                return CTC.loss(
                    scores: logits.logSoftmax(), labels: .constant(HostArray([1, 2, 3, 4] as [Int32], shape: [2, 2]))
                ).loss.sum()
            })

        let codebook: Set = [
            "quantizer.levels.0.codebook", "quantizer.levels.0.project.weight", "quantizer.levels.0.project.bias",
            "quantizer.levels.0.logScale",
        ]
        let byAlignments = reached(
            try gradients(model) { model, audio, training in
                let logits = model.reconstruct(audio, training: training).quantized.logits ?? audio
                let targets = PhonemeTargets(
                    labels: .constant(HostArray([0, 0] as [Int32], shape: [2, 1])),
                    frames: .constant(HostArray([0, 1, 2, 3, 4, 5, -1, -1, -1, 6, 7, 0] as [Int32], shape: [2, 6])))
                let value = PhonemeLoss()(logits: logits, priors: nil, targets: targets, mask: nil)
                return value.frames?.loss ?? audio.sum()
            })
        #expect(byReconstruction.isDisjoint(with: codebook))
        #expect(byPhonemes.isSuperset(of: codebook))
        // The encoder serves both, unless level 1 has one of its own.
        let encoder = Set(model.encoder.parameters.keys.map { "encoder.\($0)" })
        let own = model.phonemeEncoder.map { Set($0.parameters.keys.map { "phonemeEncoder.\($0)" }) }
        #expect(byReconstruction.isSuperset(of: encoder))
        // The phoneme loss reaches nothing else; the reconstruction everything else: level 2, what the decoder makes of a
        // phoneme, and the decoder.
        #expect(byPhonemes == codebook.union(own ?? encoder) && byAlignments == byPhonemes)
        let rest = Set(model.parameters.filter { $0.value.kind == .trainable }.keys).subtracting(codebook)
        #expect(byReconstruction == rest.subtracting(own ?? []))
    }

    /// Level 1 names what a model of that encoder alone would name, and level 2 codes what level 1 leaves of the other encoder's frames.
    @Test func anEncoderOfItsOwnIsHeardByLevelOneAlone() throws {
        let model = try Alpha(configuration(Self.levels[0], phonemeLayers: 1))
        let plain = try Alpha(configuration(Self.levels[0]))
        var random = TestRandom(seed: 12)
        let audio = random.array([2, 96, 1], .f32)
        let input = Tensor.input(audio.type, name: "audio")
        func result(_ model: Alpha) -> Quantized { model.reconstruct(input, training: nil).quantized }
        let (own, theirs) = (result(model), result(plain))
        let values = model.parameters.mapValues { random.array($0.shape, .f32) }
        func run(_ model: Alpha, _ outputs: [Tensor], _ value: (String) -> HostArray?) throws -> [HostArray] {
            let parameters = model.parameters.filter { !$0.key.hasPrefix("decoder.") }.sorted { $0.key < $1.key }
            return try TestBackends.reference.run(
                Graph(inputs: [input] + parameters.map(\.value.tensor), outputs: outputs),
                [audio] + parameters.map { try #require(value($0.key)) })
        }
        var past = Past.offline()
        let rest = model.encoder(input, &past) - model.quantizer.embedding(own.codes, levelCount: 1)
        let bits = model.quantizer.levels[1](rest, training: nil).coordinates
        let found = try run(model, [try #require(own.logits), own.coordinates.slice(2, 1, 5), bits]) { values[$0] }
        let expected = try run(plain, [try #require(theirs.logits)]) { path in
            values[path.hasPrefix("encoder.") ? "phonemeEncoder.\(path.dropFirst("encoder.".count))" : path]
        }
        expectClose(found[0], expected[0], relative: 1e-5, absolute: 1e-5)
        expectClose(found[1], found[2], relative: 1e-5, absolute: 1e-5)
    }

    @Test func anOrdinaryVQWithPhonemesLearnsByBoth() throws {
        let model = try Alpha(configuration(Self.levels[1]))
        let reached = reached(
            try gradients(model) { model, audio, training in
                (model.reconstruct(audio, training: training).audio - audio).abs().mean()
            })
        #expect(reached.contains("quantizer.levels.0.project.weight"))
        #expect(!reached.contains("quantizer.levels.0.logScale"))
    }

    @Test func noGradientPassesFromOneLevelsCodesIntoAnother() throws {
        let model = try Alpha(configuration(Self.levels[1], phonemes: false))
        let reached = reached(
            try gradients(model) { model, audio, training in
                let losses = model.reconstruct(audio, training: training).quantized.losses
                return (losses["levels.1.commitment"] ?? audio.sum()) + (losses["levels.1.entropy"] ?? audio.sum())
            })
        #expect(reached.allSatisfy { isOf($0, "encoder.", "quantizer.levels.1.") })
        #expect(reached.contains { isOf($0, "quantizer.levels.1.project") })
    }

    @Test func clipsWithLevelOneAloneAreDecodedFromIt() throws {
        let model = try Alpha(configuration(Self.levels[0]))
        let x = Tensor.input(TensorType(.f32, [2, 5, 8]), name: "x")
        var training = QuantizerTraining(key: RandomKey(words: .constant(RandomKey.words(seed: 1))))
        training.levelOneAlone = .constant(HostArray([true, false], shape: [2]))
        let dropped = model.quantizer(x, training: training)
        let all = model.quantizer(x)
        let alone = model.quantizer.embedding(all.codes, levelCount: 1)
        let parameters = model.quantizer.parameters.sorted { $0.key < $1.key }
        var random = TestRandom(seed: 4)
        let results = try TestBackends.reference.run(
            Graph(
                inputs: [x] + parameters.map(\.value.tensor), outputs: [dropped.embedding, all.embedding, alone]),
            [random.array([2, 5, 8], .f32)] + parameters.map { random.array($0.value.shape, .f32) })
        let (mixed, whole, first) = (results[0].doubles, results[1].doubles, results[2].doubles)
        func isClose(_ a: ArraySlice<Double>, _ b: ArraySlice<Double>) -> Bool {
            zip(a, b).allSatisfy { abs($0 - $1) < 1e-5 }
        }
        #expect(isClose(mixed[..<40], first[..<40]) && isClose(mixed[40...], whole[40...]))
        #expect(!isClose(first[40...], whole[40...]))
    }

    @Test func phonemesSurviveTheModelFile() throws {
        let configuration = try configuration(Self.levels[0])
        let data = try JSONEncoder().encode(configuration)
        #expect(try JSONDecoder().decode(Alpha.Configuration.self, from: data) == configuration)
        let folder = try TemporaryFolder()
        let model = try Alpha(configuration)
        let arrays = model.parameters.mapValues { HostArray(repeating: 0.5, type: $0.type) }
        try ModelFile.write(arrays, of: model, to: folder.file("model.safetensors"))
        #expect(try ModelFile(path: folder.file("model.safetensors")).model.configuration.phonemes == Self.inventory)
        // A file from before there were phonemes has none.
        var object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        object["phonemes"] = nil
        var levels = try #require(object["quantizer"] as? [[String: Any]])
        levels[0]["codebook"] = "gradient"
        object["quantizer"] = levels
        let older = try JSONDecoder().decode(
            Alpha.Configuration.self, from: JSONSerialization.data(withJSONObject: object))
        #expect(older.phonemes == nil)
        try older.validate()
    }

    @Test func anInventoryMustFitLevelOne() throws {
        func error(_ change: (inout Alpha.Configuration) -> Void) throws -> String {
            var changed = try configuration(Self.levels[0])
            change(&changed)
            return (try? changed.validate()) == nil
                ? "\(#expect(throws: ConfigurationError.self) { try changed.validate() }!)" : ""
        }
        #expect(try error { $0.quantizer[0].codebookSize = 9 }.contains("phonemes"))
        #expect(try error { $0.quantizer[0] = .bsq(bits: 4) }.contains("phonemes"))
        #expect(try error { $0.phonemes = nil }.contains("codebook"))
        #expect(try error { $0.quantizer[1] = .vq(codebookSize: 8, codebook: .phonemes) }.contains("codebook"))
        #expect(try error { _ in } == "")
    }

    @Test func presetsWithPhonemesKeepTheirBitRates() {
        for preset in [Alpha.Configuration.alpha24k50Hz, .alpha48k50Hz] {
            #expect(preset.bitRate == 1200 && preset.phonemes?.count == 128 && preset.quantizer[0].bitsPerCode == 7)
        }
        #expect(Alpha.Configuration.alpha24k25Hz.bitRate == 1000)
    }
}
