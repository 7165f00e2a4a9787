public import Audio
public import Tensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// One minus how well the envelopes of an estimate follow those of the reference: the mean correlation of third-octave bands over
/// 384 ms, which is STOI but for its clipping, at the signals' own rate.
///
/// Taal et al., "An algorithm for intelligibility prediction of time-frequency weighted noisy speech", 2011. Log-mel distances make as
/// much of what is quiet as of what is loud; listeners, and this, hear whether the loud moments are where they were.
public struct IntelligibilityLoss: Sendable {
    public let stft: STFT
    public let sampleRate: Int

    /// Third-octave bands from 150 Hz on.
    static let bandCount = 15
    /// Frames of a correlation: 384 ms.
    static let segment = 30
    /// What is so many dB below the loudest 384 ms of a clip counts as silence.
    static let dynamicRange = 40.0
    /// Of a band, and of its variance: below it the roots' gradients would grow without end.
    static let smallestPower = 1e-8

    /// - Parameter sampleRate: at least 10 kHz, or bands would have no frequencies.
    public init(sampleRate: Int) {
        precondition(sampleRate >= 10000, "intelligibility at \(sampleRate) Hz")
        self.sampleRate = sampleRate
        let window = Int((0.0256 * Double(sampleRate)).rounded())
        stft = STFT(
            length: transformLength(atLeast: Double(window)), hop: window / 2, windowLength: window, padding: .zeros)
    }

    /// Where each band begins, and where the last ends: places among the frequencies.
    private var edges: [Int] {
        (0...Self.bandCount).map { band in
            let frequency = 150 * pow(2, Double(2 * band - 1) / 6)
            return Int((frequency * Double(stft.length) / Double(sampleRate)).rounded())
        }
    }

    /// - Parameters:
    ///   - reference: `[batch, samples]`; no gradient flows to it.
    ///   - estimate: `[batch, samples]`.
    ///   - masks: what is real of them.
    ///   - bandwidth: f32 `[batch]`, the highest frequency of each clip that counts, in Hz; bands that reach above it do not.
    /// - Returns: a scalar, from 0 for equal envelopes to 2; 0 where no clip lasts 384 ms.
    public func callAsFunction(
        _ reference: Tensor, _ estimate: Tensor, masks: Masks? = nil, bandwidth: Tensor? = nil
    ) -> Tensor {
        let batch = reference.shape[0]
        let both = envelopes(signals(reference.stoppingGradient, estimate, masks).alignedToEnd(step: stft.hop))
        let frames = both.shape[1]
        let segments = frames - Self.segment + 1
        guard segments > 0 else { return Tensor.scalar(0, reference.dtype) }
        let (x, y) = (both.slice(0, 0, batch).stoppingGradient, both.slice(0, batch, 2 * batch))

        // Means over each segment's frames, as a product with what is in it.
        let place = TensorType(.i32, [segments, frames])
        let age = Tensor.iota(place, axis: 1) - Tensor.iota(place, axis: 0)
        let isIn = (age.isAtLeast(0) & age.isLess(than: Double(Self.segment))).cast(to: x.dtype)
        func mean(_ value: Tensor) -> Tensor {
            let product = dot(value, isIn, contracting: ([1], [1]))
            return product.transposed([0, 2, 1]) * (1 / Double(Self.segment))
        }
        let (meanX, meanY) = (mean(x), mean(y))
        func spread(_ square: Tensor, _ mean: Tensor) -> Tensor {
            (square - mean.squared).sqrt(floor: Self.smallestPower)
        }
        let powerX = mean(x.squared)
        let correlation =
            (mean(x * y) - meanX * meanY) / (spread(powerX, meanX) * spread(mean(y.squared), meanY))

        let loudness = powerX.sum(axes: [2])
        var counts = loudFrames(
            loudness, dynamicRange: Self.dynamicRange, silence: 2 * Double(Self.bandCount) * Self.smallestPower)
        if let masks {
            // The padding is before a clip: a segment is real if its first frame is.
            counts = counts & masks.spectrogramFrames(frames, step: stft.hop).slice(1, 0, segments)
        }
        let top = edges.dropFirst().map { Double($0) * Double(sampleRate) / Double(stft.length) }
        return (1 - correlation).mean(weights: cellWeights(counts, bandwidth, upperEdges: top))
    }

    /// `[batch, samples]` → the magnitude in each band, `[batch, frames, bands]`.
    private func envelopes(_ x: Tensor) -> Tensor {
        let edges = edges
        let bins = Tensor.range(stft.frequencyCount, x.dtype).expanded(at: 1)
        func row(_ values: some Collection<Int>) -> Tensor { .constant(values.map(Double.init), x.dtype) }
        let isIn = bins.isAtLeast(row(edges.dropLast())) & bins.isLess(than: row(edges.dropFirst()))
        return matmul(stft(x).power, isIn.cast(to: x.dtype)).sqrt(floor: Self.smallestPower)
    }
}
