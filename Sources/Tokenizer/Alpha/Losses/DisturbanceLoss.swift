public import Audio
public import Tensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How much an estimate disturbs whoever knows the reference: the loudness that is missing or added in bands of an ear, as PESQ (ITU-T P.862; Rix et
/// al., 2001) weighs it, from 60 Hz to 8 kHz.
///
/// Loudness is Zwicker's, over Terhardt's threshold of hearing, with the reference at 79 dB SPL. What is off by less than a quarter of the quieter is masked.
/// What is more than 4 dB too much counts again, up to twelve times: it is heard as a sound of its own. PESQ first forgives a constant colour
/// and what frames are too loud or too quiet by; a decoder is not to learn to rely on it, so here there is none of that. Nor is there PESQ's
/// ceiling for a frame, under which half the frames of such codecs as this have no gradient left (docs/experiments.md).
public struct DisturbanceLoss: Sendable {
    public let stft: STFT
    public let sampleRate: Int
    /// The first bin of each band, and the end of the last.
    let edges: [Int]

    /// In Hz.
    static let range = 60.0...8000.0
    /// The least width of a band, in Bark. Low bands are a bin wide, which is more.
    static let width = 0.4
    /// In Hz; what is between makes the level.
    static let speech = 300.0...3250.0
    /// Of the reference, in dB SPL, and how loud it is taken to be at least: in dB of full scale, so that pauses stay quiet.
    static let level = 79.0
    static let quietest = -50.0
    /// Of intensity (Zwicker and Fastl, "Psychoacoustics", 1990), and the loudness in sone that goes with it.
    static let exponent = 0.23
    static let sone = 0.187
    /// What of the quieter loudness masks a difference.
    static let masking = 0.25
    /// P.862's: of the ratio of added intensities, from which result it counts, and what it counts at most.
    static let addition = (exponent: 1.2, least: 3.0, most: 12.0)
    static let weights = (all: 0.1, added: 0.0309)

    public init(sampleRate: Int) {
        self.sampleRate = sampleRate
        stft = STFT(length: 4 * Int((0.008 * Double(sampleRate)).rounded()), padding: .zeros)
        let bin = Double(sampleRate) / Double(stft.length)
        let end = min(Int(Self.range.upperBound / bin), stft.frequencyCount)
        var edges = [Int((Self.range.lowerBound / bin).rounded())]
        while let last = edges.last, last < end {
            let next = Self.hertz(bark: Self.bark(hertz: Double(last) * bin) + Self.width) / bin
            edges.append(min(end, max(last + 1, Int(next.rounded()))))
        }
        self.edges = edges
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
        let intensity = matmul(power, bands(power.dtype)) * concatenate([scale, scale], axis: 0)
        let loudness = loudness(intensity)
        func split(_ value: Tensor) -> (Tensor, Tensor) {
            (value.slice(0, 0, batch), value.slice(0, batch, 2 * batch))
        }
        let ((x, y), (heard, made)) = (split(intensity), split(loudness))
        let difference = maximum((made - heard).abs() - minimum(made, heard) * Self.masking, 0)
        let ratio = ((y + 50) / (x + 50)).stoppingGradient.power(Self.addition.exponent)
        let added = select(
            ratio.isAtLeast(Self.addition.least), minimum(ratio, Self.addition.most), Tensor.scalar(0, ratio.dtype))

        var widths = Tensor.constant(barks, power.dtype, shape: [1, 1, barks.count])
        if let counted = cellWeights(nil, bandwidth, upperEdges: edges.dropFirst().map(hertz)) {
            widths = widths * counted.cast(to: power.dtype)
        }
        let whole = barks.reduce(0, +).squareRoot()
        let all = (difference.squared * widths).sum(axes: [2]).sqrt(floor: 1e-6) * whole
        let excess = (difference * added * widths).sum(axes: [2])
        let disturbance = (all * Self.weights.all + excess * Self.weights.added).squared
        return mean(disturbance, frames).sqrt(floor: 1e-6).mean()
    }

    /// Sone per Bark `[batch, frames, bands]` of intensities over those of 0 dB SPL; none below the threshold.
    private func loudness(_ intensity: Tensor) -> Tensor {
        let least = threshold.map { pow(10, $0 / 10) }
        func constant(_ values: [Double]) -> Tensor {
            Tensor.constant(values, intensity.dtype, shape: [1, 1, values.count])
        }
        let over = maximum(intensity * constant(least.map { 1 / $0 }), 1)
        return ((over * 0.5 + 0.5).power(Self.exponent) - 1)
            * constant(least.map { Self.sone * pow(2 * $0, Self.exponent) })
    }

    /// `[batch, 1, 1]`, by which a power of a reference's bin is an intensity.
    private func calibration(_ power: Tensor, _ frames: Tensor?) -> Tensor {
        let bin = hertz(1)
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
    private func bands(_ dtype: DType) -> Tensor {
        let count = edges.count - 1
        var values = [Double](repeating: 0, count: stft.frequencyCount * count)
        for band in 0..<count { for bin in edges[band]..<edges[band + 1] { values[bin * count + band] = 1 } }
        return Tensor.constant(values, dtype, shape: [stft.frequencyCount, count])
    }

    private func hertz(_ bin: Int) -> Double { Double(bin) * Double(sampleRate) / Double(stft.length) }

    /// Each band's width.
    private var barks: [Double] {
        zip(edges, edges.dropFirst()).map { Self.bark(hertz: hertz($1)) - Self.bark(hertz: hertz($0)) }
    }

    /// Of hearing, for each band's centre, in dB SPL (Terhardt, 1979).
    private var threshold: [Double] {
        zip(edges, edges.dropFirst()).map {
            let f = (hertz($0) + hertz($1 - 1)) / 2000
            return min(60, 3.64 * pow(f, -0.8) - 6.5 * exp(-0.6 * (f - 3.3) * (f - 3.3)) + 1e-3 * pow(f, 4))
        }
    }

    /// Schroeder's.
    private static func bark(hertz: Double) -> Double { 7 * asinh(hertz / 650) }
    private static func hertz(bark: Double) -> Double { 650 * sinh(bark / 7) }
}
