import Foundation
import PJRT
import Tensor
import TestSupport
import Testing
import Tokenizer
import Training
import XLA

/// The codec carries its state from chunk to chunk, so where chunks begin and end must not show.
@Suite struct ChunkingTests {
    private static let seconds = 7.0
    private static let engine = Result {
        try Engine(platform: .cpu, cacheFolder: Program.cacheFolder + "/xla", compilation: .quick)
    }

    private func codec(chunkFrames: Int) throws -> XLACodec {
        let arrays = try Self.engine.get().upload(TinyModel.arrays())
        return try XLACodec(
            model: TinyModel.model(), parameters: arrays, on: Self.engine.get(), chunkFrames: chunkFrames)
    }

    private func encode(_ samples: [Float], chunkFrames: Int, pieces: [Int]? = nil) throws -> TokenFrames {
        var encoder = try codec(chunkFrames: chunkFrames).makeEncoder()
        var tokens = TokenFrames(levelCount: 2)
        var start = 0
        var piece = 0
        while start < samples.count {
            let end = min(samples.count, start + (pieces.map { $0[piece % $0.count] } ?? samples.count))
            tokens.append(try encoder.push(samples[start..<end]))
            start = end
            piece += 1
        }
        tokens.append(try encoder.finish())
        return tokens
    }

    /// Programs for chunks of different sizes add up in different orders. In f64 the difference is below 10⁻¹¹ (`AlphaTests`), so
    /// what f32 shows is rounding, as untrained weights enlarge it.
    private static let rounding: Float = 1e-3

    /// All at once is one chunk of 350 frames.
    @Test(arguments: [25, 100])
    func tokensOfChunksAreThoseOfTheWholeSignal(chunkFrames: Int) throws {
        let samples = try Sounds.speech(seconds: Self.seconds, rate: 24000)
        let whole = try encode(samples, chunkFrames: 350)
        #expect(whole.count == 350)
        #expect(Set(whole.level(0)).count > 2 && Set(whole.level(1)).count > 2, "the tokens are not all alike")
        let chunked = try encode(samples, chunkFrames: chunkFrames)
        #expect(chunked.count == whole.count)
        let differing = (0..<2).map { level in zip(whole.level(level), chunked.level(level)).count { $0 != $1 } }
        #expect(differing == [0, 0], "codes of 350 that differ, by level")
    }

    @Test func piecesThatSamplesArriveInDoNotShow() throws {
        let samples = try Sounds.speech(seconds: 3.3, rate: 24000)
        let atOnce = try encode(samples, chunkFrames: 25)
        #expect(try encode(samples, chunkFrames: 25, pieces: [1, 479, 4801, 12000, 7]) == atOnce)
    }

    @Test(arguments: [25, 100])
    func soundOfChunksIsThatOfTheWholeSignal(chunkFrames: Int) throws {
        let tokens = try encode(Sounds.speech(seconds: Self.seconds, rate: 24000), chunkFrames: 100)
        func decode(chunkFrames: Int) throws -> [Float] {
            var decoder = try codec(chunkFrames: chunkFrames).makeDecoder()
            return try decoder.push(tokens) + decoder.finish()
        }
        let whole = try decode(chunkFrames: 350)
        let chunked = try decode(chunkFrames: chunkFrames)
        #expect(whole.count == 350 * 480 && chunked.count == whole.count)
        #expect(whole.contains { abs($0) > 0.01 }, "there is something to hear")
        let difference = zip(whole, chunked).map { abs($0 - $1) }.max() ?? .infinity
        #expect(difference < Self.rounding)
    }
}
