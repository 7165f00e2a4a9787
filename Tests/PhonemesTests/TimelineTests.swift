import Foundation
import Phonemes
import TestSupport
import Testing

struct TimelineTests {
    private let inventory = PhonemeInventory.multilingual

    private func entry(_ ipa: String) throws -> Int { try #require(IPAReader(inventory).read(ipa).indices.first) }

    @Test func runsAreOnePhonemeAndBlanksSeparate() throws {
        let (a, b) = (try entry("a"), try entry("b"))
        let codes = [0, a, a, 0, a, b, b, 0, 0, b]
        #expect(try inventory.reading(codes) == [a, a, b, b])
        #expect(
            try inventory.segments(codes, frameRate: 50) == [
                PhonemeSegment(ipa: "a", start: 0.02, end: 0.06), PhonemeSegment(ipa: "a", start: 0.08, end: 0.1),
                PhonemeSegment(ipa: "b", start: 0.1, end: 0.14), PhonemeSegment(ipa: "b", start: 0.18, end: 0.2),
            ])
        #expect(try inventory.reading([]) == [] && inventory.reading([0, 0]) == [])
        #expect(throws: PhonemeInventoryError.noSuchEntry(500, count: 128)) {
            try inventory.segments([0, 500], frameRate: 50)
        }
    }

    @Test func framesOfSegmentsReadBackAsTheSegments() throws {
        let codes = [0, 0, 5, 5, 5, 0, 9, 9, 5, 0]
        let segments = try inventory.segments(codes, frameRate: 50)
        #expect(inventory.frames(of: segments, count: 10, frameRate: 50) == codes)
        #expect(inventory.frames(of: segments, count: 4, frameRate: 50) == Array(codes.prefix(4)))
        for end in [1e300, 1e308] {
            let endless = [PhonemeSegment(ipa: inventory.symbols[5], start: -end, end: end)]
            #expect(inventory.frames(of: endless, count: 3, frameRate: 50) == [5, 5, 5])
        }
    }

    @Test func aDelayIsTakenOffTimesAndPutOnFrames() throws {
        let codes = [7, 3, 0, 5, 5, 5, 0, 9, 9, 4]
        let segments = try inventory.segments(codes, frameRate: 50, delay: 2)
        let symbols = [5, 9, 4].map { inventory.symbols[$0] }
        #expect(
            segments == [
                PhonemeSegment(ipa: symbols[0], start: 0.02, end: 0.08),
                PhonemeSegment(ipa: symbols[1], start: 0.1, end: 0.14),
                PhonemeSegment(ipa: symbols[2], start: 0.14, end: 0.16),
            ], "what was named before there was anything to hear has no time")
        #expect(
            inventory.frames(of: segments, count: 10, frameRate: 50, delay: 2) == [-1, -1, 0, 5, 5, 5, 0, 9, 9, 4])
        #expect(inventory.frames(of: segments, count: 1, frameRate: 50, delay: 2) == [-1])
    }

    @Test func aDiphthongsHalvesShareItsTimeAndUnknownSymbolsAreMarked() throws {
        let segments = [
            PhonemeSegment(ipa: "aɪ", start: 0, end: 0.08), PhonemeSegment(ipa: "ж", start: 0.08, end: 0.12),
            PhonemeSegment(ipa: "s", start: 0.121, end: 0.125),
        ]
        let (a, i) = (try entry("a"), try entry("ɪ"))
        #expect(inventory.frames(of: segments, count: 7, frameRate: 50) == [a, a, i, i, -1, -1, 0])
    }

    /// `example.TextGrid` is what Allophone writes; `example.json` what two readers of such files found in it.
    @Test func readersOfPraatFilesFindTheSegmentsInATextGrid() throws {
        struct Read: Decodable {
            let duration: Double
            let tiers: [String: [PhonemeSegment]]
        }
        let segments = [
            PhonemeSegment(ipa: "h", start: 0.1, end: 0.16), PhonemeSegment(ipa: "ə", start: 0.16, end: 0.24),
            PhonemeSegment(ipa: "l", start: 0.22, end: 0.3), PhonemeSegment(ipa: "t͡ʃ", start: 0.44, end: 0.5),
            PhonemeSegment(ipa: "gone", start: 0.45, end: 0.5), PhonemeSegment(ipa: "oʊ", start: 0.5, end: 0.9),
        ]
        let words = [PhonemeSegment(ipa: "a \"quoted\" word", start: 0, end: 0.75)]
        let grid = TextGrid(
            tiers: [.init(name: "phonemes", segments: segments), .init(name: "words", segments: words)], duration: 0.75)
        let folder = Fixture.folder.appending(path: "phonemes")
        #expect(
            grid.text
                == String(decoding: try contents(of: folder.appending(path: "example.TextGrid").path), as: UTF8.self))

        let read = try JSONDecoder().decode(Read.self, from: Data(contentsOf: folder.appending(path: "example.json")))
        #expect(read.duration == 0.75)
        #expect(
            read.tiers["phonemes"] == [
                PhonemeSegment(ipa: "", start: 0, end: 0.1), PhonemeSegment(ipa: "h", start: 0.1, end: 0.16),
                PhonemeSegment(ipa: "ə", start: 0.16, end: 0.24), PhonemeSegment(ipa: "l", start: 0.24, end: 0.3),
                PhonemeSegment(ipa: "", start: 0.3, end: 0.44), PhonemeSegment(ipa: "t͡ʃ", start: 0.44, end: 0.5),
                PhonemeSegment(ipa: "oʊ", start: 0.5, end: 0.75),
            ])
        #expect(read.tiers["words"] == words)
    }

    @Test func aTierWithoutSegmentsIsOneEmptyInterval() {
        let text = TextGrid(tiers: [.init(name: "none", segments: [])], duration: 2).text
        #expect(text.contains("intervals: size = 1") && text.contains("xmax = 2.0"))
    }

    @Test func errorsAreCountedAsJiwerCountsThem() throws {
        let cases = try EspeakFixture.load().errors
        var all = PhonemeErrors()
        for example in cases {
            var errors = PhonemeErrors()
            errors.add(reference: example.reference, hypothesis: example.hypothesis)
            #expect(errors.substitutions + errors.insertions + errors.deletions == example.errors)
            #expect(abs(try #require(errors.rate) - example.rate) < 1e-12)
            all.add(reference: example.reference, hypothesis: example.hypothesis)
        }
        let counted = cases.reduce(0) { $0 + $1.errors }
        let said = cases.reduce(0) { $0 + $1.reference.count }
        #expect(all.rate == Double(counted) / Double(said))
    }

    @Test func ofAlignmentsThatCostTheSameTheOneWithMostSubstitutionsCounts() {
        var errors = PhonemeErrors()
        errors.add(reference: [1, 1, 2, 3], hypothesis: [2, 3, 2])
        #expect(errors.substitutions == 2 && errors.insertions == 0 && errors.deletions == 1)
    }

    @Test func silenceIsAllInsertionsOrAllDeletions() {
        var errors = PhonemeErrors()
        errors.add(reference: [], hypothesis: [1, 2])
        #expect(errors.insertions == 2 && errors.rate == nil)
        errors.add(reference: [1, 2, 3, 4], hypothesis: [])
        #expect(errors.deletions == 4 && errors.rate == 1.5)
    }
}
