import Audio
import Codec
import Foundation
import Metrics
import Phonemes
import Synchronization
import TestSupport
import Testing
import Tokenizer

@testable import Datasets
@testable import Training

/// What an evaluation counts, on codes and sounds that are known.
struct EvaluationTests {
    private let folder: TemporaryFolder

    /// Two clips of a second, of which the dataset says how they are spoken.
    init() throws {
        folder = try TemporaryFolder()
        let path = Fixture.folder.appending(path: "speech/festvox-ru-sample.flac").path
        let speech = try Waveform.load(path: path, sampleRate: 8000).samples
        for (number, name) in ["a", "b"].enumerated() {
            try Waveform(samples: Array(speech[number * 8000..<(number + 1) * 8000]), sampleRate: 8000)
                .write(to: folder.file("\(name).wav"))
        }
        let lines = """
            {"path": "a.wav", "seconds": 1, "text": "ai", "language": "xx", "espeak_ipa": "a_i"}
            {"path": "b.wav", "seconds": 1, "text": "aksi", "language": "yy", "espeak_ipa": "a_k_s_i"}

            """
        try write(Array(lines.utf8), to: folder.file("manifest.jsonl"))
    }

    private func set(_ labeler: (any ClipLabeler)?) throws -> EvaluationSet {
        try EvaluationSet(openSource(folder.path), count: 2, sampleRate: 8000, labeler: labeler)
    }

    @Test func everyFigureIsWhatItsDefinitionSays() throws {
        let codec = try ScriptedCodec()
        let inventory = try #require(codec.model.configuration.phonemes)
        let result = try set(PhonemeLabeler(inventory: inventory)).evaluate(codec, reader: codec.reader)
        #expect(result.clips == 2 && abs(result.seconds - 2) < 1e-9)
        // "a" and "i" are heard in both: the second clip lacks two of its four.
        #expect(result.phonemeErrorRate == 2.0 / 6)
        let errors = try #require(result.phonemeErrors)
        #expect(errors.keys.sorted() == ["xx", "yy"] && errors["xx"]?.rate == 0 && errors["yy"]?.rate == 0.5)
        #expect(errors["yy"]?.deletions == 2 && errors["yy"]?.total == 4)
        #expect(result.blankShare == 35.0 / 50)
        #expect(result.level1Used == 4.0 / 8)
        let shares = [35, 9, 1, 5].map { $0 / 50.0 }
        #expect(abs(try #require(result.level1Perplexity) - exp2(shares.reduce(0) { $0 - $1 * log2($1) })) < 1e-9)
        #expect(result.bitMeans == [1, 0, 0.4, 0, 0, 0])
        #expect(result.bitRate == 50 * 9)
        // The decoder is right but for the level, and level 1 alone is what it was made to be.
        #expect(abs(result.stoi - 1) < 1e-6 && abs(result.melDistance - log10(2)) < 0.02)
        let alone = try ["a", "b"].map { name in
            let original = try Waveform.load(path: folder.file("\(name).wav"), sampleRate: 8000)
            return try SpeechQuality.stoi(
                reference: original, degraded: Waveform(samples: gated(original.samples), sampleRate: 8000))
        }
        #expect(abs(try #require(result.level1STOI) - (alone[0] + alone[1]) / 2) < 1e-6 && alone.max()! < 0.95)
    }

    @Test func whatIsNotKnownIsNoError() throws {
        let codec = try ScriptedCodec()
        let inventory = try #require(codec.model.configuration.phonemes)
        // What the dataset says needs no espeak-ng.
        #expect(try set(PhonemeLabeler(inventory: inventory)).unlabeled == nil)
        let without = try set(FailingLabeler(error: EspeakError.missing(path: nil)))
        #expect(without.unlabeled == .missing(path: nil))
        let result = try without.evaluate(codec, reader: codec.reader)
        #expect(result.phonemeErrorRate == nil && result.phonemeErrors == nil && result.blankShare == 35.0 / 50)
        #expect(throws: PipelineError.noSources) { try set(FailingLabeler(error: PipelineError.noSources)) }
    }
}

private struct FailingLabeler: ClipLabeler {
    let error: any Error
    func labels(for clips: [Clip]) throws -> [[Int32]] { throw error }
}

/// Every other tenth of a second nearly silent.
private func gated(_ samples: [Float]) -> [Float] {
    samples.enumerated().map { $0.offset / 800 % 2 == 0 ? $0.element : 0.01 * $0.element }
}

/// Hears the same in every second, and gives the sound back half as loud.
private struct ScriptedCodec: SpeechCodec {
    let model: Alpha
    let reader: PhonemeReader
    let chunkSamples = 8000
    private let tape = Tape()

    init() throws {
        let inventory = try PhonemeInventory(["<blank>", "a", "b", "k", "s", "t", "i", "u"])
        model = try Alpha(
            Alpha.Configuration(
                sampleRate: 8000, width: 2, strides: [4, 5, 8], dilations: [1], latentDimension: 8,
                transformer: .init(layers: 0, heads: 1, window: 1),
                quantizer: [.phonemes(inventory, dimension: 8), .bsq(bits: 6)], phonemes: inventory))
        // No phoneme is like another.
        let entries = (0..<8).map { entry in (0..<8).map { $0 == entry ? 1.0 : 0 } }
        reader = PhonemeReader(inventory, entries: entries, frameRate: 50)
    }

    func makeEncoder() -> Encoder { Encoder(tape: tape) }
    func makeDecoder() -> Decoder { Decoder(tape: tape, isLevelOne: false) }
    func makeLevelOneDecoder() -> Decoder { Decoder(tape: tape, isLevelOne: true) }

    final class Tape: Sendable {
        let samples = Mutex<[Float]>([])
    }

    struct Encoder: StreamEncoder {
        let tape: Tape
        mutating func push(_ samples: some Collection<Float>) -> TokenFrames {
            tape.samples.withLock { $0 = Array(samples) }
            return TokenFrames(levelCount: 2)
        }
        mutating func finish() -> TokenFrames {
            // One frame of "k" is a slip.
            let runs: [(code: UInt64, frames: Int)] = [(0, 10), (1, 6), (3, 1), (1, 3), (0, 5), (6, 5), (0, 20)]
            let codes = runs.flatMap { [UInt64](repeating: $0.code, count: $0.frames) }
            return TokenFrames(
                codes: codes.enumerated().flatMap { [$0.element, $0.offset < 20 ? 0b101 : 0b001] }, levelCount: 2)
        }
    }

    struct Decoder: StreamDecoder {
        let tape: Tape
        let isLevelOne: Bool
        mutating func push(_ frames: TokenFrames) -> [Float] {
            let samples = tape.samples.withLock { $0 }
            return isLevelOne ? gated(samples) : samples.map { 0.5 * $0 }
        }
        mutating func finish() -> [Float] { [] }
    }
}
