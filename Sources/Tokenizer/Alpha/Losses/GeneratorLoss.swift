import NN
public import Tensor

/// What the generator minimises to be taken for real.
public func adversarialLoss(_ fake: [Judgement], _ loss: AdversarialLoss, _ reduction: Reduction) -> Tensor {
    reduction(
        fake.map { fake in
            let y = fake.logits.values
            switch loss {
            case .leastSquares: return fake.logits.mean(of: (1 - y).squared)
            case .hinge: return -fake.logits.mean(of: y)
            }
        })
}

/// The mean absolute difference of what the discriminators' layers make of real and of generated sound (Larsen et al.,
/// "Autoencoding beyond pixels using a learned similarity metric", 2016).
///
/// DAC sums over layers and discriminators, audiocraft averages over both. No gradient flows to the real side.
public func featureMatchingLoss(
    real: [Judgement], fake: [Judgement], layers: Reduction, discriminators: Reduction
) -> Tensor {
    discriminators(
        zip(real, fake).map { real, fake in
            layers(
                zip(real.features, fake.features).map { x, y in
                    y.mean(of: (y.values - x.values.stoppingGradient).abs())
                })
        })
}

/// The scale-invariant signal-to-distortion ratio in dB, negated, averaged over clips (Le Roux et al., "SDR – half-baked or
/// well done?", 2019).
///
/// - Parameters:
///   - reference: `[batch, samples]`.
///   - estimate: `[batch, samples]`.
///   - mask: `[batch, samples]`, 1 where a sample is real; `nil` for no padding.
public func scaleInvariantSDRLoss(_ reference: Tensor, _ estimate: Tensor, mask: Tensor? = nil) -> Tensor {
    let floor = 1e-8
    let weights = mask.map { $0.cast(to: reference.dtype) }
    func sum(_ x: Tensor) -> Tensor { x.sum(axes: [1], keepingAxes: true) }
    func centred(_ x: Tensor) -> Tensor {
        guard let weights else { return x - x.mean(axes: [1], keepingAxes: true) }
        return (x - sum(x * weights) / maximum(sum(weights), 1)) * weights
    }
    let (x, y) = (centred(reference), centred(estimate))
    let target = x * ((sum(x * y) + floor) / (sum(x.squared) + floor))
    // The noise has a floor too: an estimate that is equal has a gradient of zero instead of none.
    let ratio = sum(target.squared) / (sum((y - target).squared) + floor)
    let decibels = (ratio + floor).log() * (10 / 2.302585092994046)
    return -decibels.mean()
}
