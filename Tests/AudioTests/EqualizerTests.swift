import Foundation
import Testing

@testable import Audio

@Suite struct EqualizerTests {
    /// What a filter does to a tone, in dB, once it has settled.
    private func gain(of filter: Biquad, at frequency: Double, rate: Int) -> Double {
        let tone = (0..<4 * rate).map { Float(sin(2 * .pi * frequency * Double($0) / Double(rate) + 0.3)) }
        let after = Waveform(samples: tone, sampleRate: rate).filtered(by: [filter]).samples
        let power = { (samples: ArraySlice<Float>) in samples.reduce(0.0) { $0 + Double($1) * Double($1) } }
        let settled = 2 * rate..<4 * rate
        return 10 * log10(power(after[settled]) / power(tone[settled]))
    }

    @Test(arguments: [-9.0, 0, 6]) func eachShapeChangesItsPartOfTheSpectrum(decibels: Double) {
        let rate = 24000
        // Gains as shares of what is asked for: far below, at the frequency, far above.
        let shapes: [(Biquad.Shape, [(frequency: Double, share: Double)])] = [
            (.lowShelf(300), [(10, 1), (300, 0.5), (8000, 0)]),
            (.peak(1000), [(20, 0), (1000, 1), (11_900, 0)]),
            (.highShelf(2500), [(50, 0), (2500, 0.5), (11_900, 1)]),
        ]
        for (shape, expected) in shapes {
            let filter = Biquad(shape, gain: decibels, sampleRate: rate)
            for (frequency, share) in expected {
                let measured = gain(of: filter, at: frequency, rate: rate)
                #expect(abs(measured - share * decibels) < 0.05, "\(shape) at \(frequency) Hz: \(measured) dB")
            }
        }
    }

    @Test func filtersFollowOneAnother() {
        let filters = [
            Biquad(.lowShelf(200), gain: 4, sampleRate: 16000), Biquad(.highShelf(3000), gain: -5, sampleRate: 16000),
        ]
        let click = Waveform(samples: [1] + [Float](repeating: 0, count: 63), sampleRate: 16000)
        let apart = click.filtered(by: [filters[0]]).filtered(by: [filters[1]])
        #expect(click.filtered(by: filters) == apart)
        #expect(apart != click)
    }
}
