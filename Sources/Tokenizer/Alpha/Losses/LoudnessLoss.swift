public import Audio
public import Tensor

/// The relative difference of loudness: of mel magnitudes to the power 0.7, at several resolutions.
///
/// Loudness grows as power to the 0.3 (Stevens, "The measurement of loudness", 1955), which is magnitude to the 0.6. Logarithms make as much of what
/// is hardly heard as of what is loud, and magnitudes hear nothing but what is loudest; and of squares what is furthest off counts most. A step of a
/// decoder's sound against the gradient of this raises PESQ several times as much as one of the same length against a log-mel distance's, and more
/// than with any other power (`make bench-directions`); what that is worth to a decoder is not known yet (docs/experiments.md).
public struct LoudnessLoss: Sendable {
    public let scales: [MelSpectrogram]

    /// Of a magnitude.
    static let exponent = 0.7
    /// Of a band: below it the power's gradients would grow without end. As in DAC's log-mel distance, far below any recording's.
    static let smallestMagnitude = 1e-5

    /// - Parameters:
    ///   - windows: samples per transform of each scale; hops are a quarter.
    ///   - bands: mel bands of each scale.
    public init(
        sampleRate: Int, windows: [Int] = [64, 128, 256, 512, 1024, 2048], bands: [Int] = [5, 10, 20, 40, 80, 160]
    ) {
        precondition(windows.count == bands.count, "\(windows.count) windows and \(bands.count) counts of bands")
        scales = zip(windows, bands).map {
            MelSpectrogram(sampleRate: sampleRate, fftLength: $0, bandCount: $1, padding: .zeros)
        }
    }

    /// - Parameters:
    ///   - reference: `[batch, samples]`; no gradient flows to it.
    ///   - estimate: `[batch, samples]`.
    ///   - masks: what is real of them.
    ///   - bandwidth: f32 `[batch]`, the highest frequency of each clip that counts, in Hz; bands that reach above it do not.
    /// - Returns: a scalar, the mean over clips and scales of the norm of the difference over the reference's: 0 for equal sounds, 1 for
    ///   silence.
    public func callAsFunction(
        _ reference: Tensor, _ estimate: Tensor, masks: Masks? = nil, bandwidth: Tensor? = nil
    ) -> Tensor {
        let batch = reference.shape[0]
        let both = signals(reference.stoppingGradient, estimate, masks)
        let total = scales.reduce(Tensor.scalar(0, reference.dtype)) { sum, scale in
            let loudness = maximum(scale(both.alignedToEnd(step: scale.stft.hop)), Self.smallestMagnitude)
                .power(Self.exponent)
            let (x, y) = (loudness.slice(0, 0, batch), loudness.slice(0, batch, 2 * batch))
            let weights = cellWeights(
                masks?.spectrogramFrames(loudness.shape[1], step: scale.stft.hop), bandwidth,
                upperEdges: scale.filterbank.upperEdges)
            func norm(_ value: Tensor) -> Tensor {
                (weights.map { value.squared * $0.cast(to: value.dtype) } ?? value.squared)
                    .sum(axes: [1, 2]).sqrt(floor: 1e-12)
            }
            return sum + (norm(x - y) / norm(x)).mean()
        }
        return total * (1 / Double(scales.count))
    }
}
