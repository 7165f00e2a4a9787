import Checkpoint
import Codec
import Foundation
import NN
import Native
import Phonemes
import Tensor
import TestSupport
import Testing
import Tokenizer

@Suite struct NativeCodecTests {
    private let model: Alpha
    private let codec: NativeCodec
    private var hop: Int { model.configuration.hop }

    init() throws {
        model = try smallModel()
        codec = try NativeCodec(model: model, arrays: weights(of: model), blockFrames: 8)
    }

    @Test(arguments: 0..<6)
    func aStreamEqualsTheWholeForEveryChunking(_ seed: UInt64) throws {
        let whole = sound(hop * 40 + 7, seed: 3)
        let expected = try codec.tokens(whole)
        #expect(expected.count == 41)
        var encoder = try codec.makeEncoder()
        var tokens = TokenFrames(levelCount: expected.levelCount)
        var place = 0
        for piece in seed == 0 ? [Int](repeating: 1, count: whole.count) : pieces(of: whole.count, seed: seed) {
            tokens.append(try encoder.push(whole[place..<place + piece]))
            place += piece
            // No look-ahead: a frame is there as soon as its last sample is.
            #expect(tokens.count == place / hop)
        }
        tokens.append(try encoder.finish())
        #expect(tokens == expected)

        let audio = try codec.samples(expected)
        var decoder = try codec.makeDecoder()
        var streamed: [Float] = []
        var frame = 0
        for piece in pieces(of: expected.count, seed: seed) {
            let count = min(piece, expected.count - frame)
            streamed += try decoder.push(expected[frame..<frame + count])
            frame += count
        }
        #expect(streamed.map(\.bitPattern) == audio.map(\.bitPattern))
    }

    /// Weights that are values of bf16, but that in the second codec one of each matrix is a denormal, which counts as zero, but is
    /// no such value.
    @Test func weightsOfAStoredBF16TakeLessMemoryAndGiveTheSame() throws {
        func codec(last: Float) throws -> NativeCodec {
            let arrays = weights(of: model).mapValues { array in
                var values = array.converted(to: .bf16).floats
                if array.shape.rank > 1 { values[values.count - 1] = last }
                return HostArray(values, shape: array.shape)
            }
            return try NativeCodec(model: model, arrays: arrays, blockFrames: 8)
        }
        let (narrow, wide) = (try codec(last: 0), try codec(last: 1e-40))
        #expect(narrow.weightByteCount < wide.weightByteCount)
        let whole = sound(hop * 13 + 5, seed: 8)
        let tokens = try narrow.tokens(whole)
        #expect(try wide.tokens(whole) == tokens)
        #expect(try wide.samples(tokens).map(\.bitPattern) == narrow.samples(tokens).map(\.bitPattern))
    }

    /// A model of phonemes and bits, and its weights.
    private func hearingModel() throws -> (Alpha, [String: HostArray]) {
        let inventory = try PhonemeInventory(["<blank>", "a", "s", "t", "u"])
        var configuration = model.configuration
        configuration.quantizer = [.phonemes(inventory, dimension: 4), .bsq(bits: 4)]
        configuration.phonemes = inventory
        configuration.phonemeLayers = 1
        let hearing = try Alpha(configuration)
        var arrays = weights(of: hearing)
        arrays["quantizer.levels.0.usage"] = HostArray([0.6, 0.1, 0.05, 0.2, 0.05] as [Float], shape: [5])
        return (hearing, arrays)
    }

    /// Each reads and writes as much as is its own, which the address sanitizer sees.
    @Test(arguments: NativeCodec.Direction.allCases)
    func everyDirectionCanBeProfiled(_ direction: NativeCodec.Direction) throws {
        let (hearing, arrays) = try hearingModel()
        let codec = try NativeCodec(model: hearing, arrays: arrays, blockFrames: 8, directions: [direction])
        for frames in [1, 8] {
            let steps = try codec.profile(direction, frames: frames)
            #expect(!steps.isEmpty && steps.allSatisfy { $0.seconds >= 0 })
        }
    }

    @Test func scoresOfPhonemesDoNotDependOnTheCutAndAreTheReferences() throws {
        let (hearing, arrays) = try hearingModel()
        let codec = try NativeCodec(model: hearing, arrays: arrays, blockFrames: 8, directions: [.listening])
        let whole = sound(hop * 21 + 5, seed: 6)
        var listener = try codec.makeListener()
        let scores = try listener.push(whole) + listener.finish()
        #expect(listener.entries == 5 && scores.count == 22 * 5)

        var (piecewise, place) = (try codec.makeListener(), 0)
        var found: [Float] = []
        for piece in pieces(of: whole.count, seed: 2) {
            found += try piecewise.push(whole[place..<place + piece])
            place += piece
        }
        found += try piecewise.finish()
        #expect(found.map(\.bitPattern) == scores.map(\.bitPattern))

        let samples = whole + [Float](repeating: 0, count: hop - 5)
        let named = hearing.parameters.sorted { $0.key < $1.key }
        let inputs =
            named.map { $0.value.tensor } + [Tensor.input(TensorType(.f32, [1, samples.count, 1]), name: "audio")]
        func reference(_ strength: Double) throws -> [Float] {
            var past = Past.offline()
            let output = hearing.phonemeScores(inputs[inputs.count - 1], priorStrength: strength, &past)
            let values = named.map { arrays[$0.key]! } + [HostArray(samples, shape: [1, samples.count, 1])]
            return try ReferenceEvaluator()(Graph(inputs: inputs, outputs: [output]), values)[0].values()
        }
        for (one, other) in zip(scores, try reference(1)) { #expect(abs(one - other) < 1e-3) }
        // Without priors they are probabilities, and the priors are all that is between the two.
        let plain = try reference(0)
        for frame in 0..<22 {
            let row = plain[frame * 5..<frame * 5 + 5]
            #expect(abs(row.reduce(0) { $0 + exp($1) } - 1) < 1e-4)
            for (entry, share) in [0.6, 0.1, 0.05, 0.2, 0.05].enumerated() {
                #expect(abs(scores[frame * 5 + entry] - (row[frame * 5 + entry] - Float(log(share)))) < 1e-3)
            }
        }
    }

    @Test func aModelWithoutPhonemesCannotListen() throws {
        #expect(throws: CodecError.noPhonemes) {
            try NativeCodec(model: model, arrays: weights(of: model), directions: [.listening])
        }
        #expect(throws: CodecError.notLoaded("listening")) { try codec.makeListener() }
    }

    @Test func threadsAndBlocksChangeNothing() throws {
        let whole = sound(hop * 37, seed: 4)
        let expected = try codec.tokens(whole)
        let audio = try codec.samples(expected)
        for (threads, blockFrames) in [(1, 1), (2, 5), (3, 32)] {
            let other = try NativeCodec(
                model: model, arrays: weights(of: model), threads: threads, blockFrames: blockFrames)
            #expect(try other.tokens(whole) == expected, "\(threads) threads, blocks of \(blockFrames)")
            #expect(try other.samples(expected) == audio, "\(threads) threads, blocks of \(blockFrames)")
        }
    }

    @Test func interleavedStreamsDoNotMeet() throws {
        let sounds = (0..<4).map { sound(hop * 12, seed: UInt64(10 + $0)) }
        var encoders = try sounds.map { _ in try codec.makeEncoder() }
        var tokens = sounds.map { _ in TokenFrames(levelCount: 2) }
        var places = [Int](repeating: 0, count: sounds.count)
        var random = TestRandom(seed: 5)
        while places.contains(where: { $0 < sounds[0].count }) {
            for index in sounds.indices {
                let end = min(sounds[index].count, places[index] + Int((random.next() + 1) * 60))
                tokens[index].append(try encoders[index].push(sounds[index][places[index]..<end]))
                places[index] = end
            }
        }
        for index in sounds.indices { #expect(try tokens[index] == codec.tokens(sounds[index])) }
    }

    @Test func streamsRunOnSeveralThreadsAtOnce() async throws {
        let codec = try NativeCodec(model: model, arrays: weights(of: model), threads: 2, blockFrames: 8)
        let sounds = (0..<4).map { sound(hop * 30, seed: UInt64(20 + $0)) }
        let expected = try sounds.map { try codec.tokens($0) }
        // The other direction meanwhile: both share the codec's threads.
        async let audio = codec.samples(expected[0])
        let found = try await withThrowingTaskGroup(of: (Int, TokenFrames).self) { group in
            for (index, sound) in sounds.enumerated() { group.addTask { (index, try codec.tokens(sound)) } }
            return try await group.reduce(into: [Int: TokenFrames]()) { $0[$1.0] = $1.1 }
        }
        for index in sounds.indices { #expect(found[index] == expected[index]) }
        #expect(try await audio == self.codec.samples(expected[0]))
    }

    @Test func aCopyIsAnotherStream() throws {
        let (start, one, other) = (sound(hop * 5 + 9, seed: 6), sound(hop * 6, seed: 7), sound(hop * 6, seed: 8))
        var first = try codec.makeEncoder()
        _ = try first.push(start)
        var second = first
        let tokens = (try first.push(one), try second.push(other))
        #expect(try tokens.0 == codec.tokens(start + one)[5..<5 + tokens.0.count])
        #expect(try tokens.1 == codec.tokens(start + other)[5..<5 + tokens.1.count])
        #expect(tokens.0 != tokens.1)

        let frames = try codec.tokens(start + one)
        var decoder = try codec.makeDecoder()
        let head = try decoder.push(frames[0..<4])
        var clone = decoder
        let (a, b) = (try decoder.push(frames[4..<8]), try clone.push(frames[4..<8]))
        #expect(try a == b && head + a == codec.samples(frames[0..<8]))
    }

    @Test func aResetInMidFrameIsANewStream() throws {
        let whole = sound(hop * 9, seed: 9)
        var encoder = try codec.makeEncoder()
        _ = try encoder.push(sound(hop * 3 + 5, seed: 10))
        encoder.reset()
        #expect(try encoder.push(whole) == codec.tokens(whole))
        let frames = try codec.tokens(whole)
        var decoder = try codec.makeDecoder()
        _ = try decoder.push(frames)
        decoder.reset()
        #expect(try decoder.push(frames) == codec.samples(frames))
    }

    /// Also of a model whose latent is so narrow that its head is computed as dot products, of 24 channels for each tap.
    @Test(arguments: [false, true]) func steppingStreamsTogetherEqualsEachAlone(isNarrow: Bool) throws {
        var configuration = model.configuration
        if isNarrow {
            configuration.width = 6
            configuration.latentDimension = 4
            configuration.transformer.heads = 2
        }
        let model = try Alpha(configuration)
        let codec = try NativeCodec(model: model, arrays: weights(of: model), blockFrames: 8)
        // As many as no power of two, of different lengths.
        let sounds = (0..<7).map { sound(hop * (3 + $0) + 11 * $0, seed: UInt64(30 + $0)) }
        var encoders = try sounds.map { _ in try codec.makeEncoder() }
        var tokens = try codec.push(sounds.map { Array($0.prefix(hop + 3)) }, to: &encoders)
        for (index, rest) in try codec.push(sounds.map { Array($0.dropFirst(hop + 3)) }, to: &encoders).enumerated() {
            tokens[index].append(rest)
        }
        for index in sounds.indices {
            #expect(try tokens[index] == codec.tokens(sounds[index])[0..<tokens[index].count])
        }
        var decoders = try sounds.map { _ in try codec.makeDecoder() }
        let audio = try codec.push(tokens, to: &decoders)
        for index in sounds.indices {
            let alone = try codec.samples(tokens[index])
            #expect(audio[index].map(\.bitPattern) == alone.map(\.bitPattern))
        }
    }

    @Test func badSamplesLeaveTheStreamAsItWas() throws {
        let whole = sound(hop * 4, seed: 11)
        var encoder = try codec.makeEncoder()
        var tokens = try encoder.push(whole[0..<hop + 1])
        for (bad, error) in [
            (Float.nan, CodecError.notFinite(sample: 2)), (.infinity, .notFinite(sample: 2)),
            (3e38, .tooLoud(sample: 2, value: 3e38)),
        ] {
            #expect(throws: error) { try encoder.push([0, 0.5, bad] + [Float](repeating: 0, count: hop)) }
        }
        tokens.append(try encoder.push(whole[(hop + 1)...]))
        #expect(try tokens == codec.tokens(whole))
        // In a whole recording they are counted from its beginning.
        let long = sound(hop * 40, seed: 13) + [.nan]
        #expect(throws: CodecError.notFinite(sample: hop * 40)) { try codec.encode(long) }
        var encoders = [encoder, try codec.makeEncoder()]
        #expect(throws: CodecError.ofStream(1, .notFinite(sample: 0))) {
            try codec.push([whole, [.nan]], to: &encoders)
        }
        #expect(try codec.push([[], whole], to: &encoders)[1] == codec.tokens(whole))
    }

    @Test func badTokensLeaveTheStreamAsItWas() throws {
        let frames = try codec.tokens(sound(hop * 4, seed: 12))
        var decoder = try codec.makeDecoder()
        let start = try decoder.push(frames[0..<2])
        #expect(throws: CodecError.code(16, frame: 0, level: 0, largest: 15)) {
            try decoder.push(TokenFrames(codes: [16, 0], levelCount: 2))
        }
        #expect(throws: CodecError.code(128, frame: 1, level: 1, largest: 127)) {
            try decoder.push(TokenFrames(codes: [0, 0, 0, 128], levelCount: 2))
        }
        #expect(throws: CodecError.levelCount(expected: 2, given: 3)) {
            try decoder.push(TokenFrames(codes: [0, 0, 0], levelCount: 3))
        }
        var decoders = [try codec.makeDecoder(), decoder]
        #expect(throws: CodecError.ofStream(1, .code(16, frame: 0, level: 0, largest: 15))) {
            try codec.push([frames, TokenFrames(codes: [16, 0], levelCount: 2)], to: &decoders)
        }
        #expect(try start + codec.push([frames[0..<0], frames[2..<4]], to: &decoders)[1] == codec.samples(frames))
        #expect(try start + decoder.push(frames[2..<4]) == codec.samples(frames))
    }

    // Arithmetic on them is slow, so a signal that dies away must not be a long calculation.
    @Test func denormalSamplesAreSilence() throws {
        let faint = [Float](repeating: .leastNonzeroMagnitude * 70_000, count: hop * 4)
        #expect(try codec.tokens(faint) == codec.tokens([Float](repeating: 0, count: hop * 4)))
        let state = { (samples: [Float]) throws -> TokenFrames in
            var encoder = try codec.makeEncoder()
            _ = try encoder.push(samples)
            return try encoder.push(sound(hop * 4, seed: 14))
        }
        #expect(try state(faint) == state(faint.map { _ in 0 }))
    }

    @Test func nothingInGivesNothing() throws {
        var encoder = try codec.makeEncoder()
        #expect(try encoder.push([]).isEmpty && encoder.finish().isEmpty)
        var decoder = try codec.makeDecoder()
        #expect(try decoder.push(TokenFrames(levelCount: 2)).isEmpty && decoder.finish().isEmpty)
    }

    @Test func weightsOfAnotherModelAreRefused() throws {
        var other = model.configuration
        other.width = 8
        let arrays = weights(of: try Alpha(other))
        #expect(throws: TensorDifferences.self) { try NativeCodec(model: model, arrays: arrays) }
    }

    @Test func weightsThatAreNotFiniteAreRefused() throws {
        var arrays = weights(of: model)
        let path = "encoder.stem.weight"
        var values = arrays[path]!.floats
        values[3] = .nan
        arrays[path] = HostArray(values, shape: arrays[path]!.shape)
        let error = #expect(throws: TensorDifferences.self) { try NativeCodec(model: model, arrays: arrays) }
        #expect(error?.nonFinite == [path])
    }

    @Test(arguments: [Precision.bf16, .int8])
    func narrowWeightsStayClose(_ precision: Precision) throws {
        let narrow = try NativeCodec(model: model, arrays: weights(of: model), precision: precision, blockFrames: 8)
        #expect(narrow.weightByteCount < codec.weightByteCount)
        let tokens = try codec.tokens(sound(hop * 30, seed: 13))
        let (expected, found) = (try codec.samples(tokens), try narrow.samples(tokens))
        let error = zip(expected, found).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
        let power = expected.reduce(0) { $0 + Double($1 * $1) }
        #expect(error > 0 && error < 0.02 * power, "noise \(error / power) of the signal's power")
        // Chunks make no difference here either.
        var decoder = try narrow.makeDecoder()
        let streamed = try (0..<tokens.count).flatMap { try decoder.push(tokens[$0..<$0 + 1]) }
        #expect(streamed == found)
        var decoders = [try narrow.makeDecoder(), try narrow.makeDecoder()]
        #expect(try narrow.push([tokens, tokens], to: &decoders) == [found, found])
    }
}
