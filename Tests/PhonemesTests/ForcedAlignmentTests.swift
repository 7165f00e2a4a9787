import Phonemes
import Tensor
import TestSupport
import Testing

@Suite struct ForcedAlignmentTests {
    private let inventory = PhonemeInventory.multilingual

    /// Scores in which each frame's entry is by far the likeliest.
    private func scores(_ codes: [Int], entries: Int) -> [Float] {
        codes.flatMap { code in (0..<entries).map { $0 == code ? -0.1 : -5 } }
    }

    @Test(arguments: ["plain", "equal", "tight", "single", "silent", "long"])
    func pathsAreLibrosas(clip: String) throws {
        let fixture = try Fixture("phonemes_alignment")
        func array<T: Scalar>(_ name: String, of type: T.Type) throws -> [T] {
            try fixture.array("\(clip)/\(name)").values(as: type)
        }
        let alignment = try ForcedAlignment(
            of: array("phonemes", of: Int32.self).map(Int.init), scores: array("scores", of: Float.self), entries: 9)
        #expect(try alignment.frames == array("frames", of: Int32.self).map(Int.init))
        #expect(try abs(alignment.score - array("score", of: Double.self)[0]) < 1e-4)
    }

    @Test func transcriptsThatCannotBeSaidInTheTimeAreRefused() throws {
        #expect(throws: AlignmentError.tooShort(frames: 2, needed: 3)) {
            try ForcedAlignment(of: [1, 2, 3], scores: scores([1, 2], entries: 4), entries: 4)
        }
        #expect(throws: AlignmentError.tooShort(frames: 2, needed: 3), "a blank between equal ones takes a frame") {
            try ForcedAlignment(of: [1, 1], scores: scores([1, 1], entries: 4), entries: 4)
        }
        #expect(throws: AlignmentError.tooShort(frames: 0, needed: 1)) {
            try ForcedAlignment(of: [1], scores: [], entries: 4)
        }
        #expect(try ForcedAlignment(of: [], scores: [], entries: 4).frames == [])
        #expect(throws: AlignmentError.tooLong(frames: 40_000, phonemes: 20_000)) {
            try ForcedAlignment(
                of: (0..<20_000).map { 1 + $0 % 2 }, scores: [Float](repeating: -1, count: 120_000), entries: 3)
        }
    }

    @Test func aShortPauseBelongsToThePhonemeBeforeAndALongOneToNone() throws {
        let codes = [0, 0, 5, 5, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0]
        let alignment = try ForcedAlignment(
            of: [5, 9, 7], scores: scores(codes, entries: inventory.count), entries: inventory.count)
        #expect(alignment.frames == codes)
        let times = inventory.segments(alignment, frameRate: 50).map { [$0.start, $0.end] }
        #expect(times == [[0.04, 0.12], [0.12, 0.14], [0.3, 0.32]])
        let earlier = inventory.segments(alignment, frameRate: 50, delay: 2)
        #expect(earlier.map(\.ipa) == [5, 9, 7].map { inventory.symbols[$0] })
        #expect(earlier.map { [$0.start, $0.end] } == [[0, 0.08], [0.08, 0.1], [0.26, 0.28]])
    }
}
