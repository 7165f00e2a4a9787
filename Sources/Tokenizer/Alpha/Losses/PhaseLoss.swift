public import Audio
public import Tensor

/// How far an estimate is from the reference as a waveform where voices have their pitch: one minus the correlation of spectra from 60 to
/// 600 Hz, frame by frame.
///
/// Losses of magnitudes say which frequencies there are, but a decoder of frames has to know where in its period a voice is when a frame
/// begins, and without that makes a hum of the frame rate. Here it learns to be told. Unlike the signal-to-distortion ratio in dB, which
/// changes without bound where nothing agrees yet, this is from 0 to 2, and near 1 for unrelated signals.
public struct PhaseLoss: Sendable {
    public let stft: STFT
    public let sampleRate: Int

    /// In Hz: from below the lowest voice to the second harmonic of a high one.
    static let band = 60.0...600.0
    /// Frames so many dB below the loudest of a clip, in the band, do not count.
    static let dynamicRange = 30.0
    /// Of a frame, in the band: the least that has a direction.
    static let smallestPower = 1e-6

    public init(sampleRate: Int) {
        self.sampleRate = sampleRate
        stft = STFT(length: transformLength(atLeast: 0.04 * Double(sampleRate)), padding: .zeros)
    }

    /// - Parameters:
    ///   - reference: `[batch, samples]`; no gradient flows to it.
    ///   - estimate: `[batch, samples]`.
    ///   - masks: what is real of them.
    /// - Returns: a scalar, 0 for equal signals.
    public func callAsFunction(_ reference: Tensor, _ estimate: Tensor, masks: Masks? = nil) -> Tensor {
        let batch = reference.shape[0]
        let spectrum = stft(signals(reference.stoppingGradient, estimate, masks).alignedToEnd(step: stft.hop))
        let bin = Double(stft.length) / Double(sampleRate)
        let (low, high) = (Int(Self.band.lowerBound * bin), Int(Self.band.upperBound * bin) + 1)
        func parts(_ from: Int, _ to: Int) -> (Tensor, Tensor) {
            func cut(_ x: Tensor) -> Tensor { x.slice(0, from, to).slice(2, low, high) }
            return (cut(spectrum.real), cut(spectrum.imaginary))
        }
        let (x, y) = (parts(0, batch), parts(batch, 2 * batch))
        func product(_ a: (Tensor, Tensor), _ b: (Tensor, Tensor)) -> Tensor {
            (a.0 * b.0 + a.1 * b.1).sum(axes: [2])
        }
        let loudness = product(x, x)
        let agreement = product(x, y) * 2 / (loudness + product(y, y) + Self.smallestPower)
        var counts = loudFrames(loudness, dynamicRange: Self.dynamicRange, silence: Self.smallestPower)
        if let masks { counts = counts & masks.spectrogramFrames(loudness.shape[1], step: stft.hop) }
        return (1 - agreement).mean(weights: counts)
    }
}
