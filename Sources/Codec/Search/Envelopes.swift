import Audio

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What of the sound around a moment a search compares.
struct Envelopes: Sendable {
    /// Magnitudes of third-octave bands from 150 Hz on.
    var octaves: [Double]
    /// About how loud each of many narrow mel bands is heard: below 1 kHz they tell harmonics apart.
    var loudness: [Double]
    /// The windowed samples that `loudness` is of.
    var waveform: [Double]
}

/// Computes the envelopes of a window.
struct EnvelopeAnalysis: Sendable {
    /// In samples: the longer one of the two that end together.
    var windowLength: Int { loudnessSpectrum.window.count }
    private let octaveSpectrum: Spectrum
    private let loudnessSpectrum: Spectrum
    private let octaves: [Range<Int>]
    private let bands: MelFilterBank

    private static let octaveCount = 15
    private static let bandCount = 128
    /// Of power. Loudness grows as intensity to the 0.3 (Stevens, "The measurement of loudness", 1955), and PESQ's as it to the 0.23;
    /// of 0.2 to 0.35 this left the most of speech.
    private static let exponent = 0.25
    /// Each measure's own, in seconds: STOI's for octaves, PESQ's for loudness.
    private static let windows = (octaves: 0.0256, loudness: 0.032)

    init(sampleRate: Int) {
        octaveSpectrum = Spectrum(seconds: Self.windows.octaves, sampleRate: sampleRate)
        loudnessSpectrum = Spectrum(seconds: Self.windows.loudness, sampleRate: sampleRate)
        let size = octaveSpectrum.fft.count
        let edges = (0...Self.octaveCount).map { band in
            Int((150 * pow(2, Double(2 * band - 1) / 6) * Double(size) / Double(sampleRate)).rounded())
        }
        octaves = zip(edges, edges.dropFirst()).map { $0..<$1 }.filter { $0.upperBound <= size / 2 }
        bands = MelFilterBank(sampleRate: sampleRate, fftSize: loudnessSpectrum.fft.count, bands: Self.bandCount)
    }

    /// - Parameter samples: `windowLength` of them.
    func callAsFunction(_ samples: ArraySlice<Float>) -> Envelopes {
        let power = octaveSpectrum.power(octaveSpectrum.windowed(samples))
        let waveform = loudnessSpectrum.windowed(samples)
        return Envelopes(
            octaves: octaves.map { power[$0].reduce(0, +).squareRoot() },
            loudness: bands(loudnessSpectrum.power(waveform)).map { pow($0, Self.exponent) }, waveform: waveform)
    }

    /// The power spectrum of the last of some samples.
    private struct Spectrum: Sendable {
        let window: [Double]
        let fft: RealFFT

        init(seconds: Double, sampleRate: Int) {
            let length = Int((seconds * Double(sampleRate)).rounded())
            window = (0..<length).map { 0.5 - 0.5 * cos(2 * .pi * (Double($0) + 0.5) / Double(length)) }
            fft = RealFFT(count: 1 << (Int.bitWidth - (length - 1).leadingZeroBitCount))
        }

        func windowed(_ samples: ArraySlice<Float>) -> [Double] {
            zip(samples.suffix(window.count), window).map { Double($0) * $1 }
        }

        func power(_ windowed: [Double]) -> [Double] {
            fft.power(windowed + [Double](repeating: 0, count: fft.count - windowed.count))
        }
    }
}

/// The envelopes of a recording's window, and how far others are from them.
///
/// Three distances are added. Of third-octave bands it is the square over the variance that the band has had of late, which is what
/// STOI's correlations see (Taal et al., 2011). Of mel bands it is that of loudness, which PESQ's disturbance is made of, and as there what
/// is added counts more than what is missing (ITU-T P.862). Of the waveform it is the error's power over the recording's, a little of which
/// keeps pulses where they are, so that what the encoder says next still fits.
struct EnvelopeTarget: Sendable {
    private let envelopes: Envelopes
    /// What squares of the octaves' differences count, differences of loudness, and squares of the waveform's.
    private let octaveWeights: [Double]
    private let loudnessWeight: Double
    private let waveformWeight: Double
    /// What loudness that the recording lacks counts, beside as much that is missing: what is added is heard as noise of its own, where
    /// what is missing may not be missed.
    private static let addition = 1.5

    /// A recording so far: what its next window is weighed by.
    struct History: Sendable {
        private var octaves: [[Double]] = []
        private var largestMagnitude = 0.0
        private var largestLoudness = 0.0
        private var largestPower = 0.0

        /// 0.32 s of 10 ms each, about STOI's segment.
        private static let windows = 32
        /// What of the loudest window's magnitude a band's deviation counts as at least, and of its power the waveform's: silence is not heard.
        private static let floor = 0.01
        /// What is left of the loudest window's after the next 10 ms: half in 5 s, so that a knock is forgotten.
        private static let decay = pow(0.5, 1.0 / 500)
        /// Far below a bit of 24 in either measure.
        private static let silence = 1e-12
        /// What the octaves' distance counts beside that of loudness.
        private static let octaveShare = 0.15
        /// What the waveform's counts.
        private static let waveformShare = 0.05

        /// Goes on to the next window.
        mutating func target(_ next: Envelopes) -> EnvelopeTarget {
            octaves.append(next.octaves)
            if octaves.count > Self.windows { octaves.removeFirst() }
            largestMagnitude = max(Self.decay * largestMagnitude, next.octaves.reduce(0, +))
            largestLoudness = max(Self.decay * largestLoudness, next.loudness.reduce(0, +))
            let power = next.waveform.reduce(0) { $0 + $1 * $1 }
            largestPower = max(Self.decay * Self.decay * largestPower, power)
            // Nothing but silence, for as long as is remembered, is nothing to be compared by.
            guard largestMagnitude > Self.silence, largestLoudness > Self.silence,
                largestPower > Self.silence * Self.silence
            else {
                return EnvelopeTarget(
                    envelopes: next, octaveWeights: next.octaves.map { _ in 0 }, loudnessWeight: 1, waveformWeight: 0)
            }
            let least = Self.floor * largestMagnitude
            let weights = next.octaves.indices.map { band in
                let mean = octaves.reduce(0) { $0 + $1[band] } / Double(octaves.count)
                let variance = octaves.reduce(0) { $0 + ($1[band] - mean) * ($1[band] - mean) } / Double(octaves.count)
                return Self.octaveShare / Double(next.octaves.count) / (variance + least * least)
            }
            return EnvelopeTarget(
                envelopes: next, octaveWeights: weights, loudnessWeight: 1 / largestLoudness,
                waveformWeight: Self.waveformShare / (power + Self.floor * largestPower))
        }
    }

    func distance(to other: Envelopes) -> Double {
        var sum = 0.0
        for (band, weight) in octaveWeights.enumerated() {
            let difference = envelopes.octaves[band] - other.octaves[band]
            sum += weight * difference * difference
        }
        for (one, other) in zip(envelopes.loudness, other.loudness) {
            sum += loudnessWeight * (other > one ? Self.addition * (other - one) : one - other)
        }
        var error = 0.0
        for (one, other) in zip(envelopes.waveform, other.waveform) { error += (one - other) * (one - other) }
        return sum + waveformWeight * error
    }
}
