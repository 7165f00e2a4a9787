import Audio
import Foundation
import Testing

@testable import Metrics

struct SpeechQualityTests {
    struct Figures: Decodable {
        let stoi, extendedStoi, siSDR, melDistance, logSpectralDistance: Double
    }

    private func pair(_ rate: Int) throws -> (reference: Waveform, degraded: Waveform) {
        (
            try Waveform.load(path: fixture("reference_\(rate).flac")),
            try Waveform.load(path: fixture("degraded_\(rate).flac"))
        )
    }

    /// By pystoi, torchmetrics and librosa.
    private func figures(_ rate: Int) throws -> Figures {
        let data = try Data(contentsOf: URL(fileURLWithPath: fixture("quality.json")))
        return try JSONDecoder().decode([String: Figures].self, from: data)["\(rate)"]!
    }

    @Test("Figures are those of the reference implementations", arguments: [10_000, 16_000, 22_050, 24_000])
    func equalsTheReferenceImplementations(rate: Int) throws {
        let (reference, degraded) = try pair(rate)
        let expected = try figures(rate)
        let stoi = try SpeechQuality.stoi(reference: reference, degraded: degraded)
        #expect(abs(stoi - expected.stoi) < 1e-9)
        let extended = try SpeechQuality.stoi(reference: reference, degraded: degraded, extended: true)
        #expect(abs(extended - expected.extendedStoi) < 1e-6)
        let sdr = try SpeechQuality.scaleInvariantSDR(reference: reference, degraded: degraded)
        #expect(abs(sdr - expected.siSDR) < 1e-6)
        let mel = try SpeechQuality.melDistance(reference: reference, degraded: degraded)
        #expect(abs(mel - expected.melDistance) < 1e-6)
        let spectral = try SpeechQuality.logSpectralDistance(reference: reference, degraded: degraded)
        #expect(abs(spectral - expected.logSpectralDistance) < 1e-6)
    }

    @Test func aSignalIsEqualToItself() throws {
        let wave = try pair(16_000).reference
        #expect(abs(try SpeechQuality.stoi(reference: wave, degraded: wave) - 1) < 1e-9)
        #expect(abs(try SpeechQuality.stoi(reference: wave, degraded: wave, extended: true) - 1) < 1e-9)
        #expect(try SpeechQuality.melDistance(reference: wave, degraded: wave) == 0)
        #expect(try SpeechQuality.logSpectralDistance(reference: wave, degraded: wave) == 0)
        #expect(try SpeechQuality.scaleInvariantSDR(reference: wave, degraded: wave) == .infinity)
    }

    @Test func moreNoiseScoresWorse() throws {
        let wave = try pair(10_000).reference
        var generator = SystemRandomNumberGenerator()
        let noise = wave.samples.map { _ in Float.random(in: -1...1, using: &generator) }
        let noisy = [0.003, 0.03, 0.3].map { (level: Float) in
            Waveform(samples: zip(wave.samples, noise).map { $0 + level * $1 }, sampleRate: wave.sampleRate)
        }
        let stoi = try noisy.map { try SpeechQuality.stoi(reference: wave, degraded: $0) }
        let sdr = try noisy.map { try SpeechQuality.scaleInvariantSDR(reference: wave, degraded: $0) }
        let mel = try noisy.map { try SpeechQuality.melDistance(reference: wave, degraded: $0) }
        #expect(stoi == stoi.sorted(by: >))
        #expect(sdr == sdr.sorted(by: >))
        #expect(mel == mel.sorted())
    }

    @Test func signalsThatCannotBeComparedAreRefused() throws {
        let short = Waveform(samples: [0.1, 0.2], sampleRate: 16_000)
        let other = Waveform(samples: [0.1, 0.2], sampleRate: 24_000)
        let longer = Waveform(samples: [0.1, 0.2, 0.3], sampleRate: 16_000)
        let silence = Waveform(samples: [0, 0], sampleRate: 16_000)
        let empty = Waveform(samples: [], sampleRate: 16_000)
        #expect(throws: SpeechQuality.Mismatch.rates(reference: 16_000, degraded: 24_000)) {
            try SpeechQuality.stoi(reference: short, degraded: other)
        }
        #expect(throws: SpeechQuality.Mismatch.lengths(reference: 2, degraded: 3)) {
            try SpeechQuality.melDistance(reference: short, degraded: longer)
        }
        #expect(throws: SpeechQuality.Mismatch.tooShort(needed: 0.4)) {
            try SpeechQuality.stoi(reference: short, degraded: short)
        }
        #expect(throws: SpeechQuality.Mismatch.silentReference) {
            try SpeechQuality.scaleInvariantSDR(reference: silence, degraded: short)
        }
        #expect(throws: SpeechQuality.Mismatch.self) {
            try SpeechQuality.melDistance(reference: empty, degraded: empty)
        }
        // One sample has a spectrum.
        let one = Waveform(samples: [0.5], sampleRate: 16_000)
        #expect(try SpeechQuality.melDistance(reference: one, degraded: one) == 0)
    }

    @Test func nothingIsComparedWithSilence() throws {
        let wave = try pair(16_000).reference
        let silence = Waveform(samples: wave.samples.map { _ in 0 }, sampleRate: wave.sampleRate)
        #expect(throws: SpeechQuality.Mismatch.silentReference) {
            try SpeechQuality.stoi(reference: silence, degraded: wave)
        }
    }

    @Test func aSilentReconstructionIsUnintelligible() throws {
        let wave = try pair(16_000).reference
        let silence = Waveform(samples: wave.samples.map { _ in 0 }, sampleRate: wave.sampleRate)
        #expect(try SpeechQuality.stoi(reference: wave, degraded: silence) == 0)
        #expect(try SpeechQuality.scaleInvariantSDR(reference: wave, degraded: silence) == -.infinity)
    }
}

struct CodebookUsageTests {
    @Test func evenUseHasTheFullPerplexity() {
        var usage = CodebookUsage(codebookSize: 64)
        usage.add(0..<64)
        usage.add((0..<64).map { Int32($0) })
        #expect(usage.fractionUsed == 1)
        #expect(abs(usage.entropy - 6) < 1e-12)
        #expect(abs(usage.perplexity - 64) < 1e-9)
        #expect(usage.total == 128)
    }

    @Test func aCollapsedCodebookShows() {
        var usage = CodebookUsage(codebookSize: 10)
        usage.add([3, 3, 3, 3])
        #expect(usage.fractionUsed == 0.1)
        #expect(usage.entropy == 0)
        #expect(usage.perplexity == 1)
    }

    @Test func unevenUseHasTheEntropyOfItsShares() {
        var usage = CodebookUsage(codebookSize: 4)
        usage.add([0, 0, 1, 2])
        #expect(usage.entropy == 1.5)
        #expect(usage.fractionUsed == 0.75)
    }

    @Test func talliesMerge() {
        var (left, right, both) = (
            CodebookUsage(codebookSize: 3), CodebookUsage(codebookSize: 3), CodebookUsage(codebookSize: 3)
        )
        left.add([0, 1])
        right.add([1, 2, 2])
        both.add([0, 1, 1, 2, 2])
        left.merge(right)
        #expect(left == both)
    }

    @Test func nothingCountedIsNotANumberNowhere() {
        let usage = CodebookUsage(codebookSize: 3)
        #expect(usage.entropy == 0)
        #expect(usage.fractionUsed == 0)
    }
}
