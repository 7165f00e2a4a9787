import TestSupport
import Testing

@testable import Tensor

@Suite struct StructureTests {
    static let fixture = Result { try Fixture("tensor_structure") }

    @Test(arguments: values) func agreesWithJAX(_ operation: ValueCase) throws {
        try expectMatches(operation, in: Self.fixture.get())
    }

    @Test func everyRecordedOperationIsCompared() throws {
        #expect(try Self.fixture.get().operations == Set(Self.values.map(\.operation)))
    }

    static let values: [ValueCase] =
        DType.allCases.filter { $0 != .bool }.map { dtype in
            ValueCase("constants\(dtype.rawValue.uppercased())", .exact) { _ in
                [
                    .iota(TensorType(dtype, [2, 3, 4]), axis: 1), .range(5, dtype),
                    .full(7, TensorType(dtype, [2, 2])), .constant([1, 2, 3], dtype),
                ]
            }
        }
        + [
            ValueCase("reshape", .exact) { inputs in
                [[6, 4], [4, -1], [-1], [2, 1, 12]].map { inputs[0].reshaped($0) }
            },
            ValueCase("transpose", .exact) {
                [$0[0].transposed([2, 0, 1]), $0[0].transposed([1, 0, 2]), $0[0].transposed]
            },
            ValueCase("broadcast", .exact) { inputs in
                [inputs[0].broadcast(to: [2, 3, 4]), inputs[0].broadcast(to: [5, 2, 3, 4])]
                    + Tensor.apply(Broadcast(shape: [2, 2, 3, 4], axes: [0, 2, 3]), inputs)
            },
            ValueCase("broadcastScalar", .exact) { [$0[0].broadcast(to: [2, 3])] },
            ValueCase("slice", .exact) { inputs in
                let x = inputs[0]
                return Tensor.apply(Slice(starts: [0, 1, 1], limits: [2, 3, 4], strides: [1, 1, 2]), inputs) + [
                    x.slice(1, 1, 3), x.slice(-1, -3, -1), x.slice(1, 0, 0), x.at(2, axis: 1), x.at(-1, axis: -1),
                    x.strided(by: [2, 2, 3]),
                ]
            },
            ValueCase("pad", .exact) { inputs in
                let x = inputs[0]
                func pad(_ axes: (low: Int, high: Int, interior: Int)...) -> Tensor {
                    x.padded(low: axes.map(\.low), high: axes.map(\.high), interior: axes.map(\.interior), value: 1)
                }
                return [
                    pad((1, 2, 0), (0, 0, 0), (0, 1, 0)), pad((0, 0, 1), (0, 0, 2), (1, 0, 0)),
                    pad((-1, 0, 0), (0, -2, 0), (1, -1, 0)), pad((-1, -1, 2), (-2, 3, 2), (2, -4, 1)),
                    pad((-2, 3, 0), (0, 0, 0), (-5, 4, 1)),
                ]
            },
            ValueCase("padEmpty", .exact) { [$0[0].padded(low: [2, 0], high: [1, 0], interior: [3, 0], value: 1)] },
            ValueCase("concatenate", .exact) { inputs in
                let (x, y, z) = (inputs[0], inputs[1], inputs[2])
                return [
                    concatenate([x, y], axis: 1), concatenate([y, z, x], axis: -2), stack([x, x]),
                    stack([x, x, x], axis: 2),
                ]
            },
            ValueCase("reverse", .exact) {
                [$0[0].reversed(axes: [0]), $0[0].reversed(axes: [1, 2]), $0[0].reversed(axes: [2, 0, 1])]
            },
            ValueCase("split", .exact) { $0[0].split(2, axis: 2) + $0[0].split(3, axis: 1) },
            ValueCase("unitAxes", .exact) { inputs in
                let x = inputs[0]
                return [
                    x.expanded(at: 0), x.expanded(at: 1), x.expanded(at: -1), x.slice(1, 0, 1).squeezed(1),
                    x.slice(0, 0, 1).slice(1, 0, 1).slice(2, 0, 1).squeezed(-1),
                ]
            },
        ]

    @Test func constantsHoldWhatTheyAreGiven() throws {
        let array = HostArray([1, -2, 3.5] as [Double], as: .bf16, shape: [3, 1])
        #expect(try evaluate(.constant(array)) == array)
        #expect(
            try evaluate(.constant([1, 2, 3, 4], .i32, shape: [2, 2]))
                == HostArray([1, 2, 3, 4] as [Int32], shape: [2, 2]))
        #expect(try evaluate(.zeros(TensorType(.bool, [2]))) == HostArray([false, false]))
        #expect(try evaluate(.ones(TensorType(.f16, [1]))).doubles == [1])
        #expect(try evaluate(.scalar(2.5, .f64)) == HostArray(2.5))
        #expect(try evaluate(.full(.infinity, TensorType(.f32, [0, 3]))) == HostArray([] as [Float], shape: [0, 3]))
    }

    @Test func whatChangesNothingMakesNoNode() {
        let x = Tensor.input(TensorType(.f32, [2, 3]), name: "x")
        let same = [
            x.reshaped([2, 3]), x.transposed([0, 1]), x.broadcast(to: [2, 3]), x.slice(1, 0, 3), x.strided(by: [1, 1]),
            x.padded(low: [0, 0], high: [0, 0]), x.reversed(axes: []), concatenate([x], axis: 0), x.sum(axes: []),
            x.cast(to: .f32),
        ]
        #expect(same.allSatisfy { $0.key == x.key })
        #expect(Tensor.scalar(3).broadcast(to: [4, 4]).node.primitive is Full)
    }
}
