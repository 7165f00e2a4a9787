public import Tensor

/// Scales losses so that each has its share of the gradient that reaches the generator's output, whatever its own scale.
///
/// Défossez et al. (EnCodec), 2022: with `gᵢ` the gradient of loss `i` at the output and `⟨·⟩` a running mean, the output
/// gets `Σ wᵢ / Σw · gᵢ / ⟨‖gᵢ‖⟩`. State is passed in and returned: for each loss, `total.<name>` and `weight.<name>`, the
/// sums of the mean, which therefore forgets its start.
public struct LossBalancer: Sendable {
    public let weights: [String: Double]
    public let decay: Double
    /// The sum of the weights.
    let total: Double

    /// - Parameter weights: by loss; each becomes its share of the gradient.
    public init(weights: [String: Double], decay: Double = 0.999) {
        // A dictionary's order is another in every process, and with it the last digits of a sum.
        total = weights.sorted { $0.key < $1.key }.reduce(0) { $0 + $1.value }
        precondition(total > 0, "a balancer needs a positive weight")
        self.weights = weights
        self.decay = decay
    }

    /// What to carry from step to step; all of it starts as zeros.
    public var stateTypes: [String: TensorType] {
        weights.keys.reduce(into: [:]) { state, name in
            state["total.\(name)"] = TensorType(.f32, [])
            state["weight.\(name)"] = TensorType(.f32, [])
        }
    }

    /// One step.
    ///
    /// - Parameters:
    ///   - losses: scalars, a name for each of `weights`, that depend on the generator through `output` alone.
    ///   - output: `[batch, samples]`.
    ///   - state: every entry of `stateTypes`.
    /// - Returns: the cotangent of `output`, what each loss was scaled by, and what replaces `state`.
    public func callAsFunction(
        _ losses: [String: Tensor], at output: Tensor, state: [String: Tensor]
    ) -> (cotangent: Tensor, scales: [String: Tensor], state: [String: Tensor]) {
        precondition(Set(losses.keys) == Set(weights.keys), "losses \(losses.keys) for weights \(weights.keys)")
        let share = 1 / total
        var cotangent = Tensor.zeros(output.type)
        var scales: [String: Tensor] = [:]
        var next: [String: Tensor] = [:]
        for (name, loss) in losses.sorted(by: { $0.key < $1.key }) {
            let partial = gradient(of: loss, at: [output])[0]
            // The norm of each clip's gradient, averaged: clips do not add up with the batch's size.
            let norm = partial.cast(to: .f32).squared.sum(axes: [1]).sqrt().mean()
            let total = state["total.\(name)"]! * decay + norm
            let weight = state["weight.\(name)"]! * decay + 1
            let scale = (weights[name]! * share) / (total / weight + 1e-12)
            cotangent = cotangent + partial * scale.cast(to: partial.dtype)
            scales[name] = scale
            next["total.\(name)"] = total
            next["weight.\(name)"] = weight
        }
        return (cotangent, scales, next)
    }
}
