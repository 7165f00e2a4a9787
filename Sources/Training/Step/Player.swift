import NN
import Tensor

/// One side of the game: parameters, and how gradients move them.
struct Player: Sendable {
    let optimizer: AdamW
    let clipNorm: Double

    init(_ settings: Recipe.Optimizer, steps: Int) {
        self.init(
            learningRate: .warmupCosine(
                peak: settings.learningRate, to: settings.learningRate * settings.finalShare,
                warmup: settings.warmupSteps, steps: steps),
            betas: (settings.beta1, settings.beta2), weightDecay: settings.weightDecay, clipNorm: settings.clipNorm)
    }

    /// The discriminators, whose steps are counted from where they begin: AdamW's means start from zero there.
    init(_ settings: Recipe.Adversarial, steps: Int) {
        let optimizer = settings.optimizer
        self.init(
            learningRate: .warmupCosine(
                peak: optimizer.learningRate, to: optimizer.learningRate * optimizer.finalShare,
                warmup: optimizer.warmupSteps, steps: max(1, steps - settings.startStep)),
            betas: (optimizer.beta1, optimizer.beta2), weightDecay: optimizer.weightDecay,
            clipNorm: optimizer.clipNorm)
    }

    private init(
        learningRate: Schedule, betas: (first: Double, second: Double), weightDecay: Double, clipNorm: Double
    ) {
        optimizer = AdamW(learningRate: learningRate, betas: betas, weightDecay: weightDecay)
        self.clipNorm = clipNorm
    }

    /// One step; `norm` is the gradients' before clipping.
    func moved(
        _ parameters: [String: Tensor], by gradients: [String: Tensor], moments: [String: Tensor], step: Tensor
    ) -> (parameters: [String: Tensor], moments: [String: Tensor], norm: Tensor) {
        let (clipped, norm) = clipByGlobalNorm(gradients, limit: clipNorm)
        let next = optimizer.update(gradients: clipped, parameters: parameters, state: moments, step: step)
        return (next.parameters, next.state, norm)
    }

    static func momentTypes(_ parameters: [String: TensorType]) -> [String: TensorType] {
        AdamW(learningRate: .constant(0)).stateTypes(for: parameters)
    }
}
