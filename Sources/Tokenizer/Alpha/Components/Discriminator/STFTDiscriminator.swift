import Audio
import NN
public import Tensor

/// Judges real and imaginary parts of a short-time spectrum, by convolutions over time and frequency.
///
/// Défossez et al., "High Fidelity Neural Audio Compression" (EnCodec), 2022. The first convolution has no weight
/// normalisation, as in the published code.
public struct STFTDiscriminator: Discriminator {
    let convolutions: [Conv2d]
    let logits: Conv2d
    private let stft: STFT
    static let dilations = [1, 2, 4]

    /// - Parameters:
    ///   - window: samples per transform; the hop is a quarter.
    ///   - width: channels of every convolution.
    public init(window: Int, width: Int = 32) {
        stft = STFT(length: window, padding: .none)
        convolutions =
            [Conv2d(2, width, kernel: (3, 9), padding: (1, 4))]
            + Self.dilations.map { dilation in
                Conv2d(
                    width, width, kernel: (3, 9), stride: (1, 2), padding: (dilation, 4), dilation: (dilation, 1),
                    weightNorm: true)
            } + [Conv2d(width, width, kernel: (3, 3), padding: (1, 1), weightNorm: true)]
        logits = Conv2d(width, 1, kernel: (3, 3), padding: (1, 1), weightNorm: true)
    }

    public var stride: Int { stft.hop }

    /// Maps are `[batch, frames, frequencies, channels]`.
    public func callAsFunction(_ x: Tensor, padding: LeftPadding, as dtype: DType) -> Judgement {
        let spectrum = stft(x)
        // Scaled to the window's energy, so that all windows hear one loudness.
        let energy = stft.window.reduce(0) { $0 + $1 * $1 }
        let parts = stack([spectrum.real, spectrum.imaginary], axis: 3) * (1 / energy.squareRoot())
        var hidden = Hidden(parts.cast(to: dtype), padding: padding.after(stride: stft.hop), slope: 0.2)
        for (layer, reach) in zip(convolutions, [1] + Self.dilations + [1]) {
            hidden.apply({ layer($0) }, before: reach)
        }
        return hidden.judged(by: { logits($0) }, before: 1)
    }
}
