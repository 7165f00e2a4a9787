import NN
public import Tensor

/// The signs of a low-dimensional projection: a codebook of 2^bits corners on the unit sphere that needs no storage.
///
/// Zhao et al., "Image and Video Tokenization with Binary Spherical Quantization", 2024. Entropies factorise over bits.
public struct BinarySphericalQuantizer: Quantizer {
    let project: Linear
    let expand: Linear
    let bits: Int
    /// Sharpness τ of the bits' probabilities σ(4τu/√L): 1 is nearly inert at 18 bits, 100 saturates.
    static let temperature = 10.0

    public init(channels: Int, bits: Int) {
        self.bits = bits
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
            codes: isSet.cast(to: .i32), embedding: expand(passed.cast(to: x.dtype)), losses: [:], metrics: [:],
            updates: [], resets: [])
        guard let training else { return result }
        result.losses["commitment"] = (direction - quantized.stoppingGradient).squared.sum(axes: [-1])
            .mean(weights: training.mask)
        let (each, together) = entropies(direction, mask: training.mask)
        // Confident in each frame, and all corners used over frames.
        result.losses["entropy"] = (each - together) * (1 / Self.temperature)
        result.metrics["bitEntropy"] = together * (1 / (Double(bits) * 0.6931471805599453))
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

    /// The mean entropy of a frame's bits and the entropy of the mean bits, summed over bits, in nats.
    private func entropies(_ direction: Tensor, mask: Tensor?) -> (each: Tensor, together: Tensor) {
        let probability = (direction * (4 * Self.temperature * corner)).sigmoid()
        let each = binaryEntropy(probability).sum(axes: [-1]).mean(weights: mask)
        let weights = mask.map { $0.expanded(at: 2).cast(to: direction.dtype) }
        let mean =
            weights.map { (probability * $0).sum(axes: [0, 1]) / maximum($0.sum(), 1) }
            ?? probability.mean(axes: [0, 1])
        return (each, binaryEntropy(mean).sum())
    }

    private func binaryEntropy(_ p: Tensor) -> Tensor {
        let q = 1 - p
        return -(p * maximum(p, 1e-7).log() + q * maximum(q, 1e-7).log())
    }
}
