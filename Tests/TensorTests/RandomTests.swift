import TestSupport
import Testing

@testable import Tensor

@Suite struct RandomTests {
    static let fixture = Result { try Fixture("tensor_random") }

    @Test(arguments: values) func agreesWithJAX(_ operation: ValueCase) throws {
        try expectMatches(operation, in: Self.fixture.get())
    }

    @Test func everyRecordedOperationIsCompared() throws {
        #expect(try Self.fixture.get().operations == Set(Self.values.map(\.operation)))
    }

    static let values: [ValueCase] = [
        ValueCase("bits") { inputs in [[], [5], [3, 4], [0]].map { RandomKey(words: inputs[0]).bits($0) } },
        ValueCase("split") { inputs in
            let key = RandomKey(words: inputs[0])
            return (key.split() + key.split(3)).map(\.words)
        },
        ValueCase("fold") { inputs in
            let key = RandomKey(words: inputs[0])
            let last = Tensor.full(Double(UInt32.max), TensorType(.u32, []))
            return [key.folding(in: 0), key.folding(in: 7), key.folding(in: last)].map(\.words)
        },
        ValueCase("uniform", .exact) { inputs in
            let key = RandomKey(words: inputs[0])
            return [key.uniform([64]), key.uniform([8], low: 2, high: 4)]
        },
        // A compiler may fuse the product and the sum here.
        ValueCase("uniformRange") { [RandomKey(words: $0[0]).uniform([64], low: -3, high: 5.3)] },
        ValueCase("normal", Tolerance(relative: 1e-6, absolute: 1e-6)) { [RandomKey(words: $0[0]).normal([256])] },
        ValueCase("bernoulli") { [RandomKey(words: $0[0]).bernoulli(0.3, [64])] },
        ValueCase("integers") { [RandomKey(words: $0[0]).integers([32], below: 100)] },
    ]

    @Test func aSeedFillsBothWords() throws {
        #expect(RandomKey.words(seed: 1 << 40 | 7) == HostArray([256, 7] as [UInt32]))
        #expect(try evaluate(RandomKey(seed: 1 << 40 | 7).words) == RandomKey.words(seed: 1 << 40 | 7))
    }

    @Test func uniformStaysInItsRange() throws {
        let values = try evaluate(RandomKey(seed: 3).uniform([20_000], low: -1, high: 2)).doubles
        #expect(values.allSatisfy { $0 >= -1 && $0 < 2 })
        #expect(abs(values.reduce(0, +) / 20_000 - 0.5) < 0.03)
    }
}
