import ArgumentParser
import Checkpoint
import Foundation
import NN
import PJRT
import Tensor
import Tokenizer
import XLA

/// One step of adversarial training: `alpha-24k-50hz` against the discriminators of its recipe.
///
/// Generator: 15 · multi-scale mel + least-squares adversarial + 2 · feature matching + the quantizers' and the phonemes' losses as the recipe
/// weighs them, without label priors; discriminators: least squares, all averaged. AdamW for both, who move from the same state.
struct GANStep: Module {
    let alpha: Alpha
    let discriminators: Discriminators
    static let mel = MultiScaleMelLoss(
        sampleRate: 24000, windows: [64, 128, 256, 512, 1024, 2048], bands: [5, 10, 20, 40, 80, 160])
    static let adam = AdamW(
        learningRate: .constant(1e-4), betas: (0.8, 0.99), weightDecay: 0.01, decays: { _, _ in true })

    init() throws {
        alpha = try Alpha(.alpha24k50Hz)
        var configuration = Discriminators.Configuration()
        configuration.stft.windows = [2048, 1024, 512, 256, 128]
        configuration.period.periods = [2, 3, 5, 7, 11]
        discriminators = Discriminators(configuration)
    }

    func callAsFunction(_ state: Tree<Tensor>, audio: Tensor, targets: PhonemeTargets) -> Tree<Tensor> {
        let training = QuantizerTraining(key: RandomKey(seed: 1))
        let (decoded, quantized) = alpha.reconstruct(audio.expanded(at: 2), training: training)
        let signal = decoded.squeezed(2)
        let (real, fake) = (discriminators(audio), discriminators(signal))
        let features = featureMatchingLoss(real: real, fake: fake, layers: .mean, discriminators: .mean)
        let phonemes = PhonemeLoss()(logits: quantized.logits!, priors: nil, targets: targets, mask: nil)
        let losses = quantized.losses
        let said = 4 * phonemes.ctc + 20 * phonemes.frames!.loss
        let bits = losses["levels.1.commitment"]! + 2 * losses["levels.1.entropy"]!
        let heard = 15 * Self.mel(audio, signal) + adversarialLoss(fake, .leastSquares, .mean) + 2 * features
        let generator = heard + said + bits
        let discriminator = discriminatorLoss(real: real, fake: fake, .leastSquares, .mean)
        func moved(_ side: String, by loss: Tensor) -> Tree<Tensor> {
            let current = state[side]["parameters"].values
            let paths = current.keys.sorted()
            let gradients = gradient(of: loss, at: paths.map { current[$0]! })
            let next = Self.adam.update(
                gradients: Dictionary(uniqueKeysWithValues: zip(paths, gradients)), parameters: current,
                state: state[side]["moments"].values, step: state["step"].value)
            return ["parameters": Tree(next.parameters), "moments": Tree(next.state)]
        }
        return [
            "losses": ["discriminator": .leaf(discriminator), "generator": .leaf(generator)],
            "state": [
                "codec": moved("codec", by: generator), "discriminators": moved("discriminators", by: discriminator),
                "step": .leaf(state["step"].value + 1),
            ],
        ]
    }

    /// What a module learns; how often codes were chosen is not part of a step here.
    private func learned(_ module: some Module) -> [String: Parameter] {
        module.parameters.filter { $0.value.kind == .trainable }
    }

    /// The modules' parameters by their paths under `prefix`, each side's apart.
    func placeholders(_ prefix: String) -> [String: Tensor] {
        var placeholders: [String: Tensor] = [:]
        for (path, parameter) in learned(alpha) {
            placeholders["\(prefix).codec.parameters.\(path)"] = parameter.tensor
        }
        for (path, parameter) in learned(discriminators) {
            placeholders["\(prefix).discriminators.parameters.\(path)"] = parameter.tensor
        }
        return placeholders
    }

    func initialState(on engine: Engine) throws -> Tree<Buffer> {
        let step = self
        let key = try engine.upload(RandomKey.words(seed: 1))
        return try Function("initialize", on: engine, compilation: .quick) { arguments in
            let key = RandomKey(words: arguments["key"].value)
            func side(_ module: some Module) -> Tree<Tensor> {
                let learned = learned(module)
                let values = module.initialization(key: key).filter { learned[$0.key] != nil }
                let moments = Self.adam.stateTypes(for: values.mapValues(\.type))
                return ["parameters": Tree(values), "moments": Tree(moments.mapValues { Tensor.zeros($0) })]
            }
            return [
                "codec": side(step.alpha), "discriminators": side(step.discriminators),
                "step": .leaf(Tensor.scalar(0, .i32)),
            ]
        }(["key": .leaf(key)])
    }
}

struct GANBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gan",
        abstract: "A generator and discriminator step of alpha-24k-50hz on 1 s of audio, f32, against PyTorch.")

    @Option(help: "The Python that has PyTorch.")
    var python = ".venv/bin/python"

    @Option(help: "How often ours and the peer run, in turn.")
    var rounds = 5

    @Option(help: "Samples of audio.")
    var samples = 24000

    func run() throws {
        let engine = try CompileProgram.trainingEngine()
        let gan = try GANStep()
        var state = try gan.initialState(on: engine)
        var random = SystemRandomNumberGenerator()
        let noise = (0..<samples).map { _ in Float.random(in: -0.3...0.3, using: &random) }
        let clip = HostArray(noise, shape: [1, samples])
        let host = try state.hostArrays()
        // Any phonemes: what they are does not change the work.
        let frames = samples / gan.alpha.configuration.hop
        func phonemes(_ count: Int) -> HostArray {
            HostArray((0..<count).map { _ in Int32.random(in: 1..<128, using: &random) }, shape: [1, count])
        }
        let (labels, aligned) = (phonemes(frames / 4), phonemes(frames))
        var file = ["audio": clip, "labels": labels, "frames": aligned]
        for side in ["codec", "discriminators"] {
            for (path, array) in host[side]["parameters"].values { file["\(side).\(path)"] = array }
        }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("gan-bench.safetensors").path
        let configuration = String(decoding: try JSONEncoder().encode(gan.alpha.configuration), as: UTF8.self)
        try Safetensors.write(file, metadata: ["configuration": configuration], to: path)
        defer { try? FileManager.default.removeItem(atPath: path) }

        let step = Function(
            "gan", on: engine, placeholders: gan.placeholders("state"), donating: ["state"], compilation: .concurrent
        ) {
            let targets = PhonemeTargets(labels: $0["labels"].value, frames: $0["frames"].value)
            return gan($0["state"], audio: $0["audio"].value, targets: targets)
        }
        let inputs = try [clip, labels, aligned].map { Tree.leaf(try engine.upload($0)) }
        var losses: [[Double]] = []
        func once() throws -> Double {
            try time {
                let result = try step(["state": state, "audio": inputs[0], "labels": inputs[1], "frames": inputs[2]])
                state = result["state"]
                losses.append(try result["losses"].hostArrays().leaves.map { $0.doubles[0] })
            }
        }
        let peer = try Peer("torch", python: python, weights: path, script: "gan.py")
        // The first steps of both, from the same weights, must agree: they are the same work.
        let first = try peer.losses("train", count: 3)
        for _ in 0..<3 { _ = try once() }
        for (ours, theirs) in zip(losses, first) {
            guard zip(ours, theirs).allSatisfy({ abs($0 - $1) <= 2e-3 * abs($1) }) else {
                throw BenchError.differs(ours: losses, peer: first)
            }
        }
        var ours: [Double] = []
        var theirs: [Double] = []
        for _ in 0..<rounds {
            for _ in 0..<2 { ours.append(try once()) }
            theirs += try peer.run("train", count: 2)
        }
        try report(
            "bench-gan", ours: ours, peers: [("torch", theirs)], extra: ["losses": losses[0].map(rounded)])
    }
}

enum BenchError: Error, CustomStringConvertible {
    case differs(ours: [[Double]], peer: [[Double]])

    var description: String {
        switch self {
        case .differs(let ours, let peer):
            "the peer does other work: losses (discriminator, generator) of the first steps are \(ours.prefix(3)) here "
                + "and \(peer) there"
        }
    }
}
