public import Audio
public import Tensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How much an estimate disturbs whoever knows the reference: the loudness that is missing or added in the bands of an ear (``HearingBands``), as PESQ
/// (ITU-T P.862; Rix et al., 2001) weighs it.
///
/// The reference is heard at 79 dB SPL. What is off by less than a quarter of the quieter is masked. What is more than 4 dB too much counts
/// again, up to twelve times: it is heard as a sound of its own. PESQ first forgives a constant colour and what frames are too loud
/// or too quiet by; a decoder is not to learn to rely on it, so here there is none of that. Nor is there PESQ's ceiling for a frame, under which half
/// the frames of such codecs as this have no gradient left (docs/experiments.md).
public struct DisturbanceLoss: Sendable {
    public let stft: STFT
    public let sampleRate: Int
    public let bands: HearingBands

    /// In Hz; what is between makes the level.
    static let speech = 300.0...3250.0
    /// Of the reference, in dB SPL, and how loud it is taken to be at least: in dB of full scale, so that pauses stay quiet.
    static let level = 79.0
    static let quietest = -50.0
    /// What of the quieter loudness masks a difference.
    static let masking = 0.25
    /// P.862's: of the ratio of added intensities, from which result it counts, and what it counts at most.
    static let addition = (exponent: 1.2, least: 3.0, most: 12.0)
    static let weights = (all: 0.1, added: 0.0309)

    public init(sampleRate: Int) {
        self.sampleRate = sampleRate
        stft = STFT(length: 4 * Int((0.008 * Double(sampleRate)).rounded()), padding: .zeros)
        bands = HearingBands(sampleRate: sampleRate, fftLength: stft.length)
    }

    /// - Parameters:
    ///   - reference: `[batch, samples]`; no gradient flows to it.
    ///   - estimate: `[batch, samples]`.
    ///   - masks: what is real of them.
    ///   - bandwidth: f32 `[batch]`, the highest frequency of each clip that counts, in Hz; bands that reach above it do not.
    /// - Returns: a scalar, the mean over clips of the root of the mean square of frames' disturbances: 0 for equal sounds; 4.5 less it is about PESQ's
    ///   raw score.
    public func callAsFunction(
        _ reference: Tensor, _ estimate: Tensor, masks: Masks? = nil, bandwidth: Tensor? = nil
    ) -> Tensor {
        let batch = reference.shape[0]
        let both = signals(reference.stoppingGradient, estimate, masks).alignedToEnd(step: stft.hop)
        let power = stft(both).power
        let frames = masks?.spectrogramFrames(power.shape[1], step: stft.hop)
        let scale = calibration(power.slice(0, 0, batch), frames)
        let intensity = matmul(power, membership(power.dtype)) * concatenate([scale, scale], axis: 0)
        let loudness = loudness(intensity)
        func split(_ value: Tensor) -> (Tensor, Tensor) {
            (value.slice(0, 0, batch), value.slice(0, batch, 2 * batch))
        }
        let ((x, y), (heard, made)) = (split(intensity), split(loudness))
        let difference = maximum((made - heard).abs() - minimum(made, heard) * Self.masking, 0)
        let ratio = ((y + 50) / (x + 50)).stoppingGradient.power(Self.addition.exponent)
        let added = select(
            ratio.isAtLeast(Self.addition.least), minimum(ratio, Self.addition.most), Tensor.scalar(0, ratio.dtype))

        var widths = row(bands.widths, power.dtype)
        if let counted = cellWeights(nil, bandwidth, upperEdges: bands.upperEdges) {
            widths = widths * counted.cast(to: power.dtype)
        }
        let whole = bands.widths.reduce(0, +).squareRoot()
        let all = (difference.squared * widths).sum(axes: [2]).sqrt(floor: 1e-6) * whole
        let excess = (difference * added * widths).sum(axes: [2])
        let disturbance = (all * Self.weights.all + excess * Self.weights.added).squared
        return mean(disturbance, frames).sqrt(floor: 1e-6).mean()
    }

    /// Sone per Bark `[batch, frames, bands]`.
    private func loudness(_ intensity: Tensor) -> Tensor {
        let over = maximum(intensity * row(bands.thresholds.map { 1 / $0 }, intensity.dtype), 1)
        return ((over * 0.5 + 0.5).power(HearingBands.exponent) - 1) * row(bands.sones, intensity.dtype)
    }

    private func row(_ values: [Double], _ dtype: DType) -> Tensor {
        Tensor.constant(values, dtype, shape: [1, 1, values.count])
    }

    /// `[batch, 1, 1]`, by which a power of a reference's bin is an intensity.
    private func calibration(_ power: Tensor, _ frames: Tensor?) -> Tensor {
        let bin = Double(sampleRate) / Double(stft.length)
        let (low, high) = (Int((Self.speech.lowerBound / bin).rounded(.up)), Int(Self.speech.upperBound / bin) + 1)
        let own = mean(power.slice(2, low, high).sum(axes: [2]), frames)
        let energy = stft.window.reduce(0) { $0 + $1 * $1 }
        let quietest = pow(10, Self.quietest / 10) * Double(stft.length) * energy / 2
        return (pow(10, Self.level / 10) / maximum(own, quietest)).reshaped([power.shape[0], 1, 1])
    }

    /// `[batch, frames]` → `[batch]`, over the frames that count.
    private func mean(_ value: Tensor, _ frames: Tensor?) -> Tensor {
        guard let counts = frames?.cast(to: value.dtype) else {
            return value.sum(axes: [1]) * (1 / Double(value.shape[1]))
        }
        return (value * counts).sum(axes: [1]) / maximum(counts.sum(axes: [1]), 1)
    }

    /// `[frequencies, bands]`: which bins are whose.
    private func membership(_ dtype: DType) -> Tensor {
        let count = bands.bins.count
        var values = [Double](repeating: 0, count: stft.frequencyCount * count)
        for (band, bins) in bands.bins.enumerated() { for bin in bins { values[bin * count + band] = 1 } }
        return Tensor.constant(values, dtype, shape: [stft.frequencyCount, count])
    }
}
