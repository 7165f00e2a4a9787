import Native
import PJRT
import Tensor
import TestSupport
import Testing
import Tokenizer
import Training
import XLA

@testable import Codec

/// A decoder that gives a frame's sound two frames after its code.
@Suite struct LateDecoderTests {
    private let model: Alpha
    private let codec: NativeCodec
    /// The same weights, nothing late.
    private let prompt: NativeCodec
    private var hop: Int { model.configuration.hop }

    init() throws {
        let inTime = try smallModel()
        var configuration = inTime.configuration
        configuration.decoderDelay = 2
        model = try Alpha(configuration)
        let directions: Set<NativeCodec.Direction> = [.encoding, .searching, .decoding, .decodingLevelOne]
        codec = try NativeCodec(model: model, arrays: weights(of: model), blockFrames: 8, directions: directions)
        prompt = try NativeCodec(model: inTime, arrays: weights(of: model), blockFrames: 8, directions: directions)
    }

    private func tokens(_ frames: Int, seed: UInt64 = 2) throws -> TokenFrames {
        try prompt.tokens(sound(hop * frames, seed: seed))
    }

    /// The last code told twice more, and the first two frames left out.
    private func expected(_ tokens: TokenFrames) throws -> [Float] {
        var told = tokens
        for _ in 0..<2 { told.append(tokens[tokens.count - 1..<tokens.count]) }
        return Array(try prompt.samples(told).dropFirst(2 * hop))
    }

    @Test(arguments: [1, 2, 3, 40]) func soundIsAsLongAsItsCodesAndStandsWhereItBelongs(frames: Int) throws {
        let tokens = try tokens(frames)
        let samples = try codec.decode(tokens)
        #expect(samples.count == frames * hop)
        #expect(try samples == expected(tokens))
        #expect(try codec.encode(sound(hop * frames, seed: 2)) == tokens, "the encoder is not late")
    }

    @Test(arguments: 0..<4) func aStreamEqualsTheWholeForEveryChunking(_ seed: UInt64) throws {
        let tokens = try tokens(30)
        var (decoder, place, samples) = (try codec.makeDecoder(), 0, [Float]())
        for piece in seed == 0 ? [Int](repeating: 1, count: 30) : pieces(of: 30, seed: seed) {
            samples += try decoder.push(tokens[place..<place + piece])
            place += piece
            #expect(samples.count == max(0, place - 2) * hop)
        }
        samples += try decoder.finish()
        #expect(try samples == codec.decode(tokens))
        #expect(try decoder.finish().isEmpty, "it has ended")
        decoder.reset()
        #expect(try decoder.push(tokens) + decoder.finish() == samples)
    }

    @Test func streamsSteppedTogetherEqualEachAlone() throws {
        let all = try (0..<5).map { try tokens(1 + 4 * $0, seed: UInt64($0)) }
        var decoders = try all.map { _ in try codec.makeDecoder() }
        var samples = try codec.push(all, to: &decoders)
        for index in all.indices {
            samples[index] += try decoders[index].finish()
            #expect(try samples[index] == codec.decode(all[index]))
        }
    }

    @Test(arguments: [1, 3, 16]) func aPreviewIsWhatTheStreamWouldSayAndChangesNothing(streams: Int) throws {
        // In the middle of a stream, and so short of one that not all of what attention looks back to is there.
        for before in [40, 5] {
            var decoder = try codec.makeDecoder()
            _ = try decoder.push(tokens(before))
            let state = decoder.state
            let continuations = try (0..<streams).map { try tokens(3, seed: UInt64(10 + $0)) }
            let previews = try codec.previews(continuations, of: decoder)
            #expect(decoder.state == state)
            for (preview, continuation) in zip(previews, continuations) {
                var copy = decoder
                #expect(try preview.map(\.bitPattern) == copy.push(continuation).map(\.bitPattern))
            }
        }
    }

    @Test func levelOneAloneIsLateToo() throws {
        let tokens = try tokens(9)
        var (late, inTime) = (try codec.makeLevelOneDecoder(), try prompt.makeLevelOneDecoder())
        #expect(try late.push(tokens) == Array(inTime.push(tokens).dropFirst(2 * hop)))
        #expect(try late.finish().count == 2 * hop)
    }

    @Test func nothingInGivesNothing() throws {
        var decoder = try codec.makeDecoder()
        #expect(try decoder.push(TokenFrames(levelCount: 2)).isEmpty && decoder.finish().isEmpty)
    }

    /// Chunks of 25 frames, of which the last is not full, and one that the frames told at the end overflow.
    @Test(arguments: [60, 49]) func nativeAgreesWithXLA(frames: Int) throws {
        let engine = try Engine(platform: .cpu)
        let xla = try XLACodec(
            model: model, parameters: engine.upload(weights(of: model)), on: engine, chunkFrames: 25)
        let tokens = try tokens(frames)
        let (one, other) = (try xla.decode(tokens), try codec.decode(tokens))
        let worst = zip(one, other).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
        #expect(one.count == frames * hop && other.count == one.count && worst <= 1e-4, "waveforms differ by \(worst)")
    }

    @Test func aSearchIsDecidedWhenSoundHasBeenHeardAndItsCutChangesNothing() throws {
        let whole = sound(hop * 14 + 5, seed: 6)
        let searching = try SearchingCodec(codec, paths: 1)
        let expected = try searching.encode(whole)
        var (encoder, tokens) = (try searching.makeEncoder(), TokenFrames(levelCount: 2))
        for frame in 0..<14 {
            tokens.append(try encoder.push(whole[frame * hop..<(frame + 1) * hop]))
            #expect(tokens.count == max(0, frame - 1))
        }
        tokens.append(try encoder.push(whole[(14 * hop)...]))
        tokens.append(try encoder.finish())
        #expect(tokens == expected && tokens.count == 15)
        #expect(tokens.level(1) != (try codec.encode(whole)).level(1))
    }
}
