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
    /// The power in each of an ear's bands: below 1 kHz they tell harmonics apart.
    var powers: [Double]
    /// The windowed samples that `powers` are of.
    var waveform: [Double]
}

/// Computes the envelopes of a window.
struct EnvelopeAnalysis: Sendable {
    /// In samples: the longer one of the two that end together.
    var windowLength: Int { loudnessSpectrum.window.count }
    private let octaveSpectrum: Spectrum
    private let loudnessSpectrum: Spectrum
    private let octaves: [Range<Int>]
    let bands: HearingBands

    private static let octaveCount = 15
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
        bands = HearingBands(sampleRate: sampleRate, fftLength: loudnessSpectrum.fft.count)
    }

    /// - Parameter samples: `windowLength` of them.
    func callAsFunction(_ samples: ArraySlice<Float>) -> Envelopes {
        let power = octaveSpectrum.power(octaveSpectrum.windowed(samples))
        let waveform = loudnessSpectrum.windowed(samples)
        let heard = loudnessSpectrum.power(waveform)
        return Envelopes(
            octaves: octaves.map { power[$0].reduce(0, +).squareRoot() },
            powers: bands.bins.map { heard[$0].reduce(0, +) }, waveform: waveform)
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
/// STOI's correlations see (Taal et al., 2011). Of an ear's bands it is the loudness that is missing or added, as PESQ's disturbance weighs it
/// (ITU-T P.862), but that what is added counts a third: with all of it, or a quarter masked as there, STOI has to pay. Of the waveform it
/// is the error's power over the recording's, a little of which keeps pulses where they are, so that what the encoder says next still fits.
struct EnvelopeTarget: Sendable {
    private let envelopes: Envelopes
    private let bands: HearingBands
    /// What the recording's bands are heard as, in sone per Bark.
    private let loudness: [Double]
    /// By which a band's power is an intensity.
    private let calibration: Double
    /// What squares of the octaves' differences count, and squares of the waveform's.
    private let octaveWeights: [Double]
    private let waveformWeight: Double

    /// Of loudness that differs at all and of what is added, and the share of the quieter that masks a difference.
    private static let weights = (all: 0.015, added: 0.0014)
    private static let masking = 0.1
    /// P.862's: what is put under both intensities, from which ratio on loudness is added, and its exponent, which is what it counts, and the most.
    private static let addition = (background: 50.0, least: 2.5, exponent: 1.2, most: 12.0)

    /// A recording so far: what its next window is weighed by.
    struct History: Sendable {
        private let bands: HearingBands
        private var octaves: [[Double]] = []
        private var largestMagnitude = 0.0
        private var largestPower = 0.0

        /// 0.32 s of 10 ms each, about STOI's segment.
        private static let windows = 32
        /// What of the loudest window's magnitude a band's deviation counts as at least, and of its power the waveform's: silence is not heard.
        private static let floor = 0.01
        /// What is left of the loudest window's after the next 10 ms: half in 5 s, so that a knock is forgotten.
        private static let decay = pow(0.5, 1.0 / 500)
        /// Far below a bit of 24 in either measure.
        private static let silence = 1e-12
        /// What the octaves' distance counts.
        private static let octaveShare = 0.15
        /// What the waveform's counts.
        private static let waveformShare = 0.05
        /// What the loudest window is taken for, in dB SPL: 79 is speech's, of which the loudest is some 5 above.
        private static let level = 84.0

        init(_ bands: HearingBands) { self.bands = bands }

        /// Goes on to the next window.
        mutating func target(_ next: Envelopes) -> EnvelopeTarget {
            octaves.append(next.octaves)
            if octaves.count > Self.windows { octaves.removeFirst() }
            largestMagnitude = max(Self.decay * largestMagnitude, next.octaves.reduce(0, +))
            let power = next.waveform.reduce(0) { $0 + $1 * $1 }
            largestPower = max(Self.decay * Self.decay * largestPower, power)
            // Nothing but silence, for as long as is remembered, is nothing to be compared by.
            guard largestMagnitude > Self.silence, largestPower > Self.silence * Self.silence else {
                return EnvelopeTarget(
                    envelopes: next, bands: bands, calibration: 1, octaveWeights: next.octaves.map { _ in 0 },
                    waveformWeight: 0)
            }
            let least = Self.floor * largestMagnitude
            let weights = next.octaves.indices.map { band in
                let mean = octaves.reduce(0) { $0 + $1[band] } / Double(octaves.count)
                let variance = octaves.reduce(0) { $0 + ($1[band] - mean) * ($1[band] - mean) } / Double(octaves.count)
                return Self.octaveShare / Double(next.octaves.count) / (variance + least * least)
            }
            // The power of all bins of a transform is half its length times that of the window.
            let whole = largestPower * Double(bands.fftLength) / 2
            return EnvelopeTarget(
                envelopes: next, bands: bands, calibration: pow(10, Self.level / 10) / whole, octaveWeights: weights,
                waveformWeight: Self.waveformShare / (power + Self.floor * largestPower))
        }
    }

    private init(
        envelopes: Envelopes, bands: HearingBands, calibration: Double, octaveWeights: [Double], waveformWeight: Double
    ) {
        self.envelopes = envelopes
        self.bands = bands
        self.calibration = calibration
        self.octaveWeights = octaveWeights
        self.waveformWeight = waveformWeight
        loudness = envelopes.powers.enumerated().map { bands.loudness(calibration * $1, band: $0) }
    }

    func distance(to other: Envelopes) -> Double {
        var sum = disturbance(of: other.powers)
        for (band, weight) in octaveWeights.enumerated() {
            let difference = envelopes.octaves[band] - other.octaves[band]
            sum += weight * difference * difference
        }
        var error = 0.0
        for (one, other) in zip(envelopes.waveform, other.waveform) { error += (one - other) * (one - other) }
        return sum + waveformWeight * error
    }

    private func disturbance(of powers: [Double]) -> Double {
        var (squares, added, whole) = (0.0, 0.0, 0.0)
        for band in powers.indices {
            let (own, other) = (calibration * envelopes.powers[band], calibration * powers[band])
            let (width, made) = (bands.widths[band], bands.loudness(other, band: band))
            whole += width
            let masked = Self.masking * min(made, loudness[band])
            let difference = max(0, abs(made - loudness[band]) - masked)
            squares += width * difference * difference
            let ratio = (other + Self.addition.background) / (own + Self.addition.background)
            if ratio >= Self.addition.least {
                added += width * difference * min(pow(ratio, Self.addition.exponent), Self.addition.most)
            }
        }
        return Self.weights.all * (squares * whole).squareRoot() + Self.weights.added * added
    }
}
