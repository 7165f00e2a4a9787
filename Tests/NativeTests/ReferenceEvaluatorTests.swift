import Native
import Tensor
import TestSupport
import Testing

@Suite struct ReferenceEvaluatorTests {
    private let evaluator = ReferenceEvaluator()
    private let vector = TensorType(.f32, [2])

    @Test func runsAGraph() throws {
        let x = HostArray([1, 2, 3, 4] as [Float], shape: [2, 2])
        let graph = Graph([x.type, x.type]) { [matmul($0[0], $0[1]), $0[0]] }
        #expect(try evaluator(graph, [x, x]) == [HostArray([7, 10, 15, 22] as [Float], shape: [2, 2]), x])
    }

    @Test func refusesAnotherNumberOfInputs() {
        let graph = Graph([vector, vector]) { [$0[0] + $0[1]] }
        #expect(throws: EvaluationError.inputCount(expected: 2, given: 1)) {
            try evaluator(graph, [HostArray([1, 2] as [Float])])
        }
    }

    @Test func refusesAnInputOfAnotherType() {
        let graph = Graph([vector]) { [$0[0] * 2] }
        let error = #expect(throws: EvaluationError.self) { try evaluator(graph, [HostArray([1.0, 2.0])]) }
        #expect(error == .inputType(index: 0, expected: vector, given: TensorType(.f64, [2])))
        #expect(error?.description.contains("f32[2]") == true && error?.description.contains("f64[2]") == true)
    }

    @Test func namesAnInputThatTheGraphDoesNotList() {
        let hidden = Tensor.input(vector, name: "kernel")
        let graph = Graph([vector]) { [$0[0] * hidden] }
        #expect(throws: EvaluationError.freeInput(label: "kernel", type: vector)) {
            try evaluator(graph, [HostArray([1, 2] as [Float])])
        }
    }

    @Test func computesOnlyWhatTheOutputsNeed() throws {
        let graph = Graph([vector]) { inputs in
            // Never ends, and nothing reads it.
            _ = whileLoop(inputs, condition: { $0[0].equals($0[0]).all() }, body: { $0 })
            return [inputs[0] + 1]
        }
        #expect(try evaluator(graph, [HostArray([1, 2] as [Float])])[0].floats == [2, 3])
    }

    @Test func onlyTheChosenBranchRuns() throws {
        let graph = Graph([TensorType(.bool, []), vector]) { inputs in
            conditional(inputs[0]) {
                [inputs[1] + 1]
            } whenFalse: {
                whileLoop([inputs[1]], condition: { $0[0].equals($0[0]).all() }, body: { $0 })
            }
        }
        #expect(try evaluator(graph, [HostArray(true), HostArray([1, 2] as [Float])])[0].floats == [2, 3])
    }

    @Test func eachOperationRoundsToItsType() throws {
        func difference(_ dtype: DType) throws -> [Double] {
            try evaluate([HostArray([1e-9, 2e-4, 3e-3], as: dtype, shape: [3])]) { [($0[0] + 1) - 1] }[0].doubles
        }
        #expect(try difference(.f64)[0] > 0)
        #expect(try difference(.f32)[0] == 0 && difference(.f32)[1] > 0)
        #expect(try difference(.f16)[1] == 0 && difference(.f16)[2] > 0)
        #expect(try difference(.bf16)[2] == 0)
    }

    // 1 + 2^-24 is not an f32: a sum kept in f32 would stay at 1.
    @Test func sumsOfEveryKindAccumulateInDoublePrecision() throws {
        let terms = HostArray([1] + [Float](repeating: 0x1p-24, count: 64))
        let expected = Float(1 + 64 * 0x1p-24)
        let sums = try evaluate([terms]) { inputs in
            let x = inputs[0]
            let ones = Tensor.ones(x.type)
            return [
                x.sum(), dot(x, ones, contracting: ([0], [0])),
                convolve(x.reshaped([1, 65, 1]), ones.reshaped([65, 1, 1])).reshaped([]),
                rfft(x).real.at(0),
                Tensor.zeros(TensorType(.f32, [1])).scattering(x, at: Tensor.zeros(TensorType(.i32, [65])), .add).at(0),
            ]
        }
        #expect(sums.map(\.floats) == [[Float]](repeating: [expected], count: 5))
    }

    @Test func narrowFloatsOverflowAndRoundToEven() throws {
        let sums = try evaluate([HostArray([60000, 60000], as: .f16, shape: [2])]) { [$0[0].sum(), $0[0] * 0.5] }
        #expect(sums[0].doubles == [.infinity] && sums[1].doubles == [30000, 30000])
        let even = try evaluate([HostArray([257, 259], as: .bf16, shape: [2])]) { $0 }
        #expect(even[0].doubles == [256, 260])
    }

    @Test func wideIntegersKeepEveryBit() throws {
        let big = HostArray([UInt64.max, 1 << 63 | 1])
        let results = try evaluate([big]) { inputs in
            [inputs[0].max(), inputs[0].sorted().values, inputs[0].cast(to: .i64), inputs[0] >> 1, inputs[0].sum()]
        }
        #expect(results[0] == HostArray(UInt64.max))
        #expect(results[1] == HostArray([1 << 63 | 1, UInt64.max]))
        #expect(results[2] == HostArray([-1, Int64.min + 1]))
        #expect(results[3] == HostArray([UInt64.max >> 1, 1 << 62]))
        #expect(results[4] == HostArray(UInt64(1) << 63))
    }
}
