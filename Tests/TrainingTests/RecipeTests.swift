import Foundation
import TestSupport
import Testing
import Tokenizer

@testable import Training

@Suite struct RecipeTests {
    private func recipe(_ text: String) throws -> Recipe { try Recipe(data: Data(text.utf8), path: "r.json") }

    @Test func whatIsLeftOutHasItsDefault() throws {
        let recipe = try recipe(#"{"model": "alpha-tiny", "losses": {"mel": 3}, "optimizer": {"beta1": 0.5}}"#)
        var expected = Recipe(model: .preset("alpha-tiny"))
        expected.losses.mel = 3
        expected.optimizer.beta1 = 0.5
        #expect(recipe == expected)
    }

    @Test func whatKeepsItsTokensNeedsNoLossOfPhonemes() throws {
        let recipe = try recipe(
            #"{"model": "alpha-tiny-pitch", "losses": {"ctc": 0}, "frozen": ["encoder", "quantizer"]}"#)
        #expect(recipe.frozen == [.encoder, .quantizer])
    }

    @Test func aRecipeSurvivesItsFile() throws {
        var whole = Recipe(model: .preset("alpha-48k-50hz"))
        whole.clips.areWhole = true
        for recipe in [SmallTraining.recipe, whole] {
            #expect(try Recipe(data: recipe.json(), path: "r.json") == recipe)
        }
    }

    @Test func theRecipesOfTheRepositoryAreGood() throws {
        let folder = Fixture.folder.deletingLastPathComponent().deletingLastPathComponent().appending(path: "recipes")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
        #expect(files.count >= 10)
        let readme = try String(contentsOf: folder.appending(path: "README.md"), encoding: .utf8)
        for file in files {
            _ = try Recipe(path: folder.appending(path: file).path)
            #expect(readme.contains("`\(file)`"), "recipes/README.md does not say what \(file) is for")
        }
    }

    /// By the keys at which they part from `alpha-tiny.json`, as recipes/README.md has it.
    @Test(arguments: [
        ("no-game", ["adversarial.discriminators.period", "adversarial.discriminators.stft"]),
        ("no-features", ["adversarial.featureMatching"]), ("hinge", ["adversarial.loss"]),
        ("balanced", ["losses.balancerDecay"]),
        ("bands", ["adversarial.discriminators.band", "adversarial.discriminators.stft"]),
        ("ramp", ["adversarial.warmup"]),
    ])
    func anAblationChangesOneThing(name: String, keys: [String]) throws {
        func values(_ file: String) throws -> [String: JSON] {
            var values: [String: JSON] = [:]
            func collect(_ json: JSON, at path: [String]) {
                // A discriminator's kind is one thing.
                guard case .object(let members) = json, path.count < 3 else {
                    return values[path.joined(separator: ".")] = json
                }
                for (key, value) in members { collect(value, at: path + [key]) }
            }
            let path = Fixture.folder.deletingLastPathComponent().deletingLastPathComponent()
                .appending(path: "recipes/\(file).json")
            collect(try JSONDecoder().decode(JSON.self, from: Data(contentsOf: path)), at: [])
            return values
        }
        let (base, ablation) = (try values("alpha-tiny"), try values("alpha-tiny-\(name)"))
        let changed = Set(base.keys).union(ablation.keys).filter { base[$0] != ablation[$0] }
        #expect(changed.sorted() == keys)
    }

    /// A recipe whose model is a whole configuration, with `change` in place of what it has, or beside it.
    private static func whole(_ change: String, losses: String = "{}", segmentSeconds: Double = 0.5) -> String {
        let keys = [
            "sampleRate": "8000", "width": "4", "strides": "[2, 8]", "dilations": "[1]", "latentDimension": "16",
            "transformer": #"{"layers": 0, "heads": 1, "window": 1, "expansion": 1}"#,
            "quantizer": #"[{"kind": "bsq", "bits": 4}]"#, "weightNormalization": "false",
        ]
        let rest = keys.filter { !change.hasPrefix("\"\($0.key)\"") }.map { "\"\($0.key)\": \($0.value)" }
        return #"{"model": {"# + (rest + [change]).joined(separator: ", ") + #"}, "losses": "# + losses
            + #", "segmentSeconds": \#(segmentSeconds)}"#
    }

    @Test func aWholeConfigurationIsAModel() throws {
        let recipe = try recipe(Self.whole(#""phonemeDelay": null"#))
        #expect(try recipe.model.resolved().latentDimension == 16)
    }

    static let wrong: [(text: String, mention: String)] = [
        (#"{"steps": 0}"#, "'steps' must be between 1 and"), (#"{"batchSize": 0}"#, "'batchSize' must be between"),
        (#"{"batchSize": 5000}"#, "'batchSize' must be between"),
        (#"{"clips": {"balance": 1.5}}"#, "'clips.balance' must be between"),
        (#"{"clips": {"expansion": 61}}"#, "'clips.expansion' must be between"),
        (#"{"clips": {"equalization": -1}}"#, "'clips.equalization' must be between"),
        (#"{"segmentSeconds": 0.01}"#, "'segmentSeconds' must be between"),
        (#"{"quantizerWarmupSteps": -1}"#, "'quantizerWarmupSteps' must be 0 or more"),
        (#"{"optimizer": {"learningRate": 0}}"#, "'optimizer.learningRate' must be positive"),
        (#"{"optimizer": {"beta1": 1}}"#, "'optimizer.beta1' must be in"),
        (#"{"optimizer": {"beta2": -0.1}}"#, "'optimizer.beta2' must be in"),
        (#"{"optimizer": {"warmupSteps": -1}}"#, "'optimizer.warmupSteps'"),
        (#"{"optimizer": {"clipNorm": 0}}"#, "'optimizer.clipNorm' must be positive"),
        (#"{"optimizer": {"momentum": 1}}"#, "'optimizer.momentum' must be between"),
        (#"{"optimizer": {"method": "sgd"}}"#, "'optimizer.method': 'sgd' is none of adamw, muon"),
        (#"{"adversarial": {"loss": "fair"}}"#, "'fair' is none of leastSquares, hinge"),
        (#"{"optimizer": {"averageDecay": 1}}"#, "'optimizer.averageDecay' must be in"),
        (#"{"losses": {"melWindows": [64]}}"#, "'losses.melWindows' must be as many"),
        (#"{"losses": {"melWindows": [4], "melBands": [2]}}"#, "'losses.melWindows'"),
        (#"{"evaluation": {"every": -1}}"#, "'evaluation' must be 0 or more"),
        (#"{"checkpoints": {"keep": 0}}"#, "'checkpoints' must be positive"),
        (#"{"precision": "f8"}"#, "'precision': 'f8' is none of f32, bf16"),
        (#"{"steps": "ten"}"#, "'steps'"),
        (#"{"steps": 1.5}"#, "has no fraction"),
        (#"{"frozen": ["encoder", "quantizer", "decoder"]}"#, "'frozen' must be without a part"),
        (#"{"frozen": ["ears"]}"#, "'frozen.0': 'ears' is none of encoder, phonemeEncoder, quantizer, decoder"),
        (#"{"frozen": "encoder"}"#, "'frozen'"),
        (
            #"{"model": "alpha-tiny-phonetic", "frozen": ["encoder", "quantizer", "decoder", "phonemeEncoder"]}"#,
            "'frozen' must be without a part"
        ),
        (
            #"{"model": "alpha-tiny-phonetic", "losses": {"ctc": 0}, "frozen": ["encoder", "quantizer"]}"#,
            "'losses.ctc' must be"
        ),
        (#"{"initialPhonemes": "a.safetensors"}"#, "'initialPhonemes' must be empty"),
        (#"{"model": "alpha-tiny-pitch", "losses": {"ctc": 0}, "frozen": ["quantizer"]}"#, "'losses.ctc' must be"),
        (#"{"losses": {"loudness": -1}}"#, "'losses.loudness' must be 0 or more"),
        (#"{"losses": 3}"#, "'losses' must be an object"), (#"{"losses": {"mell": 3}}"#, "'losses.mell' is not a key"),
        (#"{"step": 3}"#, "'step' is not a key of a recipe"), (#"{"model": "alpha-huge"}"#, "alpha-huge"),
        (#"{"model": {"sampleRate": 24000}}"#, "'model' lacks 'width'"), ("[1]", "must be an object"),
        (
            whole(#""phonemeDelay": null"#, losses: #"{"intelligibility": 1}"#),
            "'losses.intelligibility' must be 0 below 10000"
        ),
        (whole(#""phonemeDelays": 2"#), "'model.phonemeDelays' is not a key"),
        (whole(#""phonemeLayers": 65"#), "'phonemeLayers' must be between 0 and 64"),
        (whole(#""phonemeLayers": 2"#), "'phonemeLayers' must be left out in a model without phonemes"),
        (whole(#""decoderDelay": 51"#), "'decoderDelay' must be between 0 and 50 frames"),
        (
            whole(#""decoderChannels": [4]"#),
            "'decoderChannels' must be one number of channels more than there are strides"
        ),
        (
            whole(#""decoderDelay": 50"#, segmentSeconds: 0.1),
            "'segmentSeconds' must be longer than the decoder is late"
        ),
        (
            whole(#""transformer": {"layers": 1, "heads": 2, "window": 4, "expansion": 4, "head": 2}"#),
            "transformer.head'"
        ),
        (
            whole(#""quantizer": [{"kind": "vq", "codebookSize": 16, "dimension": 4, "codebok": "gradient"}]"#),
            "codebok'"
        ),
        (whole(#""transformer": {"layers": 1, "heads": 4611686018427387904, "window": 4, "expansion": 4}"#), "heads"),
        (#"{"losses": {"melWindows": [64], "melBands": [-1]}}"#, "'losses.melBands' must be between"),
        (#"{"losses": {"melWindows": [4611686018427387904], "melBands": [5]}}"#, "'losses.melWindows'"),
        (#"{"losses": {"ctc": -1}}"#, "'losses.ctc' must be 0 or more"),
        (#"{"adversarial": {"every": 9223372036854775807}}"#, "'adversarial.every' must be between"),
        (#"{"optimizer": {"finalShare": -1}}"#, "'optimizer.finalShare' must be between"),
        (#"{"optimizer": {"weightDecay": -1}}"#, "'optimizer.weightDecay' must be 0 or more"),
        (#"{"adversarial": {"optimizer": {"finalShare": 2}}}"#, "'adversarial.optimizer.finalShare'"),
        (#"{"clips": {"gain": [0, 1e9]}}"#, "'clips.gain' must be between"),
        (#"{"steps": null}"#, "'steps'"),
        (#"{"losses": {"waveform": -1}}"#, "'losses.waveform' must be 0 or more"),
        ("{", "not JSON"),
        ("", "not JSON"), (#"{"model": 3}"#, "r.json"),
    ]

    @Test(arguments: wrong.indices) func aWrongValueIsNamed(index: Int) throws {
        let (text, mention) = Self.wrong[index]
        let error = #expect(throws: RecipeError.self, "\(text)") { try recipe(text) }
        let message = error?.description ?? ""
        #expect(message.hasPrefix("r.json: ") && message.contains(mention), "\(text): \(message)")
    }

    @Test func numbersAreReadExactly() throws {
        let recipe = try recipe(
            #"{"seed": 18446744073709551615, "steps": 20.0, "optimizer": {"learningRate": 0.1234567890123456789e-3}}"#)
        #expect(recipe.seed == .max && recipe.steps == 20)
        #expect(recipe.optimizer.learningRate == 0.1234567890123456789e-3)
        #expect(throws: RecipeError.self) { try self.recipe(#"{"optimizer": {"learningRate": 1e400}}"#) }
    }

    @Test func aRecipeMayComeThroughAPipe() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("pipe")
        #expect(mkfifo(path, 0o600) == 0)
        let text = #"{"steps": 77, "model": "alpha-tiny"}"# + String(repeating: " ", count: 100_000)
        let writer = Thread { try? Data(text.utf8).write(to: URL(filePath: path)) }
        writer.start()
        #expect(try Recipe(path: path).steps == 77)
    }

    @Test func aMissingFileIsNamed() {
        let error = #expect(throws: RecipeError.self) { try Recipe(path: "/nowhere/r.json") }
        #expect(error?.description.hasPrefix("/nowhere/r.json: cannot read") == true)
    }
}
