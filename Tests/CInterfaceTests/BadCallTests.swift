import CAllophone
import Checkpoint
import Codec
import Foundation
import Tensor
import TestSupport
import Testing
import Tokenizer

/// Calls that ask for what cannot be: a status, a message, and no harm done.
@Suite struct BadCallTests {
    private let c: Interface
    private let hop = 24

    init() throws { c = try Interface() }

    private func expect(
        _ status: allophone_status, _ expected: allophone_status, _ mention: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let message = String(cString: allophone_error_message())
        #expect(status == expected, "\(message)", sourceLocation: sourceLocation)
        #expect(message.contains(mention), "\(message)", sourceLocation: sourceLocation)
    }

    @Test func nullIsRefusedEverywhere() throws {
        let (encoder, decoder) = (try c.encoder(), try c.decoder())
        var handle: OpaquePointer?
        var count = -1
        var (format, level) = (allophone_format(), allophone_level())
        var codes = [UInt64](repeating: 0, count: 8)
        var samples = [Float](repeating: 0, count: hop * 4)
        let (path, null) = (c.path, ALLOPHONE_ERROR_ARGUMENT)
        expect(allophone_codec_open(nil, 3, 0, 1, &handle), null, "path is NULL")
        expect(allophone_codec_open(path, 3, 0, 1, nil), null, "codec is NULL")
        expect(allophone_codec_format(nil, &format), null, "codec is NULL")
        expect(allophone_codec_format(c.codec, nil), null, "format is NULL")
        expect(allophone_codec_level(nil, 0, &level), null, "codec is NULL")
        expect(allophone_codec_level(c.codec, 0, nil), null, "description is NULL")
        expect(allophone_encode(nil, samples, 24, &codes, 1, &count), null, "codec is NULL")
        expect(allophone_encode(c.codec, nil, 24, &codes, 1, &count), null, "samples is NULL")
        expect(allophone_encode(c.codec, samples, 24, nil, 1, &count), null, "codes is NULL")
        expect(allophone_encode(c.codec, samples, 24, &codes, 1, nil), null, "frames is NULL")
        expect(allophone_decode(nil, codes, 1, &samples, 24, &count), null, "codec is NULL")
        expect(allophone_decode(c.codec, nil, 1, &samples, 24, &count), null, "codes is NULL")
        expect(allophone_decode(c.codec, codes, 1, nil, 24, &count), null, "samples is NULL")
        expect(allophone_decode(c.codec, codes, 1, &samples, 24, nil), null, "count is NULL")
        expect(allophone_encoder_create(nil, &handle), null, "codec is NULL")
        expect(allophone_encoder_create(c.codec, nil), null, "encoder is NULL")
        expect(allophone_encoder_push(nil, samples, 24, &codes, 1, &count), null, "encoder is NULL")
        expect(allophone_encoder_push(encoder, nil, 24, &codes, 1, &count), null, "samples is NULL")
        expect(allophone_encoder_push(encoder, samples, 24, nil, 1, &count), null, "codes is NULL")
        expect(allophone_encoder_push(encoder, samples, 24, &codes, 1, nil), null, "frames is NULL")
        expect(allophone_encoder_flush(nil, &codes, 1, &count), null, "encoder is NULL")
        expect(allophone_encoder_flush(encoder, &codes, 1, nil), null, "frames is NULL")
        expect(allophone_encoder_reset(nil), null, "encoder is NULL")
        expect(allophone_encoder_clone(nil, &handle), null, "encoder is NULL")
        expect(allophone_encoder_clone(encoder, nil), null, "clone is NULL")
        expect(allophone_decoder_create(nil, &handle), null, "codec is NULL")
        expect(allophone_decoder_create(c.codec, nil), null, "decoder is NULL")
        expect(allophone_decoder_push(nil, codes, 1, &samples, 24, &count), null, "decoder is NULL")
        expect(allophone_decoder_push(decoder, nil, 1, &samples, 24, &count), null, "codes is NULL")
        expect(allophone_decoder_push(decoder, codes, 1, nil, 24, &count), null, "samples is NULL")
        expect(allophone_decoder_push(decoder, codes, 1, &samples, 24, nil), null, "count is NULL")
        expect(allophone_decoder_flush(nil, &samples, 24, &count), null, "decoder is NULL")
        expect(allophone_decoder_flush(decoder, &samples, 24, nil), null, "count is NULL")
        expect(allophone_codec_delay(nil, &count), null, "codec is NULL")
        expect(allophone_codec_delay(c.codec, nil), null, "samples is NULL")
        expect(allophone_decoder_reset(nil), null, "decoder is NULL")
        expect(allophone_decoder_clone(nil, &handle), null, "decoder is NULL")
        expect(allophone_decoder_clone(decoder, nil), null, "clone is NULL")
        for destroy in [allophone_codec_close, allophone_encoder_destroy, allophone_decoder_destroy] { destroy(nil) }
        #expect(handle == nil && count == 0)
        // No samples and no frames need no array.
        try succeed(allophone_encoder_push(encoder, nil, 0, nil, 0, &count))
        try succeed(allophone_decoder_push(decoder, nil, 0, nil, 0, &count))
        try succeed(allophone_encode(c.codec, nil, 0, nil, 0, &count))
        try succeed(allophone_decode(c.codec, nil, 0, nil, 0, &count))
    }

    @Test func handlesOfAnotherKindAreRefused() throws {
        let (encoder, decoder) = (try c.encoder(), try c.decoder())
        var count = 0
        var codes: [UInt64] = [0, 0]
        var samples = [Float](repeating: 0, count: hop)
        let argument = ALLOPHONE_ERROR_ARGUMENT
        expect(allophone_encoder_push(decoder, samples, hop, &codes, 1, &count), argument, "encoder is a handle of")
        expect(allophone_decoder_push(encoder, codes, 1, &samples, hop, &count), argument, "decoder is a handle of")
        expect(allophone_encode(encoder, samples, hop, &codes, 1, &count), argument, "codec is a handle of")
        expect(allophone_encoder_reset(c.codec), argument, "encoder is a handle of")
    }

    @Test func numbersThatMeanNothingAreRefused() throws {
        var handle: OpaquePointer?
        var level = allophone_level()
        let argument = ALLOPHONE_ERROR_ARGUMENT
        for use: UInt32 in [0, 8, .max] { expect(allophone_codec_open(c.path, use, 0, 1, &handle), argument, "use") }
        expect(allophone_codec_open(c.path, 3, 9, 1, &handle), argument, "precision 9")
        for paths: UInt32 in [0, 65, .max] {
            var frames = -1
            expect(allophone_encode_searching(c.codec, paths, nil, 0, nil, 0, &frames), argument, "1 to 64")
            #expect(frames == 0)
        }
        for threads: UInt32 in [0, 257, .max] {
            expect(allophone_codec_open(c.path, 3, 0, threads, &handle), argument, "1 to 256")
        }
        expect(allophone_codec_level(c.codec, 2, &level), argument, "the last is 1")
        expect(allophone_codec_level(c.codec, .max, &level), argument, "the last is 1")
        let path: [CChar] = [-1, -2, 0]
        expect(allophone_codec_open(path, 3, 0, 1, &handle), argument, "UTF-8")
        #expect(handle == nil)
    }

    @Test func filesThatAreNoModelAreRefused() throws {
        func expectOpening(_ path: String, _ expected: allophone_status, _ mention: String) {
            var handle: OpaquePointer? = OpaquePointer(bitPattern: 8)
            expect(allophone_codec_open(path, 3, 0, 1, &handle), expected, mention)
            #expect(handle == nil)
        }
        let model = ALLOPHONE_ERROR_MODEL
        expectOpening(c.folder.file("missing.safetensors"), ALLOPHONE_ERROR_FILE, "missing.safetensors")
        expectOpening(c.folder.path, ALLOPHONE_ERROR_FILE, c.folder.path)
        let bytes = try contents(of: c.path)
        let path = c.folder.file("bad.safetensors")
        for cut in [0, 7, 100, bytes.count / 2, bytes.count - 1] {
            try write(Array(bytes.prefix(cut)), to: path)
            expectOpening(path, model, path)
        }
        // The weights of another architecture under this one's configuration, and weights that are not finite.
        let small = try smallModel()
        var wide = small.configuration
        wide.width = 8
        let metadata = try ModelFile.metadata(small.configuration)
        try Safetensors.write(weights(of: Alpha(wide)), metadata: metadata, to: path)
        expectOpening(path, model, "of another shape")
        for value in [Float.nan, .infinity] {
            var arrays = weights(of: small)
            var values = arrays["decoder.stem.weight"]!.floats
            values[0] = value
            arrays["decoder.stem.weight"] = HostArray(values, shape: arrays["decoder.stem.weight"]!.shape)
            try Safetensors.write(arrays, metadata: metadata, to: path)
            expectOpening(path, model, "not finite (1)")
        }
        var broken = metadata
        broken["configuration"] = metadata["configuration"]!.replacing(
            "\"latentDimension\":32", with: "\"latentDimension\":-1")
        try Safetensors.write(weights(of: small), metadata: broken, to: path)
        expectOpening(path, model, "latentDimension")
    }

    @Test func absurdSizesAreRefused() throws {
        let (encoder, decoder) = (try c.encoder(), try c.decoder())
        var count = -1
        var codes: [UInt64] = [0, 0]
        var samples = [Float](repeating: 0, count: hop)
        // -1 is SIZE_MAX.
        for size in [-1, Int.min, .max, .max / 2, .max / 8, 1 << 50] {
            expect(
                allophone_encoder_push(encoder, samples, size, &codes, -1, &count), ALLOPHONE_ERROR_ARGUMENT,
                "more than")
            expect(
                allophone_decoder_push(decoder, codes, size, &samples, -1, &count), ALLOPHONE_ERROR_ARGUMENT,
                "more than")
            #expect(allophone_encode(c.codec, samples, size, &codes, 1, &count) != ALLOPHONE_OK)
            #expect(allophone_decode(c.codec, codes, size, &samples, hop, &count) != ALLOPHONE_OK)
        }
        let limit = 1 << 24
        expect(
            allophone_encoder_push(encoder, samples, limit + 1, &codes, limit, &count), ALLOPHONE_ERROR_ARGUMENT,
            "smaller pieces")
        expect(
            allophone_decoder_push(decoder, codes, limit / hop + 1, &samples, limit * 2, &count),
            ALLOPHONE_ERROR_ARGUMENT, "smaller pieces")
        #expect(count == 0)
        // Neither stream has moved.
        #expect(try push(sound(hop * 2, seed: 1), to: encoder) == push(sound(hop * 2, seed: 1), to: c.encoder()))
    }

    @Test func resultsWithoutRoomAreNotBegun() throws {
        let samples = sound(hop * 3 + 1, seed: 2)
        let (encoder, decoder) = (try c.encoder(), try c.decoder())
        var codes = [UInt64](repeating: 77, count: 6)
        var audio = [Float](repeating: 77, count: hop * 3)
        var count = -1
        let capacity = ALLOPHONE_ERROR_CAPACITY
        expect(allophone_encoder_push(encoder, samples, samples.count, &codes, 2, &count), capacity, "3 are needed")
        expect(allophone_encode(c.codec, samples, samples.count, &codes, 3, &count), capacity, "4 are needed")
        #expect(codes == [77, 77, 77, 77, 77, 77] && count == 0)
        try succeed(allophone_encoder_push(encoder, samples, samples.count, &codes, 3, &count))
        expect(allophone_encoder_flush(encoder, &codes, 0, &count), capacity, "1 are needed")
        #expect(try codes == push(samples, to: c.encoder()) && flush(encoder).count == 2)
        expect(allophone_decoder_push(decoder, codes, 3, &audio, hop * 3 - 1, &count), capacity, "72 are needed")
        expect(allophone_decode(c.codec, codes, 3, &audio, hop * 3 - 1, &count), capacity, "72 are needed")
        #expect(audio.allSatisfy { $0 == 77 })
        #expect(try decode(codes, by: decoder) == decode(codes, by: c.decoder()))
    }

    @Test func badSamplesAndCodesLeaveStreamsAsTheyWere() throws {
        let (encoder, decoder) = (try c.encoder(), try c.decoder())
        var codes = [UInt64](repeating: 0, count: 8)
        var audio = [Float](repeating: 0, count: hop * 4)
        var count = -1
        for (bad, mention) in [(Float.nan, "not a number"), (.infinity, "not a number"), (3e38, "scale")] {
            let samples = sound(hop * 2, seed: 1) + [bad]
            let status = ALLOPHONE_ERROR_SAMPLES
            expect(allophone_encoder_push(encoder, samples, samples.count, &codes, 3, &count), status, mention)
            expect(allophone_encode(c.codec, samples, samples.count, &codes, 3, &count), status, "sample 48")
        }
        for bad: [UInt64] in [[16, 0], [0, 128], [.max, 0], [0, 0, 1 << 40, 0]] {
            let status = ALLOPHONE_ERROR_CODES
            expect(allophone_decoder_push(decoder, bad, bad.count / 2, &audio, hop * 2, &count), status, "largest")
            expect(allophone_decode(c.codec, bad, bad.count / 2, &audio, hop * 2, &count), status, "largest")
        }
        // However late, it is found before anything is written.
        let late = [UInt64](repeating: 0, count: 2 * 200) + [16, 0]
        var long = [Float](repeating: 77, count: hop * 201)
        expect(
            allophone_decode(c.codec, late, 201, &long, long.count, &count), ALLOPHONE_ERROR_CODES, "frame 200 ")
        #expect(long.allSatisfy { $0 == 77 })
        #expect(codes.allSatisfy { $0 == 0 } && count == 0)
        let faint = [Float](repeating: .leastNonzeroMagnitude, count: hop * 2)
        #expect(try push(faint, to: encoder) == push(faint.map { _ in 0 }, to: c.encoder()))
        #expect(try decode([3, 4], by: decoder) == decode([3, 4], by: c.decoder()))
    }

    @Test func messagesBelongToTheirThread() async throws {
        _ = allophone_encoder_reset(nil)
        let other = await withCheckedContinuation { continuation in
            Thread { continuation.resume(returning: String(cString: allophone_error_message())) }.start()
        }
        #expect(other.isEmpty)
    }
}
