import Audio
import Foundation
import TestSupport
import Testing

@testable import Codec

@Suite struct EnvelopesTests {
    private let rate = 24000
    private let analysis = EnvelopeAnalysis(sampleRate: 24000)

    /// The envelopes of a tone and a few harmonics.
    private func voice(_ pitch: Double, amplitude: Double = 0.1) -> Envelopes {
        let samples = (0..<analysis.windowLength).map { place in
            let time = Double(place) / Double(rate)
            return Float((1...6).reduce(0.0) { $0 + amplitude * sin(2 * .pi * pitch * Double($1) * time) })
        }
        return analysis(samples[...])
    }

    @Test func loudnessTellsHarmonicsApart() throws {
        // A woman's harmonics are 200 Hz apart: in each gap between two of them some band is much quieter than both.
        let voice = voice(200)
        let bands = analysis.bands
        func band(_ frequency: Double) throws -> Double {
            let bin = Int(frequency * Double(bands.fftLength) / Double(rate))
            let nearest = try #require(bands.bins.firstIndex { $0.contains(bin) })
            return bands.loudness(voice.powers[nearest] * 1e4, band: nearest)
        }
        for harmonic in 1..<6 {
            let (low, high) = (Double(harmonic) * 200, Double(harmonic + 1) * 200)
            let gap = try band((low + high) / 2) / min(band(low), band(high))
            #expect(gap < 0.7, "\(low) to \(high) Hz: \(gap)")
        }
    }

    @Test func aKnockIsForgotten() {
        let (quiet, other, knock) = (voice(150, amplitude: 0.01), voice(170, amplitude: 0.01), voice(90, amplitude: 1))
        /// How far apart two voices are, so many windows of 10 ms after what came first.
        func distance(after first: Envelopes, _ windows: Int) -> Double {
            var history = EnvelopeTarget.History(analysis.bands)
            _ = history.target(first)
            for _ in 0..<windows { _ = history.target(quiet) }
            return history.target(quiet).distance(to: other)
        }
        let undisturbed = distance(after: quiet, 100)
        #expect(undisturbed > 0)
        #expect(distance(after: knock, 100) < 0.5 * undisturbed)
        // 40 dB are a hundredth of a magnitude, and 40 s eight halvings.
        #expect(distance(after: knock, 4000) == distance(after: quiet, 4000))
    }

    /// As after three quarters of an hour of silence.
    @Test func aMagnitudeThatIsAllButForgottenIsSilence() {
        var (faint, silence) = (voice(150), voice(150))
        faint.octaves = faint.octaves.map { 1e-158 * $0 }
        silence.octaves = silence.octaves.map { _ in 0 }
        var history = EnvelopeTarget.History(analysis.bands)
        _ = history.target(faint)
        for _ in 0..<32 { _ = history.target(silence) }
        #expect(history.target(silence).distance(to: voice(150)).isFinite)
    }

    @Test func whatIsAddedCountsMoreThanWhatIsMissing() {
        let recording = voice(150)
        var (louder, softer) = (recording, recording)
        louder.powers = louder.powers.map { 4 * $0 }
        softer.powers = softer.powers.map { $0 / 4 }
        var history = EnvelopeTarget.History(analysis.bands)
        let target = history.target(recording)
        #expect(target.distance(to: recording) == 0)
        #expect(target.distance(to: softer) > 0)
        #expect(target.distance(to: louder) > 1.2 * target.distance(to: softer))
    }

    /// The same magnitudes, upside down: an error of four times the recording's power, of which little counts.
    @Test func aWaveformOfTheSameMagnitudesIsToldApart() {
        let recording = voice(150)
        var opposite = recording
        opposite.waveform = opposite.waveform.map { -$0 }
        var history = EnvelopeTarget.History(analysis.bands)
        let target = history.target(recording)
        let distance = target.distance(to: opposite)
        #expect(abs(distance - 0.05 * 4 / 1.01) < 1e-9, "\(distance)")
    }
}
