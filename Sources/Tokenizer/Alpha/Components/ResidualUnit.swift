public import NN
public import Tensor

/// Two convolutions around a skip: one dilated over time, one across channels.
///
/// Kumar et al., "High-Fidelity Audio Compression with Improved RVQGAN" (DAC), 2023, made causal.
public struct ResidualUnit: Module {
    let activations: [Snake]
    let dilated: CausalConv1d
    let pointwise: CausalConv1d

    public init(channels: Int, kernel: Int = 7, dilation: Int, weightNorm: Bool = false) {
        activations = [Snake(channels), Snake(channels)]
        dilated = CausalConv1d(channels, channels, kernel: kernel, dilation: dilation, weightNorm: weightNorm)
        // A unit starts close to the identity: at full variance a dozen of them in a row make activations sixty times larger,
        // and training, which nothing in the path normalises, carries on from there.
        pointwise = CausalConv1d(
            channels, channels, kernel: 1, weightNorm: weightNorm,
            initializer: .varianceScaling(0.05, .input, .truncatedNormal))
    }

    /// `x`: `[batch, time, channels]` → the same shape.
    public func callAsFunction(_ x: Tensor, _ past: inout Past) -> Tensor {
        x + pointwise(activations[1](dilated(activations[0](x), &past)), &past)
    }
}
