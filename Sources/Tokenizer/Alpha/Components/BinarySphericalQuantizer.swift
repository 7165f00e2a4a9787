import NN
public import Tensor

/// The signs of a low-dimensional projection: a codebook of 2^bits corners on the unit sphere that needs no storage.
///
/// Zhao et al., "Image and Video Tokenization with Binary Spherical Quantization", 2024. Entropies factorise over bits.
public struct BinarySphericalQuantizer: Quantizer {
    let project: Linear
    let expand: Linear
    let bits: Int
    /// log s of the logits `-s·‖u - corner‖²`, if corners are phonemes.
    let logScale: Parameter?
    /// Sharpness τ of the bits' probabilities σ(4τu/√L): 1 is nearly inert at 18 bits, 100 saturates.
    public static let usualTemperature = 10.0

    public init(channels: Int, bits: Int, namesPhonemes: Bool = false) {
        self.bits = bits
        logScale = namesPhonemes ? .logitScale : nil
        project = Linear(channels, bits)
        expand = Linear(bits, channels)
    }

    public var codeWidth: Int { bits }
    private var corner: Double { 1 / Double(bits).squareRoot() }

    public func callAsFunction(_ x: Tensor, training: QuantizerTraining?) -> Quantized {
        let direction = normalizedToSphere(project(x))
        let isSet = direction.stoppingGradient.isAtLeast(0)
        let quantized = corners(isSet, as: direction.dtype)
        let straight = straightThrough(direction, quantized)
        let passed = training?.passing(direction, straight) ?? straight
        var result = Quantized(
            codes: isSet.cast(to: .i32), coordinates: direction.cast(to: .f32),
            embedding: expand(passed.cast(to: x.dtype)), losses: [:], metrics: [:], updates: [], replacements: [])
        if let logScale {
            let similarity = matmul(direction, everyCorner(as: direction.dtype).transposed)
            result.logits = (similarity - 1) * (2 * logScale.scale(as: similarity.dtype))
        }
        guard let training else { return result }
        result.losses["commitment"] = (direction - quantized.stoppingGradient).squared.sum(axes: [-1])
            .mean(weights: training.mask)
        let temperature =
            training.temperature?.cast(to: direction.dtype)
            ?? Tensor.scalar(Self.usualTemperature, direction.dtype)
        let (each, together) = entropies(direction, temperature, mask: training.mask)
        // Confident in each frame, and all corners used over frames.
        result.losses["entropy"] = (each - together) / temperature
        // Of the bits as they are, by gradients of what they are the signs of.
        result.losses["redundancy"] = redundancyLoss(
            (straight * (1 / corner)).cast(to: .f32), mask: training.mask)
        result.metrics["bitEntropy"] = together * (1 / (Double(bits) * 0.6931471805599453))
        let means = meanOverFrames(isSet.cast(to: .f32), mask: training.mask)
        result.metrics["lowestBit"] = means.min(axes: [0])
        result.metrics["highestBit"] = means.max(axes: [0])
        return result
    }

    public func embedding(_ codes: Tensor, as dtype: DType) -> Tensor {
        expand(corners(codes.isGreater(than: 0), as: dtype))
    }

    /// ±1/√L.
    private func corners(_ isSet: Tensor, as dtype: DType) -> Tensor {
        let type = TensorType(dtype, isSet.shape)
        return select(isSet, Tensor.full(corner, type), Tensor.full(-corner, type))
    }

    /// Every corner, `[2^bits, bits]`; the first bit is the lowest of its number.
    private func everyCorner(as dtype: DType) -> Tensor {
        let type = TensorType(.i32, [1 << bits, bits])
        let powers = HostArray((0..<bits).map { Int32(1) << Int32($0) }, shape: [1, bits])
        let isSet = (Tensor.iota(type, axis: 0) & Tensor.constant(powers)).isGreater(than: 0)
        return corners(isSet, as: dtype)
    }

    /// The mean entropy of a frame's bits and the entropy of the mean bits, summed over bits, in nats.
    private func entropies(_ direction: Tensor, _ temperature: Tensor, mask: Tensor?) -> (
        each: Tensor, together: Tensor
    ) {
        let probability = (direction * (temperature * (4 * corner))).sigmoid()
        let each = binaryEntropy(probability).sum(axes: [-1]).mean(weights: mask)
        return (each, binaryEntropy(meanOverFrames(probability, mask: mask)).sum())
    }

    /// `[batch, frames, bits]` → `[bits]`, padding left out.
    private func meanOverFrames(_ x: Tensor, mask: Tensor?) -> Tensor {
        guard let mask else { return x.mean(axes: [0, 1]) }
        let weights = mask.expanded(at: 2).cast(to: x.dtype)
        return (x * weights).sum(axes: [0, 1]) / maximum(weights.sum(), 1)
    }

    private func binaryEntropy(_ p: Tensor) -> Tensor {
        let q = 1 - p
        return -(p * maximum(p, 1e-7).log() + q * maximum(q, 1e-7).log())
    }
}
