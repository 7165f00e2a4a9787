#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Makes what is far below the loudest of a sound quieter still, a downward expander for each frequency: a codec that learns from such
/// sound leaves out background that it would else imitate badly.
public struct Expander: Hashable, Sendable, Codable {
    /// dB that are taken away at most.
    public var limit: Double
    /// How far below the loudest cell of the spectrogram something must be for any of it to be taken away, in dB.
    public var threshold: Double
    /// How much further below that for all of it.
    public var knee: Double

    /// - Precondition: `limit` and `threshold` are not negative, and `knee` is positive.
    public init(limit: Double, threshold: Double = 45, knee: Double = 20) {
        precondition(
            limit >= 0 && threshold >= 0 && knee > 0, "an expander by \(limit) dB from \(threshold) to \(knee) further")
        self.limit = limit
        self.threshold = threshold
        self.knee = knee
    }

    /// Spectrograms of Hann windows of 32 to 64 ms, three quarters in common.
    public func callAsFunction(_ waveform: Waveform) -> Waveform {
        let size = max(4, Int(pow(2, (log2(0.032 * Double(waveform.sampleRate))).rounded(.up))))
        let hop = size / 4
        let spectrum = ShortTimePower(fftSize: size, hop: hop)
        let frames = -1..<spectrum.frameCount(sampleCount: waveform.samples.count) + 2
        let loudest = frames.reduce(0) { max($0, spectrum.frame($1, of: waveform.samples).max() ?? 0) }
        guard loudest > 0, loudest.isFinite, limit > 0 else { return waveform }

        let fft = RealFFT(count: size)
        let begin = 10 * log10(loudest) - threshold
        var samples = [Double](repeating: 0, count: waveform.samples.count)
        for index in frames {
            let windowed = spectrum.windowed(index, of: waveform.samples)
            let (real, imaginary) = fft.transform(windowed)
            let gains = zip(real, imaginary).map { real, imaginary in
                let below = begin - 10 * log10(real * real + imaginary * imaginary + .leastNormalMagnitude)
                return pow(10, -limit * min(max(below / knee, 0), 1) / 20)
            }
            let frame = fft.inverse(zip(real, gains).map(*), zip(imaginary, gains).map(*))
            let start = index * hop - size / 2
            for offset in max(0, -start)..<max(0, -start, min(size, samples.count - start)) {
                // Squares of Hann windows a quarter apart add up to 3/2.
                samples[start + offset] += frame[offset] * spectrum.window[offset] / 1.5
            }
        }
        return Waveform(samples: samples.map(Float.init), sampleRate: waveform.sampleRate)
    }
}
