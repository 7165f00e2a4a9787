import NN
import Tensor

/// One side of the game: parameters, and how gradients move them.
struct Player: Sendable {
    let learningRate: Schedule
    private let optimizer: any Optimizer
    private let clipNorm: Double

    init(_ settings: Recipe.Optimizer, steps: Int) {
        learningRate = .warmupCosine(
            peak: settings.learningRate, to: settings.learningRate * settings.finalShare,
            warmup: settings.warmupSteps, steps: steps)
        clipNorm = settings.clipNorm
        let adam = AdamW(
            learningRate: learningRate, betas: (settings.beta1, settings.beta2), weightDecay: settings.weightDecay)
        optimizer =
            switch settings.method {
            case .adamW: adam
            case .muon:
                Muon(
                    learningRate: learningRate, momentum: settings.momentum, weightDecay: settings.weightDecay,
                    others: adam, isMatrix: { path, _ in !Self.isLeftToAdamW(path) })
            }
    }

    /// The discriminators, whose own steps are counted: AdamW's means start from zero at the first.
    init(_ settings: Recipe.Adversarial, steps: Int) {
        let (own, settings) = (settings.steps(before: steps), settings.optimizer)
        learningRate = .warmupCosine(
            peak: settings.learningRate, to: settings.learningRate * settings.finalShare,
            warmup: settings.warmupSteps, steps: max(1, own))
        clipNorm = settings.clipNorm
        optimizer = AdamW(
            learningRate: learningRate, betas: (settings.beta1, settings.beta2),
            weightDecay: settings.weightDecay)
    }

    /// Matrices that Muon is not for: waveforms' layers, whose inputs or outputs are no features, and codebooks, whose rows are entries.
    static func isLeftToAdamW(_ path: String) -> Bool {
        // With weight normalisation a kernel is `….weight.direction`.
        path.hasPrefix("encoder.stem.weight") || path.hasPrefix("decoder.head.weight") || path.hasSuffix(".codebook")
    }

    /// One step; `norm` is the gradients' before clipping.
    func moved(
        _ parameters: [String: Tensor], by gradients: [String: Tensor], moments: [String: Tensor], step: Tensor
    ) -> (parameters: [String: Tensor], moments: [String: Tensor], norm: Tensor) {
        let (clipped, norm) = clipByGlobalNorm(gradients, limit: clipNorm)
        let next = optimizer.update(gradients: clipped, parameters: parameters, state: moments, step: step)
        return (next.parameters, next.state, norm)
    }

    func momentTypes(_ parameters: [String: TensorType]) -> [String: TensorType] {
        optimizer.stateTypes(for: parameters)
    }
}
