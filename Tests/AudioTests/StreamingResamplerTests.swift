import Foundation
import Testing

@testable import Audio

struct StreamingResamplerTests {
    @Test(
        "A tone keeps its frequency, level and phase",
        arguments: [(44100, 24000), (16000, 48000), (48000, 16000), (8000, 24000), (192_000, 24000), (24000, 44100)])
    func toneSurvives(from: Int, to: Int) throws {
        let resampler = try StreamingResampler(from: from, to: to)
        let output = try resampler.push(tone(1000, seconds: 0.5, rate: from)) + resampler.finish()
        let ideal = tone(1000, seconds: 0.5, rate: to)
        #expect(output.count == ideal.count)
        // Away from the ends, where the filter sees the silence outside.
        let middle = (to / 10)..<(to * 2 / 5)
        let error = zip(output[middle], ideal[middle]).map { abs($0 - $1) }.max()!
        #expect(error < 0.5e-4, "the resampler's error is \(error)")
    }

    @Test func whatTheNewRateCannotCarryIsGone() throws {
        let resampler = try StreamingResampler(from: 48000, to: 16000)
        let output = try resampler.push(tone(10000, seconds: 0.5, rate: 48000)) + resampler.finish()
        #expect(output[1600..<6400].map(abs).max()! < 1e-4)
    }

    @Test("Chunking changes nothing", arguments: [(44100, 24000), (8000, 48000)])
    func chunkingChangesNothing(from: Int, to: Int) throws {
        let input = (0..<30_000).map { sin(Float($0) * 0.01) * cos(Float($0 * $0 % 9973)) }
        let resampler = try StreamingResampler(from: from, to: to)
        let whole = try resampler.push(input) + resampler.finish()
        for size in [1, 13, 480, 29_999] {
            // The same instance again: `finish` has made it new.
            var output: [Float] = []
            for start in stride(from: 0, to: input.count, by: size) {
                output += try resampler.push(Array(input[start..<min(start + size, input.count)]))
            }
            output += try resampler.finish()
            #expect(output == whole, "chunks of \(size)")
        }
    }

    @Test func theLengthIsExactForEveryInputLength() throws {
        for (from, to) in [(44100, 24000), (24000, 44100), (16000, 24000), (48000, 11025), (4000, 768_000)] {
            let resampler = try StreamingResampler(from: from, to: to)
            for count in [0, 1, 2, 3, 5, 100, 441, 1001] {
                let output = try resampler.push([Float](repeating: 0.5, count: count)) + resampler.finish()
                let exact = (Double(count) * Double(to) / Double(from)).rounded()
                #expect(output.count == Int(exact), "\(count) samples from \(from) to \(to) Hz")
            }
        }
    }

    @Test func equalRatesPassThrough() throws {
        let resampler = try StreamingResampler(from: 24000, to: 24000)
        #expect(try resampler.push([1, 2, 3]) == [1, 2, 3])
        #expect(try resampler.finish() == [])
    }

    @Test func absurdRatesAreRefused() {
        #expect(throws: AudioError.self) { try StreamingResampler(from: 0, to: 24000) }
        #expect(throws: AudioError.self) { try StreamingResampler(from: 24000, to: 1_000_000_000) }
    }
}
