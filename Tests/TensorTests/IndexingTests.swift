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
}
