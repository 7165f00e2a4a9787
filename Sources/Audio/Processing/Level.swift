import CEBUR128

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension Waveform {
    /// The largest magnitude of a sample.
    public var peak: Float { samples.reduce(0) { max($0, abs($1)) } }

    /// The programme loudness in LUFS by EBU R128 (ITU-R BS.1770), gated; nil for silence.
    ///
    /// The measure takes blocks of 400 ms. A shorter sound is repeated until it fills one.
    public var loudness: Double? {
        if samples.isEmpty { return nil }
        var state = ebur128_init(1, UInt(sampleRate), Int32(EBUR128_MODE_I.rawValue))
        guard state != nil else { return nil }
        defer { ebur128_destroy(&state) }
        let block = 2 * sampleRate / 5
        for _ in 0..<max(1, (block + samples.count - 1) / samples.count) {
            guard ebur128_add_frames_float(state, samples, samples.count) == EBUR128_SUCCESS.rawValue else {
                return nil
            }
        }
        var value = 0.0
        guard ebur128_loudness_global(state, &value) == EBUR128_SUCCESS.rawValue, value.isFinite else { return nil }
        return value
    }

    /// Every sample times a gain in dB.
    public func amplified(by decibels: Double) -> Waveform {
        let factor = Float(pow(10, decibels / 20))
        return Waveform(samples: samples.map { $0 * factor }, sampleRate: sampleRate)
    }
}

/// How loud clips are made before they are used.
public enum LevelNormalization: Hashable, Sendable {
    /// As they were recorded.
    case none
    /// The largest magnitude at so many dB re full scale.
    case peak(Double)
    /// The programme loudness at so many LUFS, but no louder than fits: peaks are never clipped.
    case loudness(Double)

    /// Silence stays as it is, and what is 200 dB below full scale: no gain makes speech of that.
    public func callAsFunction(_ waveform: Waveform) -> Waveform {
        if case .none = self { return waveform }
        let headroom = -20 * log10(Double(waveform.peak))
        guard headroom < 200 else { return waveform }
        switch self {
        case .none: return waveform
        case .peak(let level): return waveform.amplified(by: headroom + level)
        case .loudness(let level):
            guard let loudness = waveform.loudness else { return waveform }
            return waveform.amplified(by: min(level - loudness, headroom))
        }
    }
}

extension LevelNormalization: Codable {
    private enum Keys: String, CodingKey { case peak, loudness }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        if let level = try container.decodeIfPresent(Double.self, forKey: .peak) {
            self = .peak(level)
        } else if let level = try container.decodeIfPresent(Double.self, forKey: .loudness) {
            self = .loudness(level)
        } else {
            self = .none
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        switch self {
        case .none: break
        case .peak(let level): try container.encode(level, forKey: .peak)
        case .loudness(let level): try container.encode(level, forKey: .loudness)
        }
    }
}
