import NN
import Tensor
import Tokenizer

/// What the generator makes of a batch, and what that costs: the losses of a recipe, weighted.
struct Attempt {
    struct Term {
        let name: String
        let weight: Double
        let value: Tensor
    }

    /// What the decoder made: f32 `[batch, samples]`.
    let signal: Tensor
    /// Losses of `signal`.
    var outputTerms: [Term] = []
    /// Losses of what lies before it.
    var innerTerms: [Term] = []
    let quantized: Quantized

    /// Adds the losses that discriminators make, scaled by `share`.
    mutating func add(_ judged: (real: [Judgement], fake: [Judgement]), _ recipe: Recipe.Adversarial, share: Tensor) {
        if recipe.weight > 0 {
            let value = adversarialLoss(judged.fake, recipe.loss, recipe.reduction)
            outputTerms.append(Term(name: "adversarial", weight: recipe.weight, value: value * share))
        }
        if recipe.featureMatching > 0 {
            let value = featureMatchingLoss(
                real: judged.real, fake: judged.fake, layers: recipe.layerReduction, discriminators: recipe.reduction)
            outputTerms.append(Term(name: "features", weight: recipe.featureMatching, value: value * share))
        }
    }

    private static func total(_ terms: [Term]) -> Tensor {
        terms.reduce(Tensor.scalar(0)) { $0 + $1.value * $1.weight }
    }

    /// All losses, weighted and summed.
    var total: Tensor { Self.total(outputTerms + innerTerms) }

    var values: [String: Tensor] {
        Dictionary(uniqueKeysWithValues: (outputTerms + innerTerms).map { ($0.name, $0.value) })
    }

    /// The gradient at `parameters`: of the sum, or with a balancer's state of the balanced losses.
    func gradients(
        at parameters: [Tensor], balancerDecay: Double, state: [String: Tensor]
    ) -> (gradients: [Tensor], state: [String: Tensor]) {
        guard balancerDecay > 0 else { return (gradient(of: total, at: parameters), state) }
        let weights = Dictionary(uniqueKeysWithValues: outputTerms.map { ($0.name, $0.weight) })
        let balancer = LossBalancer(weights: weights, decay: balancerDecay)
        // A phase balances the losses it has; the means of others wait.
        let (cotangent, _, next) = balancer(
            Dictionary(uniqueKeysWithValues: outputTerms.map { ($0.name, $0.value) }), at: signal, state: state)
        let inner = Self.total(innerTerms)
        let products = vjp(of: [signal, inner], at: parameters, cotangents: [cotangent, Tensor.ones(inner.type)])
        return (
            zip(parameters, products).map { $1 ?? Tensor.zeros($0.type) }, state.merging(next) { $1 }
        )
    }
}

/// The reconstruction and quantizer losses of a recipe.
struct GeneratorObjective: Sendable {
    let model: Alpha
    let losses: Recipe.Losses
    let dtype: DType
    let warmupSteps: Int
    private let mel: MultiScaleMelLoss
    private let stft = MultiResolutionSTFTLoss()

    init(model: Alpha, recipe: Recipe) {
        self.model = model
        losses = recipe.losses
        dtype = recipe.precision.dtype
        warmupSteps = recipe.quantizerWarmupSteps
        mel = MultiScaleMelLoss(
            sampleRate: model.configuration.sampleRate, windows: losses.melWindows, bands: losses.melBands)
    }

    /// `audio`: f32 `[batch, samples]`, a whole number of hops. `step`: i32 scalar.
    func callAsFunction(_ audio: Tensor, step: Tensor, key: RandomKey) -> Attempt {
        let keys = key.split(2)
        var training = QuantizerTraining(key: keys[0])
        if warmupSteps > 0 {
            let share = 1 - step.cast(to: .f32) / Double(warmupSteps)
            training.bypass = keys[1].uniform([audio.shape[0]]).isLess(than: share)
        }
        let (estimate, quantized) = model.reconstruct(audio.expanded(at: 2).cast(to: dtype), training: training)
        let signal = estimate.squeezed(2).cast(to: .f32)

        var attempt = Attempt(signal: signal, quantized: quantized)
        func add(_ name: String, weight: Double, _ value: () -> Tensor) {
            if weight != 0 { attempt.outputTerms.append(.init(name: name, weight: weight, value: value())) }
        }
        add("mel", weight: losses.mel) { mel(audio, signal) }
        add("stft", weight: losses.stft) { stft(audio, signal) }
        add("waveform", weight: losses.waveform) { waveformLoss(audio, signal) }
        add("distortion", weight: losses.distortion) { scaleInvariantSDRLoss(audio, signal) }
        for (name, value) in quantized.losses.sorted(by: { $0.key < $1.key }) {
            let kind = name.split(separator: ".").last.map(String.init) ?? name
            let weights = ["commitment": losses.commitment, "codebook": losses.codebook, "entropy": losses.entropy]
            guard let weight = weights[kind] else {
                preconditionFailure("the quantizer's loss '\(name)' has no weight in the recipe")
            }
            if weight != 0 { attempt.innerTerms.append(.init(name: name, weight: weight, value: value.cast(to: .f32))) }
        }
        return attempt
    }
}

extension Recipe.Precision {
    var dtype: DType {
        switch self {
        case .f32: .f32
        case .bf16: .bf16
        }
    }
}

extension Recipe {
    /// The losses that a balancer weighs, in any phase.
    var balancedLosses: [String: Double] {
        var weights = [
            "mel": losses.mel, "stft": losses.stft, "waveform": losses.waveform, "distortion": losses.distortion,
        ]
        if !adversarial.discriminators.isEmpty {
            weights["adversarial"] = adversarial.weight
            weights["features"] = adversarial.featureMatching
        }
        return weights.filter { $0.value > 0 }
    }
}
