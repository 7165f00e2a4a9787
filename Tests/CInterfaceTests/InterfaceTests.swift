import CAllophone
import Checkpoint
import Codec
import Foundation
import Native
import TestSupport
import Testing
import Tokenizer

/// What the C interface gives, against what the Swift one does.
@Suite struct InterfaceTests {
    private let c: Interface
    private let codec: NativeCodec
    private let hop = 24

    init() throws {
        c = try Interface()
        codec = try NativeCodec(ModelFile(path: c.path))
    }

    @Test func formatAndLevelsAreTheModels() throws {
        #expect(allophone_interface() == UInt32(ALLOPHONE_INTERFACE))
        var format = allophone_format()
        try succeed(allophone_codec_format(c.codec, &format))
        #expect(format.sample_rate == 24000 && format.hop == 24 && format.level_count == 2)
        #expect(format.bits_per_frame == 11)
        let fingerprint = try ModelFile(path: c.path).fingerprint
        #expect(withUnsafeBytes(of: format.fingerprint) { Array($0) } == fingerprint.bytes)
        var levels = [allophone_level(), allophone_level()]
        for index in 0..<2 { try succeed(allophone_codec_level(c.codec, UInt32(index), &levels[index])) }
        #expect(levels[0].kind == ALLOPHONE_VQ.rawValue && levels[0].bits == 4 && levels[0].largest_code == 15)
        #expect(levels[1].kind == ALLOPHONE_BSQ.rawValue && levels[1].bits == 7 && levels[1].largest_code == 127)
    }

    @Test(arguments: [0, 1, 24, 24 * 40, 24 * 40 + 7])
    func aRecordingGivesWhatSwiftGives(length: Int) throws {
        let samples = sound(length, seed: 3)
        let expected = try codec.encode(samples)
        var codes = [UInt64](repeating: .max, count: expected.codes.count)
        var frames = -1
        try succeed(allophone_encode(c.codec, samples, length, &codes, expected.count, &frames))
        #expect(frames == expected.count && codes == expected.codes)
        let audio = try codec.decode(expected)
        var found = [Float](repeating: .nan, count: audio.count)
        var count = -1
        try succeed(allophone_decode(c.codec, codes, frames, &found, audio.count, &count))
        #expect(count == audio.count && found == audio)
    }

    @Test func aSearchGivesWhatSwiftGives() throws {
        let samples = sound(hop * 12 + 7, seed: 3)
        let searched = try NativeCodec(ModelFile(path: c.path), directions: [.searching, .decoding])
        let expected = try SearchingCodec(searched, paths: 2).encode(samples)
        #expect(try expected != codec.encode(samples))
        let searching = try Interface(use: ALLOPHONE_SEARCH)
        var codes = [UInt64](repeating: .max, count: expected.codes.count)
        var frames = -1
        try succeed(
            allophone_encode_searching(searching.codec, 2, samples, samples.count, &codes, expected.count, &frames))
        #expect(frames == expected.count && codes == expected.codes)
        #expect(
            allophone_encode_searching(c.codec, 2, samples, samples.count, &codes, expected.count, &frames)
                == ALLOPHONE_ERROR_USE)
    }

    @Test func aSearchCountsAllCodesAlikeWhateverTheModelsPrior() throws {
        let file = try ModelFile(path: c.path)
        let prior = try dearBits(file.model.configuration.tokenLayout)
        let path = c.folder.file("dear.safetensors")
        try file.write(with: prior, to: path)
        let samples = sound(hop * 12 + 7, seed: 3)
        let searched = try NativeCodec(file, directions: [.searching, .decoding])
        let expected = try SearchingCodec(searched, paths: 2).encode(samples)
        #expect(try expected != SearchingCodec(searched, paths: 2, prior: prior).encode(samples))
        let dear = try opened { allophone_codec_open(path, ALLOPHONE_SEARCH.rawValue, ALLOPHONE_F32.rawValue, 1, $0) }
        defer { allophone_codec_close(dear) }
        var codes = [UInt64](repeating: .max, count: expected.codes.count)
        var frames = -1
        try succeed(allophone_encode_searching(dear, 2, samples, samples.count, &codes, expected.count, &frames))
        #expect(frames == expected.count && codes == expected.codes)
    }

    @Test func streamsGiveWhatSwiftGives() throws {
        let samples = sound(hop * 30 + 5, seed: 4)
        let expected = try codec.encode(samples)
        let (encoder, decoder) = (try c.encoder(), try c.decoder())
        var codes: [UInt64] = []
        var audio: [Float] = []
        for start in stride(from: 0, to: samples.count, by: 31) {
            let piece = try push(Array(samples[start..<min(samples.count, start + 31)]), to: encoder)
            #expect(codes.count + piece.count == min(samples.count, start + 31) / hop * 2, "no look-ahead")
            codes += piece
            audio += try decode(piece, by: decoder)
        }
        codes += try flush(encoder)
        audio += try decode(Array(codes.suffix(2)), by: decoder)
        #expect(codes == expected.codes)
        #expect(try audio == codec.decode(expected))
        #expect(try flush(encoder).isEmpty, "nothing is left")
        allophone_encoder_destroy(encoder)
        allophone_decoder_destroy(decoder)
    }

    @Test func clonesGoOnApartAndResetsBeginAgain() throws {
        let (start, one, other) = (sound(hop * 5 + 9, seed: 6), sound(hop * 6, seed: 7), sound(hop * 6, seed: 8))
        let encoder = try c.encoder()
        _ = try push(start, to: encoder)
        let clone = try opened { allophone_encoder_clone(encoder, $0) }
        #expect(try push(one, to: encoder) == codec.encode(start + one)[5..<11].codes)
        // In the middle of a frame, and the clone does not mind.
        try succeed(allophone_encoder_reset(encoder))
        #expect(try push(one, to: encoder) == codec.encode(one).codes)
        allophone_encoder_destroy(encoder)
        #expect(try push(other, to: clone) == codec.encode(start + other)[5..<11].codes)
        allophone_encoder_destroy(clone)

        let tokens = try codec.encode(start + one)
        let audio = try codec.decode(tokens)
        let decoder = try c.decoder()
        let head = try decode(tokens[0..<4].codes, by: decoder)
        let second = try opened { allophone_decoder_clone(decoder, $0) }
        try succeed(allophone_decoder_reset(decoder))
        #expect(try decode(tokens[0..<4].codes, by: decoder) == head)
        #expect(try head + decode(tokens[4..<tokens.count].codes, by: second) == audio)
        allophone_decoder_destroy(decoder)
        allophone_decoder_destroy(second)
    }

    @Test func streamsOutliveTheirCodecAndShareItAmongThreads() async throws {
        let c = try Interface()
        let sounds = (0..<4).map { sound(hop * 20, seed: UInt64(40 + $0)) }
        let expected = try sounds.map { try codec.encode($0).codes }
        // Addresses, since pointers are not sent between threads.
        let encoders = try sounds.map { _ in Int(bitPattern: try c.encoder()) }
        allophone_codec_close(c.codec)
        let found = try await withThrowingTaskGroup(of: (Int, [UInt64]).self) { group in
            for index in sounds.indices {
                group.addTask { (index, try push(sounds[index], to: OpaquePointer(bitPattern: encoders[index])!)) }
            }
            return try await group.reduce(into: [Int: [UInt64]]()) { $0[$1.0] = $1.1 }
        }
        for index in sounds.indices {
            #expect(found[index] == expected[index])
            allophone_encoder_destroy(OpaquePointer(bitPattern: encoders[index]))
        }
    }

    @Test func callsOfOneStreamWaitForEachOther() async throws {
        let encoder = Int(bitPattern: try c.encoder())
        let silence = [Float](repeating: 0, count: hop * 4)
        let frames = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 { group.addTask { try push(silence, to: OpaquePointer(bitPattern: encoder)!).count / 2 } }
            return try await group.reduce(0, +)
        }
        #expect(frames == 32)
        allophone_encoder_destroy(OpaquePointer(bitPattern: encoder))
    }

    @Test func aLateDecoderGivesTheRestAtTheEnd() throws {
        var configuration = try ModelFile(path: c.path).model.configuration
        configuration.decoderDelay = 2
        let (path, model) = (c.folder.file("late.safetensors"), try Alpha(configuration))
        try ModelFile.write(weights(of: model), of: model, to: path)
        let late = try opened { allophone_codec_open(path, 3, ALLOPHONE_F32.rawValue, 1, $0) }
        defer { allophone_codec_close(late) }
        var delay = -1
        try succeed(allophone_codec_delay(late, &delay))
        #expect(delay == 2 * hop)
        let swift = try NativeCodec(ModelFile(path: path))
        let tokens = try swift.encode(sound(hop * 6, seed: 9))
        let expected = try swift.decode(tokens)
        let decoder = try opened { allophone_decoder_create(late, $0) }
        defer { allophone_decoder_destroy(decoder) }
        var samples = try decode(tokens.codes, by: decoder)
        #expect(samples.count == hop * 4)
        var (rest, count) = ([Float](repeating: .nan, count: delay), -1)
        let error = #expect(throws: Failure.self) {
            try succeed(allophone_decoder_flush(decoder, &rest, delay - 1, &count))
        }
        #expect(error?.status == ALLOPHONE_ERROR_CAPACITY)
        try succeed(allophone_decoder_flush(decoder, &rest, delay, &count))
        samples += rest[..<count]
        #expect(samples == expected)
        try succeed(allophone_decoder_flush(decoder, &rest, delay, &count))
        #expect(count == 0)
        samples = [Float](repeating: .nan, count: tokens.count * hop)
        try succeed(allophone_decode(late, tokens.codes, tokens.count, &samples, samples.count, &count))
        #expect(count == samples.count && samples == expected)

        try succeed(allophone_codec_delay(c.codec, &delay))
        #expect(delay == 0)
        let prompt = try c.decoder()
        defer { allophone_decoder_destroy(prompt) }
        _ = try decode(tokens.codes, by: prompt)
        try succeed(allophone_decoder_flush(prompt, nil, 0, &count))
        #expect(count == 0)
    }

    @Test(arguments: [(ALLOPHONE_BF16.rawValue, Precision.bf16), (ALLOPHONE_INT8.rawValue, .int8)])
    func precisionsAreThoseOfSwift(_ precision: UInt32, _ same: Precision) throws {
        let narrow = try opened { allophone_codec_open(c.path, 3, precision, 2, $0) }
        defer { allophone_codec_close(narrow) }
        let decoder = try opened { allophone_decoder_create(narrow, $0) }
        let tokens = try codec.encode(sound(hop * 6, seed: 9))
        let expected = try NativeCodec(ModelFile(path: c.path), precision: same).decode(tokens)
        #expect(try decode(tokens.codes, by: decoder) == expected)
        #expect(try expected != codec.decode(tokens))
        allophone_decoder_destroy(decoder)
    }

    @Test func aFileOfNarrowWeightsIsAModelLikeOthers() throws {
        let path = c.folder.file("narrow.safetensors")
        try ModelFile(path: c.path).write(as: .bf16, to: path)
        let narrow = try opened { allophone_codec_open(path, 3, ALLOPHONE_F32.rawValue, 1, $0) }
        defer { allophone_codec_close(narrow) }
        let file = try ModelFile(path: path)
        var format = allophone_format()
        try succeed(allophone_codec_format(narrow, &format))
        #expect(withUnsafeBytes(of: format.fingerprint) { Array($0) } == file.fingerprint.bytes)
        let encoder = try opened { allophone_encoder_create(narrow, $0) }
        defer { allophone_encoder_destroy(encoder) }
        let samples = sound(hop * 20, seed: 6)
        #expect(try push(samples, to: encoder) == NativeCodec(file).encode(samples).codes)
    }

    @Test func oneUseAloneIsEnoughForIt() throws {
        let c = try Interface(use: ALLOPHONE_ENCODE)
        #expect(try push(sound(hop * 3, seed: 1), to: c.encoder()) == codec.encode(sound(hop * 3, seed: 1)).codes)
        let error = #expect(throws: Failure.self) { try c.decoder() }
        #expect(error?.status == ALLOPHONE_ERROR_USE)
    }
}
