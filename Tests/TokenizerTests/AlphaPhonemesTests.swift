import Tensor
import TestSupport
import Testing

@testable import Phonemes
@testable import Tokenizer

/// What a model says about which of its phonemes are alike.
struct AlphaPhonemesTests {
    private func model(_ level: Alpha.Configuration.Level, _ inventory: PhonemeInventory?) throws -> Alpha {
        try Alpha(
            Alpha.Configuration(
                sampleRate: 8000, width: 2, strides: [4, 5, 8], dilations: [1], latentDimension: 8,
                transformer: .init(layers: 0, heads: 1, window: 1), quantizer: [level, .bsq(bits: 4)],
                phonemes: inventory))
    }

    private let inventory: PhonemeInventory

    init() throws { inventory = try PhonemeInventory(["<blank>", "a", "e", "t"]) }

    @Test func entriesOfACodebookAreComparedByDirection() throws {
        let model = try model(.phonemes(inventory, dimension: 2), inventory)
        let reader = try #require(
            model.phonemeReader { name in
                #expect(name == "quantizer.levels.0.codebook")
                return HostArray([0, 3, 0.5, 0, 2, 2, -9, 0] as [Float], shape: [4, 2])
            })
        let half = 0.5.squareRoot()
        let expected: [[Double]] = [[1, 0, half, 0], [0, 1, half, -1], [half, half, 1, -half], [0, -1, -half, 1]]
        for (row, wanted) in zip(reader.likeness, expected) {
            #expect(zip(row, wanted).allSatisfy { abs($0 - $1) < 1e-9 })
        }
        #expect(try reader.reading([1, 1, 2, 1, 1, 3, 3]) == [1, 3])
    }

    @Test func cornersOfABSQAreCloserTheMoreBitsTheyShare() throws {
        let reader = try #require(model(.bsq(bits: 2), inventory).phonemeReader { _ in HostArray([Float]()) })
        let expected: [[Double]] = [[1, 0, 0, -1], [0, 1, -1, 0], [0, -1, 1, 0], [-1, 0, 0, 1]]
        for (row, wanted) in zip(reader.likeness, expected) {
            #expect(zip(row, wanted).allSatisfy { abs($0 - $1) < 1e-9 })
        }
    }

    @Test func codesThatStandForNothingInParticularAreNotRead() throws {
        #expect(try model(.vq(codebookSize: 4, dimension: 2), nil).phonemeReader { _ in HostArray([Float]()) } == nil)
    }
}
