import Audio
import Codec
import Foundation
import Phonemes
import TestSupport
import Testing
import Tokenizer
import Training

/// The model that is given away, on the beginning of a sentence that a phonetician has labelled.
@Suite struct PhonemeAlignerTests {
    /// When the phones of festvox-ru's label file begin, and the last ends, in seconds.
    private static let phones = "o k n a m n ʌ ɡ ʌ i t ɑ ʒ n ʌ x d ʌ m o f"
    private static let edges = [
        0.112, 0.262, 0.342, 0.422, 0.452, 0.572, 0.632, 0.682, 0.782, 0.822, 0.912, 0.992, 1.082, 1.192, 1.252, 1.312,
        1.342, 1.442, 1.512, 1.692, 1.722, 1.952,
    ]
    private let aligner: PhonemeAligner
    private let waveform: Waveform

    init() throws {
        aligner = try PhonemeAligner(Self.model("alpha-tiny-phonemes"))
        waveform = try Waveform.load(
            path: Fixture.folder.appending(path: "speech/festvox-ru-sample.flac").path,
            sampleRate: aligner.sampleRate)
    }

    private static func model(_ name: String) throws -> ModelFile {
        let root = Fixture.folder.deletingLastPathComponent().deletingLastPathComponent()
        return try ModelFile(path: root.appending(path: "weights/\(name).safetensors").path)
    }

    @Test func phonemesBeginWhereAPersonHearsThem() throws {
        let segments = try aligner.align(Self.phones, scores: aligner.scores(of: waveform)).segments
        #expect(segments.map(\.ipa) == Self.phones.split(separator: " ").map(String.init))
        let edges = segments.map(\.start) + [segments.last?.end ?? 0]
        let differences = zip(edges, Self.edges).map { abs($0 - $1) }
        #expect(differences.count == Self.edges.count && differences.sorted()[differences.count / 2] <= 0.02)
        #expect(differences.allSatisfy { $0 <= 0.1 }, "\(differences)")
    }

    @Test func aTranscriptOfMoreThanTheSoundIsRefused() throws {
        let scores = try aligner.scores(of: waveform)
        let everything = [String](repeating: Self.phones, count: 6).joined(separator: " ")
        #expect(throws: AlignmentError.self) { try aligner.align(everything, scores: scores) }
        #expect(try aligner.phones(of: everything, scores: scores) == nil)
        #expect(try aligner.phones(of: Self.phones, scores: scores)?.count == 21)
        // As many phonemes, in the opposite order: a path exists, and the model has not heard it.
        let other = Self.phones.split(separator: " ").reversed().joined(separator: " ")
        #expect(try aligner.align(other, scores: scores).segments.count == 21)
        #expect(try aligner.phones(of: other, scores: scores) == nil)
    }

    @Test func aModelWithoutPhonemesIsRefused() throws {
        #expect(throws: CodecError.noPhonemes) { try PhonemeAligner(Self.model("alpha-tiny")) }
    }
}
