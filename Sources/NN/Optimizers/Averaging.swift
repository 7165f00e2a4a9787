public import Tensor

/// The Euclidean norm of all elements of all tensors: f32 scalar.
public func globalNorm(_ tensors: [String: Tensor]) -> Tensor {
    // In order of path, so that the sum rounds the same way every time.
    tensors.sorted { $0.key < $1.key }
        .reduce(Tensor.scalar(0)) { $0 + $1.value.cast(to: .f32).squared.sum() }
        .sqrt()
}

/// The gradients, scaled down together if their global norm exceeds `limit`, and that norm before.
///
/// Pascanu et al., "On the difficulty of training recurrent neural networks", 2013.
public func clipByGlobalNorm(
    _ gradients: [String: Tensor], limit: Double
) -> (gradients: [String: Tensor], norm: Tensor) {
    let norm = globalNorm(gradients)
    let scale = limit / maximum(norm, limit)
    return (gradients.mapValues { $0 * scale.cast(to: $0.dtype) }, norm)
}

/// A running mean of parameters, which often generalises better than the last of them (Polyak and Juditsky, 1992).
public struct ExponentialMovingAverage: Sendable {
    public let decay: Double
    /// Whether the decay grows with the step as `(1 + step) / (10 + step)` until it reaches `decay`, so that the start is
    /// forgotten soon.
    public let warmsUp: Bool

    public init(decay: Double, warmsUp: Bool = false) {
        self.decay = decay
        self.warmsUp = warmsUp
    }

    /// - Parameters:
    ///   - average: by path; at first a copy of the parameters.
    ///   - parameters: after the step.
    ///   - step: i32 scalar, zero for the first.
    public func update(
        _ average: [String: Tensor], with parameters: [String: Tensor], step: Tensor
    ) -> [String: Tensor] {
        let count = step.cast(to: .f32)
        let kept = warmsUp ? minimum((1 + count) / (10 + count), decay) : Tensor.scalar(decay)
        return average.reduce(into: [:]) { next, entry in
            guard let parameter = parameters[entry.key] else {
                preconditionFailure("the average has \(entry.key), which the parameters have not")
            }
            // As a step towards the parameter, so that an average that has arrived stays exactly there.
            next[entry.key] = entry.value + (1 - kept) * (parameter - entry.value)
        }
    }
}
