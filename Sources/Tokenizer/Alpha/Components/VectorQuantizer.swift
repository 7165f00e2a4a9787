import NN
public import Tensor

/// The nearest entry of a learned codebook, by direction: inputs and entries are compared on the unit sphere.
///
/// Van den Oord et al., 2017, with the low-dimensional, L2-normalised lookup of Yu et al., "Vector-quantized Image Modeling
/// with Improved VQGAN", 2022.
public struct VectorQuantizer: Quantizer {
    public typealias Learning = Alpha.Configuration.Level.Codebook

    let project: Linear
    let codebook: Parameter
    /// The moving share of frames that chose each entry.
    let usage: Parameter
    /// Moving sums of what chose each entry; only with a moving-average codebook.
    let sums: Parameter?
    let expand: Linear
    let learning: Learning

    /// Of the moving averages, per step.
    static let decay = 0.99
    /// An entry chosen less often than this share of its fair part is dead. Relative, so batch size does not matter.
    static let deadShare = 0.1

    public init(channels: Int, codebookSize: Int, dimension: Int, learning: Learning = .gradient) {
        self.learning = learning
        project = Linear(channels, dimension)
        codebook = Parameter(
            [codebookSize, dimension], .normal(1), kind: learning == .gradient ? .trainable : .statistic)
        usage = Parameter([codebookSize], .constant(1 / Double(codebookSize)), kind: .statistic)
        sums = learning == .gradient ? nil : Parameter([codebookSize, dimension], .zeros, kind: .statistic)
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
        var result = Quantized(
            codes: codes.expanded(at: 2), embedding: expand(passed.cast(to: x.dtype)), losses: [:], metrics: [:],
            updates: [], resets: [])
        if let training { learn(from: direction, chosen, codes, training, into: &result) }
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
        let weight =
            training.mask.map { $0.reshaped([frames]).cast(to: .f32) } ?? Tensor.ones(TensorType(.f32, [frames]))
        let choice = codes.reshaped([frames, 1]).equals(Tensor.range(size).expanded(at: 0)).cast(to: .f32)
        let counted = (choice * weight.expanded(at: 1)).stoppingGradient
        let share = counted.sum(axes: [0]) / maximum(weight.sum(), 1)
        let moving = usage.tensor * Self.decay + share * (1 - Self.decay)
        let vectors = direction.reshaped([frames, codebook.shape[1]]).cast(to: .f32).stoppingGradient

        // Dead entries move to inputs of this batch; the random choice is part of the step's key, so a resumed run agrees.
        let isDead = moving.isLess(than: Self.deadShare / Double(size))
        let replacements = vectors.gathering(picks(frames, training))
        result.metrics["deadCodes"] = isDead.cast(to: .f32).sum()
        result.metrics["perplexity"] = perplexity(share)
        result.metrics["usedShare"] = moving.isGreater(than: Self.deadShare / Double(size)).cast(to: .f32).mean()
        let mask = isDead.expanded(at: 1)
        let settled = select(isDead, Tensor.full(1 / Double(size), moving.type), moving)
        result.updates.append((usage, settled))
        if let sums {
            let batchSums = dot(counted, vectors, contracting: ([0], [0])) / maximum(weight.sum(), 1)
            let movingSums = sums.tensor * Self.decay + batchSums * (1 - Self.decay)
            // An entry with no history keeps its place.
            let known = movingSums.squared.sum(axes: [1], keepingAxes: true).isGreater(than: 1e-12)
            let moved = select(known, normalizedToSphere(movingSums), codebook.tensor)
            result.updates.append((codebook, select(mask, replacements, moved)))
            result.updates.append((sums, select(mask, replacements * (1 / Double(size)), movingSums)))
        } else {
            result.resets.append((codebook, mask, replacements))
        }
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
