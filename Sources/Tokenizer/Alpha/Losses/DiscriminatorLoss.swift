import NN
public import Tensor

/// How judgements become losses.
public enum AdversarialLoss: String, Choice {
    /// Towards 1 for real and 0 for generated sound (Mao et al., "Least Squares GANs", 2017).
    case leastSquares
    /// Beyond 1 for real and below -1 for generated sound (Lim and Ye, "Geometric GAN", 2017).
    case hinge

    /// The logit between real and generated.
    var threshold: Double {
        switch self {
        case .leastSquares: 0.5
        case .hinge: 0
        }
    }
}

/// How terms of several discriminators, or layers, become one. Weights that suit one do not suit the other.
public enum Reduction: String, Choice {
    case sum, mean

    func callAsFunction(_ terms: [Tensor]) -> Tensor {
        precondition(!terms.isEmpty, "nothing to reduce")
        let total = terms.dropFirst().reduce(terms[0], +)
        return self == .sum ? total : total * (1 / Double(terms.count))
    }
}

/// What discriminators minimise: how far they are from telling real from generated.
public func discriminatorLoss(
    real: [Judgement], fake: [Judgement], _ loss: AdversarialLoss, _ reduction: Reduction
) -> Tensor {
    reduction(
        zip(real, fake).map { real, fake in
            let (x, y) = (real.logits.values, fake.logits.values)
            switch loss {
            case .leastSquares: return real.logits.mean(of: (1 - x).squared) + fake.logits.mean(of: y.squared)
            case .hinge: return real.logits.mean(of: (1 - x).relu()) + fake.logits.mean(of: (1 + y).relu())
            }
        })
}

/// The share of logits on the right side, real and generated sound weighing the same, averaged over discriminators:
/// 0.5 for guessing, 1 for certainty.
public func discriminatorAccuracy(real: [Judgement], fake: [Judgement], _ loss: AdversarialLoss) -> Tensor {
    let shares = zip(real, fake).map { real, fake in
        let hits = real.logits.values.isGreater(than: loss.threshold).cast(to: .f32)
        let alarms = fake.logits.values.isGreater(than: loss.threshold).cast(to: .f32)
        return (real.logits.mean(of: hits) + 1 - fake.logits.mean(of: alarms)) * 0.5
    }
    return Reduction.mean(shares)
}
