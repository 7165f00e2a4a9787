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

    /// What the decoder was to make: f32 `[batch, samples]`.
    let reference: Tensor
    /// What it made, the same.
    let signal: Tensor
    /// What of both is real.
    let masks: Masks
    /// Losses of `signal`.
    var outputTerms: [Term] = []
    /// Losses of what lies before it.
    var innerTerms: [Term] = []
    var quantized: Quantized

    /// - Parameters:
    ///   - audio: what went in, f32 `[batch, samples]`.
    ///   - signal: what came out, the same, each sample `delay` samples late.
    ///   - masks: what is real of `audio`.
    init(audio: Tensor, signal: Tensor, delay: Int, masks: Masks, quantized: Quantized) {
        let count = audio.shape[1] - delay
        precondition(count > 0, "rows of \(audio.shape[1]) samples, of which a decoder is \(delay) late")
        reference = audio.slice(1, 0, count)
        self.signal = signal.slice(1, delay, delay + count)
        // A clip stands at its row's end, and what was said of its own last samples is cut off.
        self.masks =
            delay == 0
            ? masks
            : Masks(lengths: maximum(masks.lengths - Double(delay), 0), sampleCount: count, hop: masks.hop)
        self.quantized = quantized
    }

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
