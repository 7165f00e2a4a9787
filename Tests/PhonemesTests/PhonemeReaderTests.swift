import Tensor
import TestSupport
import Testing

@testable import Phonemes

@Suite struct PhonemeReaderTests {
    private let inventory: PhonemeInventory

    init() throws { inventory = try PhonemeInventory(["<blank>", "a", "e", "i", "o", "u", "p", "t", "k"]) }

    @Test(arguments: ["one", "short", "restless", "steady", "slow"])
    func pathsAreLibrosas(clip: String) throws {
        let fixture = try Fixture("phonemes_reading")
        func codes(_ name: String) throws -> [Int] {
            try fixture.array("\(clip)/\(name)").values(as: Int32.self).map(Int.init)
        }
        let entries = try fixture.array("entries").doubles
        let reader = PhonemeReader(
            inventory, entries: (0..<9).map { Array(entries[$0 * 4..<($0 + 1) * 4]) },
            frameRate: try fixture.array("\(clip)/rate").doubles[0])
        let (codes, librosas) = (try codes("codes"), try codes("path"))
        func cost(_ path: [Int]) -> Double {
            zip(path, codes).reduce(0) { $0 + 1 - reader.likeness[$1.1][$1.0] }
                + reader.changeCost * Double(zip(path, path.dropFirst()).count { $0 != $1 })
        }
        let path = try reader.path(codes)
        #expect(path.count == codes.count && abs(cost(path) - cost(librosas)) < 1e-9)
        // Where two paths are equally good, either may be read.
        #expect(zip(path, librosas).count { $0 == $1 } * 10 >= 9 * path.count)
    }

    /// `a` and `e` are alike, as are `t` and `k`; all else has nothing in common.
    private func reader(frameRate: Double, delay: Int = 0) -> PhonemeReader {
        var entries = (0..<9).map { entry in (0..<9).map { $0 == entry ? 1.0 : 0 } }
        entries[2] = entries[1].enumerated().map { $0.offset == 2 ? 0.4 : $0.element }
        entries[8] = entries[7].enumerated().map { $0.offset == 8 ? 0.4 : $0.element }
        return PhonemeReader(inventory, entries: entries, frameRate: frameRate, delay: delay)
    }

    @Test func aSlipIsNoPhonemeAndHowLongOneMustLastDependsOnWhatItStandsBetween() throws {
        let reader = reader(frameRate: 50)
        #expect(try reader.reading([1, 1, 1, 2, 1, 1, 2, 2, 1, 0]) == [1], "e is like a")
        #expect(try reader.reading([0, 0, 7, 7, 8, 7, 0, 0]) == [7], "and k like t")
        #expect(
            try reader.reading([1, 1, 5, 5, 1, 1]) == [1] && reader.reading([1, 1, 5, 5, 5, 5, 1, 1]) == [1, 5, 1])
        #expect(
            try reader.reading([1, 1, 7, 5, 5, 5]) == [1, 5] && reader.reading([1, 1, 7, 7, 5, 5, 5]) == [1, 7, 5])
        #expect(try reader.reading([]) == [] && reader.reading([0, 0]) == [] && reader.reading([3]) == [3])
    }

    @Test func twiceAsManyFramesSayTwiceAsMuch() throws {
        let (slow, fast) = (reader(frameRate: 25), reader(frameRate: 100))
        #expect(try slow.reading([1, 1, 7, 5, 5]) == [1, 7, 5] && slow.reading([1, 1, 5, 1, 1]) == [1])
        #expect(try fast.reading([1, 1, 1, 1, 7, 7, 5, 5, 5, 5, 5]) == [1, 5])
        #expect(try fast.reading([1, 1, 1, 1, 7, 7, 7, 7, 5, 5, 5, 5, 5]) == [1, 7, 5])
    }

    @Test func timesAreThoseOfThePathWithoutTheDelay() throws {
        let codes = [0, 0, 1, 1, 2, 1, 7, 7, 5, 5, 5, 0, 0]
        #expect(
            try reader(frameRate: 50, delay: 2).segments(codes) == [
                PhonemeSegment(ipa: "a", start: 0, end: 0.08), PhonemeSegment(ipa: "t", start: 0.08, end: 0.12),
                PhonemeSegment(ipa: "u", start: 0.12, end: 0.18),
            ])
    }

    @Test func entriesThatThereAreNotAreRefusedAndEmptyOnesAreLikeNothing() throws {
        #expect(throws: PhonemeInventoryError.noSuchEntry(9, count: 9)) { try reader(frameRate: 50).reading([1, 9]) }
        let empty = PhonemeReader(inventory, entries: [[Double]](repeating: [0, 0], count: 9), frameRate: 50)
        #expect(try empty.reading([1, 1, 1]).count <= 1)
    }
}
