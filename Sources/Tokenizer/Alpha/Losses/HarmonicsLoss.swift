public import Audio
public import Tensor

/// How little of the fine structure of the reference's spectra an estimate has, from 300 to 4,000 Hz: one minus the agreement of
/// magnitudes, each over the mean of those around it.
///
/// Mel bands are wider than a voice's pitch from 1 or 2 kHz on, so that noise in place of harmonics costs a log-mel distance little, and a
/// decoder makes noise. What magnitudes over their surroundings are is the same for loud and quiet, whatever the envelope, and asks
/// for harmonics where the voice has its own, with no phase for them. Unvoiced sound has little of it, and nobody can say where: it counts
/// less, as its own magnitudes vary less.
public struct HarmonicsLoss: Sendable {
    public let stft: STFT
    public let sampleRate: Int

    /// In Hz.
    static let band = 300.0...4000.0
    /// How far, in Hz, a mean of magnitudes reaches to each side, in weights that fall linearly: two harmonics of a high voice.
    static let reach = 300.0
    /// Frames so many dB below the loudest of a clip, in the band, do not count.
    static let dynamicRange = 30.0
    /// What surrounds a magnitude counts as this much at least.
    static let smallestMagnitude = 1e-3

    public init(sampleRate: Int) {
        self.sampleRate = sampleRate
        stft = STFT(length: transformLength(atLeast: 0.04 * Double(sampleRate)), padding: .zeros)
    }

    /// - Parameters:
    ///   - reference: `[batch, samples]`; no gradient flows to it.
    ///   - estimate: `[batch, samples]`.
    ///   - masks: what is real of them.
    ///   - bandwidth: f32 `[batch]`, the highest frequency of each clip that counts, in Hz.
    /// - Returns: a scalar, the mean over clips: 0 for equal spectra, near 1 for unrelated ones, at most 2.
    public func callAsFunction(
        _ reference: Tensor, _ estimate: Tensor, masks: Masks? = nil, bandwidth: Tensor? = nil
    ) -> Tensor {
        let batch = reference.shape[0]
        let both = signals(reference.stoppingGradient, estimate, masks).alignedToEnd(step: stft.hop)
        let magnitudes = stft.magnitude(both, floor: Self.smallestMagnitude * Self.smallestMagnitude)
        let bin = Double(stft.length) / Double(sampleRate)
        let (low, high) = (Int((Self.band.lowerBound * bin).rounded(.up)), Int(Self.band.upperBound * bin) + 1)
        let inBand = magnitudes.slice(2, low, high)
        let ripple = inBand / matmul(magnitudes, surroundings(low, high, magnitudes.dtype)) - 1
        let (x, y) = (ripple.slice(0, 0, batch), ripple.slice(0, batch, 2 * batch))

        let loudness = inBand.slice(0, 0, batch).squared.sum(axes: [2])
        let silence = Double(high - low) * 2 * Self.smallestMagnitude * Self.smallestMagnitude
        var counts = loudFrames(loudness, dynamicRange: Self.dynamicRange, silence: silence)
        if let masks { counts = counts & masks.spectrogramFrames(loudness.shape[1], step: stft.hop) }
        let weights = cellWeights(counts, bandwidth, upperEdges: (low..<high).map { Double($0) / bin })
        func total(_ product: Tensor) -> Tensor {
            (weights.map { product * $0.cast(to: product.dtype) } ?? product).sum(axes: [1, 2])
        }
        let own = total(x.squared)
        let agreement = total(x * y) * 2 / (own + total(y.squared) + 1e-6)
        return (1 - agreement).mean(weights: own.isGreater(than: 0))
    }

    /// `[frequencies, high - low]`: the weights of all frequencies in the mean around each one of the band.
    private func surroundings(_ low: Int, _ high: Int, _ dtype: DType) -> Tensor {
        let reach = Self.reach * Double(stft.length) / Double(sampleRate)
        let bins = Tensor.range(stft.frequencyCount, dtype).expanded(at: 1)
        let centres = Tensor.constant((low..<high).map(Double.init), dtype)
        let weights = maximum(1 - (bins - centres).abs() * (1 / reach), Tensor.scalar(0, dtype))
        return weights / weights.sum(axes: [0], keepingAxes: true)
    }
}
