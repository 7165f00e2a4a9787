import TestSupport
import Testing

@testable import Tensor

/// Every gradient rule, and the gradient of that gradient, against finite differences.
@Suite struct GradientTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let point: [HostArray]
        let function: @Sendable ([Tensor]) -> Tensor
        var testDescription: String { name }
    }

    @Test(arguments: everyCase) func agreesWithFiniteDifferences(_ gradientCase: Case) throws {
        try expectGradient(of: gradientCase.function, at: gradientCase.point)
    }

    @Test(arguments: everyCase) func theSecondDerivativeAgreesToo(_ gradientCase: Case) throws {
        let point = gradientCase.point.map { $0.dtype.isFloating ? $0.converted(to: .f64) : $0 }
        try expectGradient(
            of: { inputs in
                let y = gradientCase.function(inputs)
                // The square lets linear functions have a second derivative, too.
                let slopes = gradient(of: (y + y.squared * 0.5).sum(), at: inputs.filter(\.dtype.isFloating))
                return concatenate(slopes.map { $0.reshaped([-1]) }, axis: 0)
            }, at: point, Tolerance(relative: 1e-6, absolute: 1e-7))
    }

    @Test func aConversionsGradientHasTheTypeOfItsOperand() throws {
        let slopes = try evaluate([HostArray([1.0, 2.0]), HostArray([3, 4] as [Int32])]) { inputs in
            let narrow = inputs[0].cast(to: .f32) * inputs[1].cast(to: .f32)
            return gradient(of: narrow.sum(), at: inputs)
        }
        #expect(slopes == [HostArray([3.0, 4.0]), HostArray([0, 0] as [Int32])])
    }

    @Test func equalOperandsOfAnExtremeShareTheGradient() throws {
        let slopes = try evaluate([HostArray([1.0, 2.0]), HostArray([1.0, 3.0])]) { inputs in
            gradient(of: maximum(inputs[0], inputs[1]).sum(), at: inputs)
                + gradient(of: minimum(inputs[0], inputs[1]).sum(), at: inputs)
        }
        #expect(slopes.map(\.doubles) == [[0.5, 0], [0.5, 1], [0.5, 1], [0.5, 0]])
    }

    /// Primitives through which no gradient flows, or none but zero.
    static let withoutGradient: Set<String> = [
        "iota", "constant", "argmax", "isFinite", "not", "and", "or", "xor", "shiftLeft", "shiftRightLogical",
        "bitcast",
        "reduceAll", "reduceAny", "while",
    ]

    private static func vector(_ values: Double...) -> HostArray { HostArray(values) }
    private static func uniform(_ seed: UInt64, _ shape: Shape, low: Double = -1, high: Double = 1) -> HostArray {
        var random = TestRandom(seed: seed)
        return random.array(shape, low: low, high: high)
    }

    private static func unary(_ kind: Unary.Kind, _ point: HostArray) -> Case {
        Case(name: kind.rawValue, point: [point]) { Tensor.apply(Unary(kind: kind), $0)[0] }
    }

    /// Times the operand, so that a rule of zero does not make everything zero.
    private static func stepwise(_ kind: Unary.Kind) -> Case {
        Case(name: kind.rawValue, point: [vector(-1.6, -0.3, 0.4, 2.7)]) { inputs in
            Tensor.apply(Unary(kind: kind), inputs)[0] * inputs[0]
        }
    }

    private static func binary(_ kind: Binary.Kind, _ x: HostArray, _ y: HostArray) -> Case {
        Case(name: kind.rawValue, point: [x, y]) { Tensor.apply(Binary(kind: kind), $0)[0] }
    }

    static let everyCase = cases + recorded

    private static let cases: [Case] = elementwise + moving + reductions + indexing

    private static let elementwise: [Case] =
        [Unary.Kind.negate, .exponential, .exponentialMinusOne, .sine, .cosine, .tanh, .logistic].map {
            unary($0, uniform(1, [5], low: -2, high: 2))
        }
        + [Unary.Kind.log, .logOnePlus, .squareRoot, .reciprocalSquareRoot].map {
            unary($0, uniform(2, [5], low: 0.5, high: 3))
        }
        + [unary(.absolute, vector(-2, -0.5, 0.25, 3))]
        + [Unary.Kind.sign, .floor, .ceil, .roundToEven].map(stepwise)
        + [Binary.Kind.add, .subtract, .multiply].map { binary($0, uniform(3, [2, 3]), uniform(4, [2, 3])) }
        + [
            binary(.divide, uniform(5, [4]), vector(-2, -0.5, 0.5, 3)),
            binary(.remainder, vector(5.3, -5.3, 7.5, -0.2), vector(2, 2, -3, 0.7)),
            binary(.maximum, vector(1, 2, -3, 4), vector(2, 1, -4, 4.5)),
            binary(.minimum, vector(1, 2, -3, 4), vector(2, 1, -4, 4.5)),
            binary(.power, vector(0.5, 1.5, 2, 3), vector(2, -1.5, 0.5, 3)),
            binary(.atan2, vector(1, -1, 2, -0.5), vector(0.5, 1, -1, -2)),
            Case(name: "powerOfANegativeNumber", point: [vector(-2, -0.5, 1.5)]) { $0[0].power(3) },
            Case(name: "clamped", point: [vector(-2, -0.4, 0.4, 2)]) { $0[0].clamped(-1, 1) },
            Case(name: "select", point: [vector(-1, 2, 3), vector(5, 6, 7)]) { inputs in
                let (x, y) = (inputs[0], inputs[1])
                let comparisons = [
                    x.equals(y), x.differs(from: y), x.isLess(than: y), x.isAtMost(y), x.isGreater(than: y),
                    x.isAtLeast(y),
                ]
                return comparisons.reduce(x) { select($1, $0 * y, $0 + x) }
            },
            Case(name: "convert", point: [vector(1.3, -2.2, 3.7)]) { inputs in
                // An integer lets no gradient through. A narrower float would be seen by the difference quotient.
                inputs[0] * inputs[0].cast(to: .i32).cast(to: .f64).stoppingGradient
            },
            Case(name: "stopGradient", point: [vector(1, -2, 3)]) { $0[0] + 0 * $0[0].stoppingGradient },
            Case(name: "barrier", point: [vector(1, -2), vector(3)]) { inputs in
                let fenced = barrier(inputs)
                return fenced[0] * fenced[1]
            },
            Case(name: "broadcasting", point: [uniform(6, [3, 1]), uniform(7, [2, 1, 4]), uniform(8, [])]) {
                ($0[0] + $0[1]) * $0[2]
            },
            Case(name: "inverseErrorFunction", point: [vector(-0.9, -0.3, 0.2, 0.7)]) { $0[0].inverseErrorFunction() },
            Case(name: "full", point: [vector(1, 2)]) { $0[0] * 3 + 1 },
        ]

    private static let moving: [Case] = [
        Case(name: "emptySlice", point: [uniform(9, [3])]) {
            concatenate([$0[0].slice(0, 2, 2), $0[0].slice(0, 1, 3)], axis: 0)
        },
        Case(name: "steppedSlice", point: [uniform(10, [8])]) { inputs in
            Tensor.apply(Slice(starts: [1], limits: [7], strides: [3]), inputs)[0]
        },
        Case(name: "padWithValue", point: [uniform(11, [4, 3]), uniform(12, [])]) { inputs in
            Tensor.apply(Pad(low: [-1, 2], high: [2, -1], interior: [2, 1]), inputs)[0]
        },
    ]

    private static let reductions: [Case] = [
        Case(name: "reduceSum", point: [uniform(13, [2, 3, 2])]) { $0[0].sum(axes: [0, 2]) },
        Case(name: "reduceMaximum", point: [uniform(14, [3, 4])]) { $0[0].max(axes: [1]) },
        Case(name: "reduceMinimum", point: [uniform(15, [3, 4])]) { $0[0].min(axes: [0]) },
        Case(name: "reduceProduct", point: [uniform(16, [2, 3, 2])]) { $0[0].product(axes: [0, 2]) },
        Case(name: "reduceProductWithZeros", point: [HostArray([2.0, 0, 3, 0, 0, 5], shape: [2, 3])]) {
            $0[0].product(axes: [1])
        },
        Case(name: "mean", point: [uniform(17, [2, 3])]) { $0[0].mean(axes: [1], keepingAxes: true) * $0[0] },
        Case(name: "logSumExp", point: [uniform(18, [2, 4], low: -5, high: 5)]) { $0[0].logSumExp(axis: 1) },
        Case(name: "softmax", point: [uniform(19, [2, 4], low: -3, high: 3)]) { $0[0].softmax() },
        Case(name: "logSoftmax", point: [uniform(20, [3, 2], low: -3, high: 3)]) { $0[0].logSoftmax(axis: 0) },
        Case(name: "sort", point: [uniform(21, [2, 5]), uniform(22, [2, 5])]) { inputs in
            let sorted = Tensor.apply(Sort(axis: 1, descending: true), inputs)
            return sorted[0] * sorted[1].sin()
        },
        Case(name: "sortAlongTheFirstAxis", point: [uniform(23, [4, 3])]) { $0[0].sorted(axis: 0).values },
        Case(name: "top", point: [uniform(24, [2, 5])]) { $0[0].top(2).values },
        Case(name: "cumulativeSum", point: [uniform(25, [2, 5])]) { $0[0].cumulativeSum(axis: 1) },
        Case(name: "cumulativeProduct", point: [uniform(26, [5, 2])]) { $0[0].cumulativeProduct(axis: 0) },
        Case(name: "cumulativeMaximum", point: [uniform(27, [6])]) { $0[0].cumulativeMaximum(axis: 0) },
    ]

    private static let indexing: [Case] =
        [Scatter.Combination.add, .maximum, .minimum].map { combination in
            let indices = HostArray([1, 3, 0, -2, 7, 1] as [Int32], shape: [3, 2])
            return Case(
                name: "scatter(\(combination.rawValue))",
                point: [uniform(28, [4, 2]), indices, uniform(29, [3, 2, 2])]
            ) { $0[0].scattering($0[2], at: $0[1], combination) }
        }
        + [
            Case(
                name: "scatter(replace)",
                point: [uniform(30, [2, 4]), HostArray([2, -1, 0] as [Int32]), uniform(31, [2, 3])]
            ) { $0[0].scattering($0[2], at: $0[1], axis: 1, .replace) },
            Case(
                name: "takeAlong",
                point: [uniform(32, [2, 3]), HostArray([2, 2, 9, -1, 0, 1, 1, 0] as [Int32], shape: [2, 4])]
            ) { $0[0].takingAlong($0[1], axis: 1) },
        ]

    /// What the value tests of these families compute, at the points recorded for them.
    private static let recorded: [Case] = [
        (ProductTests.values, ProductTests.fixture), (StructureTests.values, StructureTests.fixture),
        (IndexingTests.values, IndexingTests.fixture), (ControlFlowTests.values, ControlFlowTests.fixture),
    ].flatMap { values, fixture -> [Case] in
        guard let fixture = try? fixture.get() else { return [] }
        return values.filter { !unsuited.contains($0.operation) }.flatMap { value in
            value.variants(in: fixture).filter { $0.hasSuffix("f64") || $0.hasSuffix("float64") }.map { variant in
                Case(name: variant, point: fixture.list("\(variant)/in")) { inputs in
                    let outputs = value.function(inputs).filter(\.dtype.isFloating)
                    return concatenate(outputs.map { $0.reshaped([-1]) }, axis: 0)
                }
            }
        }
    }

    /// A point with infinities, and rules that differ from the derivative on purpose.
    private static let unsuited: Set<String> = ["dotSpecial", "clippedGradient", "stopGradient"]
}
