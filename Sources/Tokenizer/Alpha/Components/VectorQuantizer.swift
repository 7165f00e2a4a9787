package import NN
public import Tensor

/// The nearest entry of a learned codebook, by direction: inputs and entries are compared on the unit sphere.
///
/// Where entries are phonemes, the logit of entry *k* is minus its scaled squared distance, `-s·‖u - e_k‖²`: the entry that
/// is chosen is the phoneme that is likeliest. The scale is learned, since on a sphere distances end at 2.
///
/// Van den Oord et al., 2017, with the low-dimensional, L2-normalised lookup of Yu et al., "Vector-quantized Image Modeling
/// with Improved VQGAN", 2022.
public struct VectorQuantizer: Quantizer {
    public typealias Learning = Alpha.Configuration.Level.Codebook

    let project: Linear
    package let codebook: Parameter
    /// The moving share of frames that chose each entry.
    package let usage: Parameter
    /// Moving sums of what chose each entry; only with a moving-average codebook.
    package let sums: Parameter?
    let expand: Linear
    /// log s, if entries are phonemes.
    let logScale: Parameter?
    let learning: Learning

    /// Of the moving averages, per step.
    static let decay = 0.99
    /// An entry chosen less often than this share of its fair part is dead. Relative, so batch size does not matter.
    static let deadShare = 0.1

    public init(
        channels: Int, codebookSize: Int, dimension: Int, learning: Learning = .gradient, namesPhonemes: Bool = false
    ) {
        self.learning = learning
        logScale = namesPhonemes ? .logitScale : nil
        project = Linear(channels, dimension)
        codebook = Parameter(
            [codebookSize, dimension], .normal(1), kind: learning == .movingAverage ? .statistic : .trainable)
        usage = Parameter([codebookSize], .constant(1 / Double(codebookSize)), kind: .statistic)
        sums = learning == .movingAverage ? Parameter([codebookSize, dimension], .zeros, kind: .statistic) : nil
        expand = Linear(dimension, channels)
    }

    public var codeWidth: Int { 1 }
    private var size: Int { codebook.shape[0] }

    public func callAsFunction(_ x: Tensor, training: QuantizerTraining?) -> Quantized {
        let direction = normalizedToSphere(project(x))
        let entries = normalizedToSphere(codebook.tensor(as: direction.dtype))
        let similarity = matmul(direction, entries.transposed)
        let codes = similarity.stoppingGradient.argmax(axis: -1)
        let chosen = entries.gathering(codes)
        let straight = straightThrough(direction, chosen)
        let passed = training?.passing(direction, straight) ?? straight
        // What the decoder makes of a phoneme says nothing about which phoneme it was.
        let heard = learning == .phonemes ? passed.stoppingGradient : passed
        var result = Quantized(
            codes: codes.expanded(at: 2), coordinates: codes.expanded(at: 2).cast(to: .f32),
            embedding: expand(heard.cast(to: x.dtype)), losses: [:], metrics: [:],
            updates: [], replacements: [])
        // On the sphere ‖u - e‖² is 2 - 2u·e.
        if let logScale { result.logits = (similarity - 1) * (2 * logScale.scale(as: similarity.dtype)) }
        if let training {
            if learning == .phonemes {
                watch(codes, training, into: &result)
            } else {
                learn(from: direction, chosen, codes, training, into: &result)
            }
        } else if learning == .phonemes {
            result.priors = usage.tensor
        }
        return result
    }

    public func embedding(_ codes: Tensor, as dtype: DType) -> Tensor {
        let entries = normalizedToSphere(codebook.tensor(as: dtype == .f64 ? .f64 : .f32))
        return expand(entries.gathering(codes.squeezed(2)).cast(to: dtype))
    }

    private func learn(
        from direction: Tensor, _ chosen: Tensor, _ codes: Tensor, _ training: QuantizerTraining,
        into result: inout Quantized
    ) {
        func squaredDistance(_ a: Tensor, _ b: Tensor) -> Tensor {
            (a - b).squared.sum(axes: [-1]).mean(weights: training.mask)
        }
        result.losses["commitment"] = squaredDistance(direction, chosen.stoppingGradient)
        if learning == .gradient { result.losses["codebook"] = squaredDistance(direction.stoppingGradient, chosen) }

        let frames = codes.shape.elementCount
        let weight = weights(codes, training)
        let counted = choices(codes, weight)
        let share = counted.sum(axes: [0]) / maximum(weight.sum(), 1)
        let moving = usage.tensor * Self.decay + share * (1 - Self.decay)
        if let logits = result.logits { result.priors = meanProbability(logits, weight) }
        let vectors = direction.reshaped([frames, codebook.shape[1]]).cast(to: .f32).stoppingGradient

        // Dead entries move to inputs of this batch; the random choice is part of the step's key, so a resumed run agrees.
        result.replacements.append((codebook, vectors.gathering(picks(frames, training))))
        result.metrics["deadCodes"] = isDead(moving).cast(to: .f32).sum()
        result.metrics["perplexity"] = perplexity(share)
        result.metrics["usedShare"] = moving.isGreater(than: Self.deadShare / Double(size)).cast(to: .f32).mean()
        result.updates.append((usage, moving))
        if let sums {
            let batchSums = dot(counted, vectors, contracting: ([0], [0])) / maximum(weight.sum(), 1)
            result.updates.append((sums, sums.tensor * Self.decay + batchSums * (1 - Self.decay)))
        }
    }

    private func isDead(_ usage: Tensor) -> Tensor { usage.isLess(than: Self.deadShare / Double(size)) }

    /// What a step leaves of a codebook.
    package struct Settled {
        /// bool `[entries, 1]`: which entries are dead, and begin anew.
        package var isDead: Tensor
        /// `[entries]`.
        package var usage: Tensor
        /// `[entries, dimension]`, and the codebook that they make; only with a moving-average codebook.
        package var moved: (sums: Tensor, codebook: Tensor)?
    }

    /// - Parameters:
    ///   - usage: what `Quantized.updates` has for ``usage``, of the whole batch.
    ///   - sums: the same for ``sums``.
    ///   - replacements: `[entries, dimension]`, of `Quantized.replacements`.
    package func settled(usage: Tensor, sums: Tensor?, replacements: Tensor) -> Settled {
        let isDead = isDead(usage)
        let mask = isDead.expanded(at: 1)
        let moved = sums.map { sums in
            // An entry with no history keeps its place.
            let known = sums.squared.sum(axes: [1], keepingAxes: true).isGreater(than: 1e-12)
            let codebook = select(known, normalizedToSphere(sums), codebook.tensor)
            return (select(mask, replacements * (1 / Double(size)), sums), select(mask, replacements, codebook))
        }
        return Settled(
            isDead: mask, usage: select(isDead, Tensor.full(1 / Double(size), usage.type), usage), moved: moved)
    }

    /// Entries that are phonemes are neither moved nor reset by how often they are chosen: a language may lack one. Their
    /// `usage` is the moving mean of their probabilities, which label priors are.
    private func watch(_ codes: Tensor, _ training: QuantizerTraining, into result: inout Quantized) {
        let weight = weights(codes, training)
        let share = choices(codes, weight).sum(axes: [0]) / maximum(weight.sum(), 1)
        result.metrics["perplexity"] = perplexity(share)
        result.metrics["blankShare"] = share.at(0)
        guard let logits = result.logits else { return }
        let moving = usage.tensor * Self.decay + meanProbability(logits, weight) * (1 - Self.decay)
        result.priors = moving
        result.updates.append((usage, moving))
        result.metrics["usedShare"] = share.isGreater(than: 0).cast(to: .f32).mean()
    }

    /// `[frames]`, 0 for padding.
    private func weights(_ codes: Tensor, _ training: QuantizerTraining) -> Tensor {
        let frames = codes.shape.elementCount
        return training.mask.map { $0.reshaped([frames]).cast(to: .f32) } ?? Tensor.ones(TensorType(.f32, [frames]))
    }

    /// `[frames, entries]`: the weight of each frame at the entry that it chose.
    private func choices(_ codes: Tensor, _ weight: Tensor) -> Tensor {
        let choice = codes.reshaped([codes.shape.elementCount, 1]).equals(Tensor.range(size).expanded(at: 0))
        return (choice.cast(to: .f32) * weight.expanded(at: 1)).stoppingGradient
    }

    /// `[entries]`: over the frames that count, without gradient.
    private func meanProbability(_ logits: Tensor, _ weight: Tensor) -> Tensor {
        let probability = logits.stoppingGradient.cast(to: .f32).softmax().reshaped([weight.shape[0], size])
        return (probability * weight.expanded(at: 1)).sum(axes: [0]) / maximum(weight.sum(), 1)
    }

    /// i32 `[codebookSize]`: random places among those of `frames` that are real.
    private func picks(_ frames: Int, _ training: QuantizerTraining) -> Tensor {
        guard let mask = training.mask else { return training.key.integers([size], below: frames) }
        // A random rank among the real ones, and then the place that has it.
        let rank = mask.reshaped([frames]).cast(to: .i32).cumulativeSum(axis: 0)
        let count = maximum(rank.at(frames - 1), 1).cast(to: .u32)
        let drawn = (training.key.bits([size]) % count.broadcast(to: [size])).cast(to: .i32)
        return rank.expanded(at: 0).isAtMost(drawn.expanded(at: 1)).cast(to: .i32).sum(axes: [1])
    }

    /// `exp` of the entropy of the choices: how many entries are effectively in use.
    private func perplexity(_ share: Tensor) -> Tensor { (-(share * maximum(share, 1e-10).log()).sum()).exp() }
}

extension Parameter {
    /// The logarithm of a scale of logits: 10 at first, so that of the distances 0 to 4 on a sphere the nearest stands out.
    static var logitScale: Parameter { Parameter([], .constant(2.302585092994046)) }

    /// The scale, 100 at most: beyond, gradients vanish for all but the nearest entry (Radford et al., "CLIP", 2021).
    func scale(as dtype: DType) -> Tensor { minimum(tensor(as: dtype).exp(), Tensor.scalar(100, dtype)) }
}
