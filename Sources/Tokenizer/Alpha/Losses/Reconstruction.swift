public import Audio
public import Tensor

/// The mean absolute difference of log-mel spectrograms at several resolutions.
///
/// Kumar et al. (DAC), 2023: windows of 32 to 2048 samples at 24 kHz-like rates, hops of a quarter.
public struct MultiScaleMelLoss: Sendable {
    public let scales: [MelSpectrogram]

    /// - Parameters:
    ///   - windows: samples per transform of each scale.
    ///   - bands: mel bands of each scale.
    public init(
        sampleRate: Int, windows: [Int] = [32, 64, 128, 256, 512, 1024, 2048],
        bands: [Int] = [5, 10, 20, 40, 80, 160, 320]
    ) {
        precondition(windows.count == bands.count, "\(windows.count) windows and \(bands.count) counts of bands")
        scales = zip(windows, bands).map { MelSpectrogram(sampleRate: sampleRate, fftLength: $0, bandCount: $1) }
    }

    /// Two signals `[batch, samples]` → a scalar: the sum over scales of mean |Δ log10 mel|.
    public func callAsFunction(_ x: Tensor, _ y: Tensor) -> Tensor {
        let batch = x.shape[0]
        return scales.reduce(Tensor.scalar(0, x.dtype)) { sum, scale in
            // Both signals in one transform: fewer, larger operations.
            let both = scale.logarithmic(concatenate([x, y], axis: 0))
            return sum + (both.slice(0, 0, batch) - both.slice(0, batch, 2 * batch)).abs().mean()
        }
    }
}

/// Spectral convergence and log-magnitude difference at several resolutions.
///
/// Yamamoto et al., "Parallel WaveGAN", 2020.
public struct MultiResolutionSTFTLoss: Sendable {
    public let resolutions: [STFT]

    public init(windows: [Int] = [512, 1024, 2048]) {
        resolutions = windows.map { STFT(length: $0) }
    }

    /// Two signals `[batch, samples]`, the reference first → a scalar, averaged over resolutions.
    public func callAsFunction(_ reference: Tensor, _ estimate: Tensor) -> Tensor {
        let batch = reference.shape[0]
        let total = resolutions.reduce(Tensor.scalar(0, reference.dtype)) { sum, stft in
            let both = stft.magnitude(concatenate([reference, estimate], axis: 0), floor: 1e-7)
            let (x, y) = (both.slice(0, 0, batch), both.slice(0, batch, 2 * batch))
            let convergence =
                (x - y).squared.sum(axes: [1, 2]).sqrt(floor: 1e-12) / x.squared.sum(axes: [1, 2]).sqrt(floor: 1e-12)
            return sum + convergence.mean() + (x.log() - y.log()).abs().mean()
        }
        return total * (1 / Double(resolutions.count))
    }
}

/// The mean absolute difference of two waveforms.
public func waveformLoss(_ x: Tensor, _ y: Tensor) -> Tensor { (x - y).abs().mean() }

extension Tensor {
    /// A root whose gradient stays finite: of `max(x, floor)`.
    func sqrt(floor: Double) -> Tensor { maximum(self, floor).sqrt() }
}
