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

    @Test func loudnessTellsHarmonicsApart() {
        // 80 Hz apart: the bands of 100 Hz and its multiples are loud, and those between them are not.
        let (one, other) = (voice(200), voice(280))
        let difference = zip(one.loudness, other.loudness).reduce(0) { $0 + abs($1.0 - $1.1) }
        let whole = one.loudness.reduce(0, +)
        #expect(difference > 0.3 * whole, "\(difference / whole)")
        #expect(voice(200).loudness == one.loudness)
    }

    @Test func aKnockIsForgotten() {
        let (quiet, other, knock) = (voice(150, amplitude: 0.01), voice(170, amplitude: 0.01), voice(90, amplitude: 1))
        /// How far apart two voices are, so many windows of 10 ms after what came first.
        func distance(after first: Envelopes, _ windows: Int) -> Double {
            var history = EnvelopeTarget.History()
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
}
