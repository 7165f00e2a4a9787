import Foundation
import Testing

@testable import Audio

struct RealFFTTests {
    @Test("The transform is the sum that defines it", arguments: [4, 8, 16, 256])
    func equalsTheDefinition(count: Int) {
        let frame = (0..<count).map { sin(Double($0 * $0)) + 0.25 }
        let (real, imaginary) = RealFFT(count: count).transform(frame)
        #expect(real.count == count / 2 + 1)
        for k in 0...count / 2 {
            var (expectedReal, expectedImaginary) = (0.0, 0.0)
            for n in 0..<count {
                let angle = -2 * Double.pi * Double(k * n % count) / Double(count)
                expectedReal += frame[n] * cos(angle)
                expectedImaginary += frame[n] * sin(angle)
            }
            #expect(abs(real[k] - expectedReal) < 1e-11)
            #expect(abs(imaginary[k] - expectedImaginary) < 1e-11)
        }
    }

    @Test("The inverse gives the frame back", arguments: [4, 8, 16, 256])
    func invertsItself(count: Int) {
        let frame = (0..<count).map { sin(Double($0 * $0)) + 0.25 }
        let (real, imaginary) = RealFFT(count: count).transform(frame)
        let back = RealFFT(count: count).inverse(real, imaginary)
        #expect(zip(frame, back).allSatisfy { abs($0 - $1) < 1e-12 })
    }
}

struct MelTests {
    struct Oracle: Decodable {
        struct Filters: Decodable {
            let rate: Int, fft: Int, bands: Int, low: Double, high: Double, sum: Double, count: Int
            let weights: [[Double]]
        }
        struct Power: Decodable {
            let frames: Int
            let columns: [String: [Double]]
        }
        let filters: [Filters]
        let power: Power
        let mel: [String: [Double]]
        let expanded: [Double]
    }

    private func oracle() throws -> Oracle {
        try JSONDecoder().decode(
            Oracle.self, from: Data(contentsOf: URL(fileURLWithPath: fixture("audio/spectrum.json"))))
    }

    /// The signal of Tests/Oracles/audio_spectrum.py.
    private let signal: [Float] = (0..<5000).map { (index: Int) -> Float in
        let n = Double(index)
        return Float(sin(1e-4 * n * n) * exp(-n / 3000))
    }

    @Test func filtersAreLibrosas() throws {
        for expected in try oracle().filters {
            let bank = MelFilterBank(
                sampleRate: expected.rate, fftSize: expected.fft, bands: expected.bands,
                minimumFrequency: expected.low, maximumFrequency: expected.high)
            #expect(bank.weights.count { $0 > 1e-12 } == expected.count)
            #expect(abs(bank.weights.reduce(0, +) / expected.sum - 1) < 1e-9)
            for entry in expected.weights {
                let weight = bank.weights[Int(entry[0]) * (expected.fft / 2 + 1) + Int(entry[1])]
                #expect(abs(weight - entry[2]) < 1e-12)
            }
        }
    }

    @Test func powerSpectraAreLibrosas() throws {
        let expected = try oracle().power
        let analysis = ShortTimePower(fftSize: 512, hop: 200)
        #expect(analysis.frameCount(sampleCount: signal.count) == expected.frames)
        for (frame, column) in expected.columns {
            let power = analysis.frame(Int(frame)!, of: signal)
            for (index, value) in column.enumerated() {
                #expect(abs(power[16 * index] - value) < 1e-9 * (1 + value), "frame \(frame), bin \(16 * index)")
            }
        }
    }

    @Test func anExpanderIsWhatLibrosaMakesOfIt() throws {
        let expanded = Expander(limit: 12)(Waveform(samples: signal, sampleRate: 16000))
        #expect(expanded.samples.count == signal.count && expanded.sampleRate == 16000)
        let expected = try oracle().expanded
        for (index, value) in expected.enumerated() {
            #expect(abs(Double(expanded.samples[7 * index]) - value) < 1e-6, "sample \(7 * index)")
        }
        // Which is not the signal itself.
        #expect(
            zip(expected, stride(from: 0, to: signal.count, by: 7)).contains { abs($0 - Double(signal[$1])) > 1e-3 })
    }

    @Test(arguments: [0, 1, 7, 300]) func anExpanderLeavesWhatHasNothingQuietInIt(count: Int) {
        let silence = Waveform(samples: [Float](repeating: 0, count: count), sampleRate: 24000)
        #expect(Expander(limit: 12)(silence) == silence)
        let click = Waveform(samples: (0..<count).map { $0 == count / 2 ? 1 : 0 }, sampleRate: 24000)
        let after = Expander(limit: 12)(click)
        #expect(zip(click.samples, after.samples).allSatisfy { abs($0 - $1) < 1e-6 } && after.samples.count == count)
        #expect(Expander(limit: 0)(click) == click)
    }

    @Test func melBandsAreLibrosas() throws {
        let analysis = ShortTimePower(fftSize: 512, hop: 200)
        let bank = MelFilterBank(
            sampleRate: 16000, fftSize: 512, bands: 20, minimumFrequency: 40, maximumFrequency: 7600)
        for (frame, bands) in try oracle().mel {
            let ours = bank(analysis.frame(Int(frame)!, of: signal))
            for (band, value) in zip(ours, bands) {
                let error = abs(band / value - 1)
                #expect(error < 1e-6)
            }
        }
    }

    @Test func frequenciesOfTheMelScaleGoForthAndBack() {
        for hertz in [0.0, 100, 999, 1000, 1001, 8000, 24000] {
            #expect(abs(MelScale.hertz(MelScale.mel(hertz)) - hertz) < 1e-9 * (1 + hertz))
        }
        #expect(abs(MelScale.mel(1000) - 15) < 1e-12)
    }
}
