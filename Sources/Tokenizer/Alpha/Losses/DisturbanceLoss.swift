public import Audio
public import Tensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How disturbing the difference of two sounds is to a listener, in about the points that PESQ takes off for it.
///
/// Beerends et al., "Perceptual Evaluation of Speech Quality (PESQ), the new ITU standard for end-to-end speech quality assessment,
/// Part II", 2002 (ITU-T P.862), as a loss after Martín-Doñas et al., "A deep learning loss function based on the perceptual evaluation
/// of the speech quality" (PMSQE), 2018: power in half-Bark bands becomes loudness; of two loudnesses a difference below a quarter of the
/// lesser is not heard, and what was added counts for more than what is missing. Bands, thresholds and the ear's gain are those of formulas in the
/// literature instead of P.862's tables, signals are not filtered or aligned, and a clip's frames are averaged by their squares.
public struct DisturbanceLoss: Sendable {
    public let stft: STFT
    public let sampleRate: Int

    /// In Hz: P.862.2 hears no more.
    static let highest = 8000.0
    /// Of a band.
    static let barks = 0.5
    /// dB SPL at which a clip's speech is heard.
    static let level = 79.0
    /// dB of full scale (RMS): a clip below it is background, and is not made as loud as speech.
    static let quietest = -45.0
    /// Frames so many dB below the loudest do not count for a clip's level.
    static let dynamicRange = 30.0
    /// How loudness grows with power above the threshold (Zwicker and Feldtkeller, 1967).
    static let exponent = 0.23
    /// Makes 1 kHz of 40 dB SPL one sone.
    static let loudnessScale = 0.19

    /// - Parameter sampleRate: at least 16 kHz.
    public init(sampleRate: Int) {
        precondition(sampleRate >= 16000, "disturbance at \(sampleRate) Hz")
        self.sampleRate = sampleRate
        let window = sampleRate / 125 * 4
        stft = STFT(
            length: transformLength(atLeast: Double(window)), hop: window / 2, windowLength: window, padding: .zeros)
    }

    /// Where each band begins, and where the last ends: places among the frequencies.
    ///
    /// Of Schroeder's Bark, 7 asinh(f / 650 Hz) (1977).
    private var edges: [Int] {
        let count = Int(7 * asinh(Self.highest / 650) / Self.barks)
        return (0...count).map { band in
            let frequency = 650 * sinh(Double(band) * Self.barks / 7)
            return Int((frequency * Double(stft.length) / Double(sampleRate)).rounded())
        }
    }

    /// The least power that is heard in each band, over that of 0 dB SPL (Terhardt, "Calculating virtual pitch", 1979).
    private var thresholds: [Double] {
        edges.indices.dropLast().map { band in
            let kilohertz = 0.65 * sinh((Double(band) + 0.5) * Self.barks / 7)
            let decibels =
                3.64 * pow(kilohertz, -0.8) - 6.5 * exp(-0.6 * pow(kilohertz - 3.3, 2)) + 1e-3 * pow(kilohertz, 4)
            return pow(10, decibels / 10)
        }
    }

    /// - Parameters:
    ///   - reference: `[batch, samples]`; no gradient flows to it.
    ///   - estimate: `[batch, samples]`.
    ///   - masks: what is real of them.
    ///   - bandwidth: f32 `[batch]`, the highest frequency of each clip that counts, in Hz; bands that reach above it do not.
    /// - Returns: a scalar, the mean over clips: 0 where nothing is heard to differ; 3 is much.
    public func callAsFunction(
        _ reference: Tensor, _ estimate: Tensor, masks: Masks? = nil, bandwidth: Tensor? = nil
    ) -> Tensor {
        let batch = reference.shape[0]
        let both = powers(signals(reference.stoppingGradient, estimate, masks).alignedToEnd(step: stft.hop))
        let frames = masks?.spectrogramFrames(both.shape[1], step: stft.hop)
        let x = both.slice(0, 0, batch)
        let scale = pow(10, Self.level / 10) / level(x, frames)
        let heard = cellWeights(frames, bandwidth, upperEdges: edges.dropFirst().map(frequency))?.cast(to: x.dtype)
        let parts = disturbances(x * scale, both.slice(0, batch, 2 * batch) * scale, heard: heard)
        // The mean over a clip's frames is of squares: what is worst is noticed most.
        let total = parts.symmetric * 0.1 + parts.added * 0.0309
        let counts = frames?.cast(to: x.dtype) ?? (total * 0 + 1).stoppingGradient
        let mean = (total.squared * counts).sum(axes: [1]) / maximum(counts.sum(axes: [1]), 1)
        return mean.sqrt(floor: 1e-6).mean()
    }

    private func frequency(_ bin: Int) -> Double { Double(bin) * Double(sampleRate) / Double(stft.length) }

    /// `[batch, samples]` → the mean square in each band, `[batch, frames, bands]`.
    private func powers(_ x: Tensor) -> Tensor {
        let edges = edges
        let bins = Tensor.range(stft.frequencyCount, x.dtype).expanded(at: 1)
        func row(_ values: some Collection<Int>) -> Tensor { .constant(values.map(Double.init), x.dtype) }
        let isIn = bins.isAtLeast(row(edges.dropLast())) & bins.isLess(than: row(edges.dropFirst()))
        let energy = stft.window.reduce(0) { $0 + $1 * $1 } * Double(stft.length) / 2
        return matmul(stft(x).power * (1 / energy), isIn.cast(to: x.dtype))
    }

    /// The mean square of each clip's loud frames, `[batch, 1, 1]`.
    private func level(_ x: Tensor, _ frames: Tensor?) -> Tensor {
        let power = x.sum(axes: [2])
        var counts = loudFrames(power, dynamicRange: Self.dynamicRange, silence: 0)
        if let frames { counts = counts & frames }
        let share = counts.cast(to: x.dtype)
        let mean = (power * share).sum(axes: [1]) / maximum(share.sum(axes: [1]), 1)
        return maximum(mean, pow(10, Self.quietest / 10)).reshaped([x.shape[0], 1, 1])
    }

    /// What is heard to differ in each frame, `[batch, frames]`, and what of it was added, which is worse.
    ///
    /// - Parameters:
    ///   - x: powers over that of 0 dB SPL, `[batch, frames, bands]`.
    ///   - heard: 1 and 0 of what broadcasts to it; nil for all.
    private func disturbances(_ x: Tensor, _ y: Tensor, heard: Tensor?) -> (symmetric: Tensor, added: Tensor) {
        let least = Tensor.constant(thresholds, x.dtype)
        let bandCount = Double(thresholds.count)
        func heardPower(_ power: Tensor) -> Tensor {
            let audible = select(power.isGreater(than: least), power, Tensor.scalar(0, power.dtype))
            return (heard.map { audible * $0 } ?? audible).sum(axes: [2], keepingAxes: true)
        }
        // Levels that rise and fall from frame to frame are made up for.
        let gain = (heardPower(x) + 5e3) / (heardPower(y) + 5e3)
        let estimate = y * maximum(minimum(gain, 5), 3e-4)
        func loudness(_ power: Tensor) -> Tensor {
            let above = (maximum(power, least) / least * 0.5 + 0.5).log() * Self.exponent
            return (above.exp() - 1) * (least * 2).power(Self.exponent) * Self.loudnessScale
        }
        let (own, other) = (loudness(x), loudness(estimate))
        var difference = maximum((other - own).abs() - minimum(own, other) * 0.25, 0)
        if let heard { difference = difference * heard }
        let excess = (((estimate + 50) / (x + 50)).log() * 1.2).exp().stoppingGradient
        let asymmetry = select(excess.isAtLeast(3), minimum(excess, 12), Tensor.scalar(0, x.dtype))
        let width = bandCount * Self.barks
        let symmetric =
            (difference.squared.sum(axes: [2]) * (1 / bandCount)).sqrt(floor: 1e-6) * (width * sqrt(Self.barks))
        return (symmetric, (difference * asymmetry).sum(axes: [2]) * Self.barks)
    }
}
