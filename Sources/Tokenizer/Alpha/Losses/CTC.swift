public import Tensor

/// Connectionist temporal classification: minus the log of how probable a sequence of labels is, whichever frames they
/// fall on. Graves et al., "Connectionist Temporal Classification", 2006.
///
/// Label 0 is blank.
public enum CTC {
    public struct Result: Sendable {
        /// f32 (f64 for f64 scores) `[batch]`, in nats: 0 where no alignment exists.
        public let loss: Tensor
        /// bool `[batch]`: whether the clip has as many frames as its labels need, one each and one more between two that
        /// are equal. One that has not would cost infinity; it costs nothing and has no gradient (PyTorch's
        /// `zero_infinity`), so that one wrong transcript does not end a training run. Count these.
        public let isPossible: Tensor
    }

    /// - Parameters:
    ///   - scores: `[batch, frames, classes]`, log-probabilities, -infinity for what cannot be. They are taken
    ///     as f32 at least.
    ///   - labels: i32 `[batch, labels]`, 1 ..< classes, filled up with 0 at the end.
    ///   - mask: `[batch, frames]`, not zero where a frame is real, wherever the padding is; `nil` for no padding.
    public static func loss(scores: Tensor, labels: Tensor, mask: Tensor? = nil) -> Result {
        let (batch, frames) = (scores.shape[0], scores.shape[1])
        precondition(
            scores.rank == 3 && labels.rank == 2 && labels.shape[0] == batch && labels.dtype == .i32,
            "CTC: scores \(scores.type) and labels \(labels.type)")
        let wide = scores.dtype == .f64 ? scores : scores.cast(to: .f32)
        let weights = mask?.cast(to: wide.dtype) ?? Tensor.ones(TensorType(wide.dtype, [batch, frames]))
        precondition(weights.shape == [batch, frames], "CTC: a mask \(weights.shape) for scores \(scores.shape)")
        let outputs = composite(
            "ctc", [wide, labels, weights],
            gradient: { inputs, outputs, cotangents in
                let lattice = Lattice(scores: inputs[0], labels: inputs[1], mask: inputs[2])
                let occupancy = lattice.occupancy(forward: outputs[1], logLikelihood: outputs[2])
                // ∂(-log p)/∂score is minus the share of probability that passes there.
                return [-occupancy * cotangents[0].reshaped([batch, 1, 1]), nil, nil]
            }
        ) { inputs in
            let lattice = Lattice(scores: inputs[0], labels: inputs[1], mask: inputs[2])
            let (forward, logLikelihood) = lattice.forward()
            let isPossible = logLikelihood.isGreater(than: Lattice.impossible / 2)
            return [
                select(isPossible, -logLikelihood, Tensor.zeros(logLikelihood.type)), forward, logLikelihood,
            ]
        }
        return Result(loss: outputs[0], isPossible: outputs[2].stoppingGradient.isGreater(than: Lattice.impossible / 2))
    }

    /// The scores to give to `loss` for less peaky alignments: the log-probabilities with a share of the classes' own
    /// taken off, so that blank, which is nearly everywhere, does not win for that alone.
    ///
    /// Huang et al., "Less Peaky and More Accurate CTC Forced Alignment by Label Priors", 2024, where the strength is 0.3
    /// to 1 and priors are means over the training data.
    ///
    /// - Parameters:
    ///   - logProbabilities: `[batch, frames, classes]`.
    ///   - priors: `[classes]`, how often each class is; no gradient flows to them.
    public static func scores(logProbabilities: Tensor, priors: Tensor, strength: Double) -> Tensor {
        // A class never seen keeps a finite prior, or its first label would be worth infinitely much.
        logProbabilities - maximum(priors.stoppingGradient, 1e-5).log().cast(to: logProbabilities.dtype) * strength
    }
}

/// The labels with a blank before, between and after them, as states, over the frames of a batch.
private struct Lattice {
    /// Stands for log 0: far below any sum of log-probabilities, and finite, so that no difference of two is NaN.
    static let impossible = -1e30

    let classes: Int
    /// i32 `[batch, states]`: 0, l₁, 0, l₂, …, 0.
    let states: Tensor
    /// `[frames, batch, states]`: the scores of each state's class.
    let emissions: Tensor
    /// bool `[frames, batch, 1]`.
    let isReal: Tensor
    /// 0 where a state may be entered from the one before the last, which skips a blank; else log 0. `[batch, states]`.
    let skip: Tensor
    /// bool `[batch, states]`: the two in which a path may end.
    let isLast: Tensor

    init(scores: Tensor, labels: Tensor, mask: Tensor) {
        let (batch, frames, count) = (scores.shape[0], scores.shape[1], 2 * labels.shape[1] + 1)
        classes = scores.shape[2]
        states = labels.padded(low: [0, 1], high: [0, 1], interior: [0, 1])
        let wanted = states.expanded(at: 1).broadcast(to: [batch, frames, count])
        emissions = maximum(scores.takingAlong(wanted, axis: 2), Self.impossible).transposed([1, 0, 2])
        isReal = mask.transposed.expanded(at: 2).differs(
            from: Tensor.zeros(TensorType(scores.dtype, [frames, batch, 1])))
        let two = states.padded(axis: 1, low: 2, high: -2)
        let skips = states.differs(from: two) & states.isGreater(than: 0)
        let zeros = Tensor.zeros(TensorType(scores.dtype, [batch, count]))
        skip = select(skips, zeros, Tensor.full(Self.impossible, zeros.type))
        // Without labels there is one blank alone, and place -1 is nowhere.
        let end = labels.isGreater(than: 0).cast(to: .i32).sum(axes: [1], keepingAxes: true) * 2
        let place = Tensor.iota(TensorType(.i32, [batch, count]), axis: 1)
        isLast = place.equals(end) | place.equals(end - 1)
    }

    /// The log-probability of all ways to each state after each frame, `[frames, batch, states]`, and to the end, `[batch]`.
    func forward() -> (Tensor, Tensor) {
        // Before the first frame a path stands in the first blank; padding leaves it there.
        let place = Tensor.iota(states.type, axis: 1)
        let start = select(
            place.equals(0), Tensor.scalar(0, emissions.dtype), Tensor.scalar(Self.impossible, emissions.dtype))
        let (last, all) = scan([start], over: [emissions, isReal]) { state, slices in
            let before = state[0]
            let reached = logSum(before, shifted(before, by: 1), shifted(before, by: 2) + skip)
            // In padding nothing moves; at the first real frame the first blank leads to itself or to the first label.
            let next = select(slices[1], maximum(reached + slices[0], Self.impossible), before)
            return ([next], [next])
        }
        let ends = select(isLast, last[0], Tensor.full(Self.impossible, last[0].type))
        return (all[0], ends.logSumExp(axis: 1))
    }

    /// The share of probability that is in each class at each frame, `[batch, frames, classes]`.
    func occupancy(forward: Tensor, logLikelihood: Tensor) -> Tensor {
        let start = select(isLast, Tensor.scalar(0, emissions.dtype), Tensor.scalar(Self.impossible, emissions.dtype))
        // Skipping leads from a state to the one after the next, so the permission stands there.
        let (_, all) = scan([start], over: [emissions, isReal], reversed: true) { state, slices in
            let after = state[0]
            let entered = after + slices[0]
            let left = logSum(entered, shifted(entered, by: -1), shifted(entered + skip, by: -2))
            return ([select(slices[1], maximum(left, Self.impossible), after)], [after])
        }
        let total = logLikelihood.reshaped([1, logLikelihood.shape[0], 1])
        let isCounted = isReal & total.isGreater(than: Self.impossible / 2)
        let shares = select(isCounted, (forward + all[0] - total).exp(), Tensor.scalar(0, emissions.dtype))
        // Summed over the states of one class by a product, which is faster than scattering.
        let isOf = states.expanded(at: 2).equals(Tensor.iota(TensorType(.i32, [1, 1, classes]), axis: 2))
        return dot(
            shares, isOf.cast(to: emissions.dtype), contracting: ([2], [1]), batching: ([1], [0]))
    }

    /// The states moved up by `count` places, log 0 coming in.
    private func shifted(_ x: Tensor, by count: Int) -> Tensor {
        // More places than there are states leave nothing.
        let count = min(max(count, -x.shape[1]), x.shape[1])
        return x.padded(axis: 1, low: count, high: -count, value: Self.impossible)
    }

    private func logSum(_ x: Tensor, _ y: Tensor, _ z: Tensor) -> Tensor {
        let highest = maximum(maximum(x, y), z)
        return highest + ((x - highest).exp() + (y - highest).exp() + (z - highest).exp()).log()
    }
}

/// The mean of minus log p over frames whose phoneme is known.
///
/// - Parameters:
///   - logProbabilities: `[batch, frames, classes]`.
///   - labels: i32 `[batch, frames]`, the class of each frame, negative where it is not known or the frame is padding.
/// - Returns: a scalar; 0 if no frame is known.
public func frameCrossEntropy(logProbabilities: Tensor, labels: Tensor) -> Tensor {
    let chosen = logProbabilities.takingAlong(labels.expanded(at: 2), axis: 2).squeezed(2)
    let isKnown = labels.isAtLeast(0).cast(to: chosen.dtype)
    return -(chosen * isKnown).sum() / maximum(isKnown.sum(), 1)
}
