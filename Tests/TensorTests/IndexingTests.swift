import TestSupport
import Testing

@testable import Tensor

@Suite struct IndexingTests {
    static let fixture = Result { try Fixture("tensor_indexing") }

    @Test(arguments: values) func agreesWithJAXAndNumPy(_ operation: ValueCase) throws {
        try expectMatches(operation, in: Self.fixture.get())
    }

    @Test func everyRecordedOperationIsCompared() throws {
        #expect(try Self.fixture.get().operations == Set(Self.values.map(\.operation)))
    }

    static let values: [ValueCase] =
        [
            ValueCase("dynamicSlice", .exact) { [$0[0].slice(at: Array($0[1...]), sizes: [2, 2, 2])] },
            ValueCase("dynamicUpdateSlice", .exact) { [$0[0].updating($0[1], at: Array($0[2...]))] },
            ValueCase("gather", .exact) { inputs in [0, 1, -1].map { inputs[0].gathering(inputs[1], axis: $0) } },
            ValueCase("gatherScalar", .exact) { [$0[0].gathering($0[1], axis: 1)] },
            ValueCase("takeAlong", .exact) { [$0[0].takingAlong($0[1], axis: 1)] },
            ValueCase("scatterReplace", .exact) { [$0[0].scattering($0[2], at: $0[1], axis: 1, .replace)] },
        ]
        + [Scatter.Combination.add, .maximum, .minimum].map { combination in
            let name = combination.rawValue.prefix(1).uppercased() + combination.rawValue.dropFirst()
            return ValueCase("scatter\(name)") { inputs in
                [inputs[0].scattering(inputs[2], at: inputs[1], axis: scatteredAxis(inputs), combination)]
            }
        }

    /// The axis that the updates replace by the two axes of the indices.
    private static func scatteredAxis(_ inputs: [Tensor]) -> Int {
        let (operand, indices, updates) = (inputs[0].shape.dimensions, inputs[1].shape.dimensions, inputs[2].shape)
        return operand.indices.first { axis in
            var expected = operand
            expected.replaceSubrange(axis...axis, with: indices)
            return expected == updates.dimensions
        }!
    }

    /// Two updates and the operand reach the same extreme in place 0, one update alone in place 1, none in place 2.
    @Test(arguments: [Scatter.Combination.maximum, .minimum])
    func equalExtremesShareTheGradient(_ combination: Scatter.Combination) throws {
        let sign: Double = combination == .maximum ? 1 : -1
        let operand = HostArray([5, 1, 4].map { $0 * sign })
        let updates = HostArray([5, 5, 2, 3, 9].map { $0 * sign })
        let indices = HostArray([0, 0, 1, 2, 7] as [Int32])
        let shares = try evaluate([operand, indices, updates]) { inputs in
            let result = inputs[0].scattering(inputs[2], at: inputs[1], combination)
            return gradient(of: (result * .constant([3, 10, 100], .f64)).sum(), at: [inputs[0], inputs[2]])
        }
        #expect(shares.map(\.doubles) == [[1, 0, 100], [1, 1, 10, 0, 0]])
    }
}
