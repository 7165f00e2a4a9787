#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Cuts silence before the first and after the last sound.
public struct SilenceTrimming: Hashable, Sendable, Codable {
    /// A frame counts as sound if its level is within so many dB of the loud frames'.
    public var range: Double
    /// What is kept on either side, in seconds.
    public var margin: Double

    /// Frames of 20 ms.
    private static let frameSeconds = 0.02
    /// Nothing below this level, in dB re full scale, is a sound.
    private static let floor = -70.0

    public init(range: Double = 40, margin: Double = 0.1) {
        self.range = range
        self.margin = margin
    }

    /// What lies between the first and the last sound, with the margin; nil where there is none.
    ///
    /// The loud frames are those at the 95th percentile, so that a click does not decide.
    public func bounds(of waveform: Waveform) -> Range<Int>? {
        let frame = max(1, Int(Self.frameSeconds * Double(waveform.sampleRate)))
        let samples = waveform.samples
        let levels = stride(from: 0, to: samples.count, by: frame).map { start in
            let end = min(start + frame, samples.count)
            var sum: Float = 0
            for index in start..<end { sum += samples[index] * samples[index] }
            return 10 * log10(Double(sum) / Double(end - start) + 1e-12)
        }
        guard !levels.isEmpty else { return nil }
        let loud = levels.sorted()[(levels.count - 1) * 95 / 100]
        let threshold = max(loud - range, Self.floor)
        guard let first = levels.firstIndex(where: { $0 > threshold }),
            let last = levels.lastIndex(where: { $0 > threshold })
        else { return nil }
        let kept = Int(margin * Double(waveform.sampleRate))
        return max(0, first * frame - kept)..<min(samples.count, (last + 1) * frame + kept)
    }

    /// The waveform without the silence around it; none of it where it is all silence.
    public func callAsFunction(_ waveform: Waveform) -> Waveform {
        guard let bounds = bounds(of: waveform) else { return Waveform(samples: [], sampleRate: waveform.sampleRate) }
        return bounds.count == waveform.samples.count
            ? waveform : Waveform(samples: Array(waveform.samples[bounds]), sampleRate: waveform.sampleRate)
    }
}
