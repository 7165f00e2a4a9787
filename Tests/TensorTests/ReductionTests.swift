import TestSupport
import Testing

@testable import Tensor

@Suite struct ReductionTests {
    static let fixture = Result { try Fixture("tensor_reductions") }

    @Test(arguments: values) func agreesWithJAX(_ operation: ValueCase) throws {
        try expectMatches(operation, in: Self.fixture.get())
    }

    @Test func everyRecordedOperationIsCompared() throws {
        #expect(try Self.fixture.get().operations == Set(Self.values.map(\.operation)))
    }

    private typealias Reduction = @Sendable (Tensor, [Int]?) -> Tensor
    private static let reductions: [(name: String, apply: Reduction)] = [
        ("sum", { $0.sum(axes: $1) }), ("product", { $0.product(axes: $1) }), ("maximum", { $0.max(axes: $1) }),
        ("minimum", { $0.min(axes: $1) }),
    ]

    /// - Parameter suffix: `Special` for NaN and -0.
    private static func orders(_ suffix: String) -> [ValueCase] {
        [
            ValueCase("argmax\(suffix)") { [$0[0].argmax(axis: 1), $0[0].argmax(axis: 0), $0[0].argmin(axis: -1)] },
            ValueCase("sort\(suffix)", .exact) { inputs in
                [1, 0].flatMap { axis in
                    [false, true].flatMap { descending in
                        let sorted = inputs[0].sorted(axis: axis, descending: descending)
                        return [sorted.values, sorted.indices]
                    }
                }
            },
            ValueCase("top\(suffix)", .exact) { inputs in
                let top = inputs[0].top(3)
                return [top.values, top.indices]
            },
        ]
    }

    private static let reduced: [ValueCase] = reductions.flatMap { name, reduce in
        [
            ValueCase(name) { inputs in
                [[0], [1], [-1], [0, 2], nil].map { reduce(inputs[0], $0) }
            },
            ValueCase("\(name)Special") { [reduce($0[0], [1])] },
            ValueCase("\(name)Integers") { [reduce($0[0], [1]), reduce($0[0], nil)] },
        ]
    }

    static let values: [ValueCase] =
        reduced + orders("") + orders("Special")
        + [
            ValueCase("emptyAxis") { inputs in reductions.map { $0.apply(inputs[0], [1]) } },
            ValueCase("allAny") { inputs in
                let x = inputs[0]
                let none = x.slice(0, 0, 0)
                return [x.all(axes: [1]), x.any(axes: [1]), x.all(), x.any(), none.all(axes: [0]), none.any(axes: [0])]
            },
            ValueCase("keepingAxes") { inputs in
                let x = inputs[0]
                return [
                    x.sum(axes: [0, 2], keepingAxes: true), x.max(axes: [-1], keepingAxes: true), x.mean(),
                    x.mean(axes: [2, 0]), x.mean(axes: [1], keepingAxes: true),
                ]
            },
            ValueCase("longSum") { [$0[0].sum()] },
            ValueCase("logSumExp") {
                [$0[0].logSumExp(axis: 1), $0[0].logSumExp(axis: -1, keepingAxis: true), $0[0].logSumExp(axis: 0)]
            },
            ValueCase("softmax", Tolerance(relative: 1e-5, absolute: 1e-6)) {
                [$0[0].softmax(), $0[0].softmax(axis: 0), $0[0].logSoftmax(), $0[0].logSoftmax(axis: 1)]
            },
            ValueCase("sortSeveral", .exact) { inputs in
                let numbers = Tensor.range(8, .i64).reshaped([2, 4])
                return Tensor.apply(Sort(axis: 1, descending: false), inputs + [numbers])
            },
            ValueCase("cumulative") {
                [
                    $0[0].cumulativeSum(axis: 1), $0[0].cumulativeSum(axis: 0), $0[0].cumulativeProduct(axis: -1),
                    $0[0].cumulativeMaximum(axis: 1),
                ]
            },
            ValueCase("cumulativeIntegers") {
                [$0[0].cumulativeSum(axis: 0), $0[0].cumulativeProduct(axis: 0), $0[0].cumulativeMaximum(axis: 0)]
            },
        ]

    @Test func equalExtremesShareTheGradient() throws {
        let x = HostArray([3, 1, 3, 2] as [Double])
        let shares = try evaluate([x]) { gradient(of: $0[0].max(), at: $0) + gradient(of: $0[0].min(), at: $0) }
        #expect(shares.map(\.doubles) == [[0.5, 0, 0.5, 0], [0, 1, 0, 0]])
    }

    @Test func nothingHasAGradientOfNothing() throws {
        let none = HostArray([] as [Double], shape: [0, 3])
        for reduce: @Sendable (Tensor) -> Tensor in [{ $0.product(axes: [1]) }, { $0.sorted(axis: 1).values }] {
            #expect(try evaluate([none]) { gradient(of: reduce($0[0]).sum(), at: $0) }[0].shape == [0, 3])
        }
        // Nor are there updates of a place that is not there.
        let updates = HostArray([1, 2] as [Double], shape: [1, 2])
        let empty = HostArray([] as [Double], shape: [0, 2])
        let slopes = try evaluate([empty, updates]) { inputs in
            let at = Tensor.zeros(TensorType(.i32, [1]))
            return gradient(of: inputs[0].scattering(inputs[1], at: at, .add).sum(), at: inputs)
        }
        #expect(slopes[1].doubles == [0, 0])
    }

    @Test func aProductWithZerosHasAGradient() throws {
        let rows = HostArray([2, 0, 3, 0, 0, 5, 1, 2, 4] as [Double], shape: [3, 3])
        let slopes = try evaluate([rows]) { gradient(of: $0[0].product(axes: [1]).sum(), at: $0) }
        #expect(slopes[0].doubles == [0, 6, 0, 0, 0, 0, 8, 4, 2])
    }
}
