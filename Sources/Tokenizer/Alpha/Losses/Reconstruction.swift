public import Audio
public import Tensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// Frames of spectrograms are counted from the end of a signal, where the clips of a batch agree, and zeros stand beyond both
// of its edges. So the frames of a clip are the same whatever padding stands before it.

/// The mean absolute difference of log-mel spectrograms at several resolutions.
///
/// Kumar et al. (DAC), 2023: windows of 32 to 2048 samples at 24 kHz-like rates, hops of a quarter.
public struct MultiScaleMelLoss: Sendable {
    public let scales: [MelSpectrogram]
    /// See `init`.
    public let quietest: Double?

    /// - Parameters:
    ///   - windows: samples per transform of each scale.
    ///   - bands: mel bands of each scale.
    ///   - quietest: in dB of full scale; what is quieter in a band than white noise of this level (RMS) counts as that loud. A logarithm
    ///     makes as much of a background that nobody hears as of speech. Nil for DAC's floor, 1e-5, far below any recording's.
    public init(
        sampleRate: Int, windows: [Int] = [32, 64, 128, 256, 512, 1024, 2048],
        bands: [Int] = [5, 10, 20, 40, 80, 160, 320], quietest: Double? = nil
    ) {
        self.quietest = quietest
        precondition(windows.count == bands.count, "\(windows.count) windows and \(bands.count) counts of bands")
        scales = zip(windows, bands).map {
            MelSpectrogram(sampleRate: sampleRate, fftLength: $0, bandCount: $1, padding: .zeros)
        }
    }

    /// Two signals `[batch, samples]` → a scalar: the sum over scales of mean |Δ log10 mel|.
    ///
    /// - Parameters:
    ///   - masks: what is real; the mean is over the clips' own frames.
    ///   - bandwidth: f32 `[batch]`, the highest frequency of each clip that counts, in Hz; bands that reach above it do not.
    public func callAsFunction(_ x: Tensor, _ y: Tensor, masks: Masks? = nil, bandwidth: Tensor? = nil) -> Tensor {
        let batch = x.shape[0]
        let both = signals(x, y, masks)
        return scales.reduce(Tensor.scalar(0, x.dtype)) { sum, scale in
            let levels = scale.logarithmic(
                both.alignedToEnd(step: scale.stft.hop), floor: quietest.map(scale.noiseEnergy) ?? 1e-5)
            let difference = (levels.slice(0, 0, batch) - levels.slice(0, batch, 2 * batch)).abs()
            return sum
                + difference.mean(
                    weights: cellWeights(
                        masks?.spectrogramFrames(difference.shape[1], step: scale.stft.hop), bandwidth,
                        upperEdges: scale.filterbank.upperEdges))
        }
    }
}

/// Spectral convergence and log-magnitude difference at several resolutions.
///
/// Yamamoto et al., "Parallel WaveGAN", 2020.
public struct MultiResolutionSTFTLoss: Sendable {
    public let resolutions: [STFT]
    public let sampleRate: Int
    /// See `init`.
    public let quietest: Double?

    /// - Parameter quietest: in dB of full scale; a frequency quieter than white noise of this level (RMS) counts as that loud in the
    ///   difference of logarithms. Nil for a floor far below any recording's.
    public init(sampleRate: Int, windows: [Int] = [512, 1024, 2048], quietest: Double? = nil) {
        self.sampleRate = sampleRate
        self.quietest = quietest
        resolutions = windows.map { STFT(length: $0, padding: .zeros) }
    }

    /// Two signals `[batch, samples]`, the reference first → a scalar, averaged over resolutions.
    ///
    /// The convergence is averaged over clips, the difference over their frames.
    ///
    /// - Parameters:
    ///   - masks: what is real.
    ///   - bandwidth: f32 `[batch]`, the highest frequency of each clip that counts, in Hz.
    public func callAsFunction(
        _ reference: Tensor, _ estimate: Tensor, masks: Masks? = nil, bandwidth: Tensor? = nil
    ) -> Tensor {
        let batch = reference.shape[0]
        let both = signals(reference, estimate, masks)
        let total = resolutions.reduce(Tensor.scalar(0, reference.dtype)) { sum, stft in
            let magnitudes = stft.magnitude(both.alignedToEnd(step: stft.hop), floor: 1e-7)
            let (x, y) = (magnitudes.slice(0, 0, batch), magnitudes.slice(0, batch, 2 * batch))
            let frequencies = (0..<stft.frequencyCount).map { Double($0 * sampleRate) / Double(stft.length) }
            let weights = cellWeights(
                masks?.spectrogramFrames(x.shape[1], step: stft.hop), bandwidth, upperEdges: frequencies)
            func norm(_ value: Tensor) -> Tensor {
                (weights.map { value.squared * $0.cast(to: value.dtype) } ?? value.squared)
                    .sum(axes: [1, 2]).sqrt(floor: 1e-12)
            }
            func level(_ magnitude: Tensor) -> Tensor {
                (quietest.map { maximum(magnitude, stft.noiseMagnitude(decibels: $0)) } ?? magnitude).log()
            }
            return sum + (norm(x - y) / norm(x)).mean() + (level(x) - level(y)).abs().mean(weights: weights)
        }
        return total * (1 / Double(resolutions.count))
    }
}

/// The mean absolute difference of two waveforms `[batch, samples]`, over what is real.
public func waveformLoss(_ x: Tensor, _ y: Tensor, masks: Masks? = nil) -> Tensor {
    (x - y).abs().mean(weights: masks?.samples)
}

/// Both signals in one batch, for fewer and larger operations, with zeros for padding.
func signals(_ x: Tensor, _ y: Tensor, _ masks: Masks?) -> Tensor {
    let both = concatenate([x, y], axis: 0)
    guard let masks else { return both }
    let real = masks.samples
    return select(concatenate([real, real], axis: 0), both, Tensor.scalar(0, both.dtype))
}

/// What of a spectrogram `[batch, frames, bands]` counts, as 1 and 0 of a shape that broadcasts to it; `nil` for all of it.
///
/// - Parameters:
///   - frames: `[batch, frames]`, those that count.
///   - bandwidth: f32 `[batch]`, in Hz.
///   - upperEdges: of each band, in Hz.
func cellWeights(_ frames: Tensor?, _ bandwidth: Tensor?, upperEdges: [Double]) -> Tensor? {
    let frames = frames?.expanded(at: 2)
    // The lowest band always counts, or a loss of nothing would be a loss of 0.
    let edges = [0] + upperEdges.dropFirst()
    let bands = bandwidth.map {
        Tensor.constant(edges, $0.dtype, shape: [1, 1, edges.count]).isAtMost($0.reshaped([$0.shape[0], 1, 1]))
    }
    switch (frames, bands) {
    case (nil, nil): return nil
    case (let only?, nil), (nil, let only?): return only
    case (let frames?, let bands?): return frames & bands
    }
}

/// The frames of a loudness `[batch, frames]` that are no more than `dynamicRange` dB below the loudest of their clip, and above `silence`.
func loudFrames(_ loudness: Tensor, dynamicRange: Double, silence: Double) -> Tensor {
    let floor = loudness.max(axes: [1], keepingAxes: true) * pow(10, -dynamicRange / 10)
    return loudness.isGreater(than: maximum(floor, silence))
}

/// The smallest power of two of so many samples or more: a length of transforms.
func transformLength(atLeast samples: Double) -> Int {
    var length = 1
    while Double(length) < samples { length *= 2 }
    return length
}

extension Tensor {
    /// A root whose gradient stays finite: of `max(x, floor)`.
    func sqrt(floor: Double) -> Tensor { maximum(self, floor).sqrt() }

    /// `[batch, samples]` with zeros before it up to a multiple of `step`, so that a spectrogram's last frame is centred on the
    /// signal's end and not its first on the beginning.
    func alignedToEnd(step: Int) -> Tensor {
        let count = shape[1]
        return padded(axis: 1, low: (count + step - 1) / step * step - count, high: 0)
    }
}
