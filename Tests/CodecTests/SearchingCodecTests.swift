import Codec
import Native
import Phonemes
import Tensor
import TestSupport
import Testing
import Tokenizer

@Suite struct SearchingCodecTests {
    private let model: Alpha
    private let codec: NativeCodec
    private var hop: Int { model.configuration.hop }

    init() throws {
        model = try smallModel()
        codec = try NativeCodec(
            model: model, arrays: weights(of: model), blockFrames: 8, directions: [.encoding, .searching, .decoding])
    }

    /// With one or two bits a frame every code is tried, so of sound that a decoder made, the codes that it was made of are at no distance. Where
    /// it is late that takes paths for all codes whose frames have not sounded yet.
    @Test(arguments: [(0, 1, [1, 3, 8]), (0, 2, [1, 3]), (2, 1, [16])])
    func theCodesThatSoundWasMadeOfAreFound(decoderDelay: Int, bits: Int, paths: [Int]) throws {
        var configuration = model.configuration
        configuration.decoderDelay = decoderDelay
        configuration.quantizer = [.bsq(bits: bits)]
        let fewBits = try Alpha(configuration)
        let codec = try NativeCodec(
            model: fewBits, arrays: weights(of: fewBits, seed: 4), blockFrames: 8,
            directions: [.encoding, .searching, .decoding])
        var random = TestRandom(seed: 9)
        let codes = (0..<60).map { _ in
            (0..<bits).reduce(UInt64(0)) { code, _ in 2 * code + (random.next() > 0 ? 1 : 0) }
        }
        let made = try codec.samples(TokenFrames(codes: codes, levelCount: 1))
        #expect(try codec.tokens(made).codes != codes, "the encoder, which nobody trained, would not find them")
        for count in paths {
            #expect(try SearchingCodec(codec, paths: count).tokens(made).codes == codes, "\(count) paths")
        }
    }

    @Test func levelOneStaysAndTheCutAndThreadsChangeNothing() throws {
        let whole = sound(hop * 24 + 7, seed: 3)
        let own = try codec.tokens(whole)
        let searching = try SearchingCodec(codec, paths: 3)
        let expected = try searching.tokens(whole)
        #expect(expected.count == own.count)
        #expect(expected.level(0) == own.level(0))
        #expect(expected.level(1) != own.level(1))

        var (encoder, place) = (try searching.makeEncoder(), 0)
        var tokens = TokenFrames(levelCount: 2)
        for piece in pieces(of: whole.count, seed: 5) {
            tokens.append(try encoder.push(whole[place..<place + piece]))
            place += piece
            #expect(place / hop - tokens.count <= SearchingCodec.Encoder.longestDelay)
        }
        tokens.append(try encoder.finish())
        #expect(tokens == expected)
        try encoder.reset()
        tokens = try encoder.push(whole)
        tokens.append(try encoder.finish())
        #expect(tokens == expected, "after a reset")

        let shared = try NativeCodec(
            model: model, arrays: weights(of: model), threads: 3, blockFrames: 8,
            directions: [.encoding, .searching, .decoding])
        #expect(try SearchingCodec(shared, paths: 3).tokens(whole) == expected)
    }

    @Test func bitsThatCostMoreAreChosenLess() throws {
        let prior = try dearBits(model.configuration.tokenLayout)
        let whole = sound(hop * 40, seed: 6)
        let free = try SearchingCodec(codec, paths: 2).tokens(whole)
        let cheap = try SearchingCodec(codec, paths: 2, prior: prior).tokens(whole)
        func setBits(_ tokens: TokenFrames) -> Int { tokens.level(1).reduce(0) { $0 + $1.nonzeroBitCount } }
        #expect(setBits(cheap) < setBits(free))
        #expect(prior.bits(of: cheap) < prior.bits(of: free))
        #expect(cheap.level(0) == free.level(0))
    }

    @Test func onePathIsDecidedWithEachFrame() throws {
        var encoder = try SearchingCodec(codec, paths: 1).makeEncoder()
        let whole = sound(hop * 12, seed: 6)
        for frame in 0..<12 {
            #expect(try encoder.push(whole[frame * hop..<(frame + 1) * hop]).count == 1)
        }
        #expect(try encoder.finish().isEmpty)
    }

    /// Silence has no loudness to weigh by; what follows is weighed none the less.
    @Test func whatFollowsSilenceIsSearched() throws {
        let late = [Float](repeating: 0, count: hop * 5) + sound(hop * 12, seed: 8)
        let (tokens, own) = (try SearchingCodec(codec, paths: 2).tokens(late), try codec.tokens(late))
        #expect(tokens.level(0) == own.level(0))
        #expect(tokens.level(1).dropFirst(5) != own.level(1).dropFirst(5))
    }

    @Test func whatIsNoNumberChangesNothing() throws {
        let whole = sound(hop * 9 + 3, seed: 7)
        let searching = try SearchingCodec(codec, paths: 2)
        let expected = try searching.tokens(whole)
        var encoder = try searching.makeEncoder()
        var tokens = try encoder.push(whole[..<(hop * 4 + 1)])
        #expect(throws: CodecError.notFinite(sample: 1)) { try encoder.push([0, .nan]) }
        tokens.append(try encoder.push(whole[(hop * 4 + 1)...]))
        tokens.append(try encoder.finish())
        #expect(tokens == expected)
    }

    @Test func aModelWithoutBitsAndACodecOfOneDirectionAreRefused() throws {
        var configuration = model.configuration
        configuration.quantizer = [.vq(codebookSize: 16)]
        let bare = try Alpha(configuration)
        let withoutBits = try NativeCodec(model: bare, arrays: weights(of: bare), directions: [.searching, .decoding])
        #expect(throws: CodecError.nothingToSearch) { try SearchingCodec(withoutBits, paths: 2) }
        // Bits, but each corner is a phoneme.
        configuration.quantizer = [.bsq(bits: 2)]
        configuration.phonemes = try PhonemeInventory(["<blank>", "a", "s", "t"])
        let spelling = try Alpha(configuration)
        let phonemesAlone = try NativeCodec(
            model: spelling, arrays: weights(of: spelling), directions: [.searching, .decoding])
        #expect(throws: CodecError.nothingToSearch) { try SearchingCodec(phonemesAlone, paths: 2) }
        let encoding = try NativeCodec(model: model, arrays: weights(of: model), directions: [.searching])
        #expect(throws: CodecError.notLoaded("decoding")) { try SearchingCodec(encoding, paths: 2) }
    }
}
