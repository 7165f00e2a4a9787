import TestSupport
import Testing

@testable import Tensor

/// What each primitive's shape rule refuses, and why; what it gives for good operands is part of the value tests.
@Suite struct ShapeRuleTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        let primitive: any Primitive
        let inputs: [TensorType]
        /// Part of the message.
        let reason: String
        var testDescription: String { "\(primitive.name)(\(inputs.map(\.description).joined(separator: ", ")))" }

        init(_ primitive: any Primitive, _ inputs: [TensorType], _ reason: String) {
            self.primitive = primitive
            self.inputs = inputs
            self.reason = reason
        }
    }

    @Test(arguments: mistakes) func refuses(_ mistake: Mistake) {
        let error = #expect(throws: ShapeError.self) { try mistake.primitive.infer(mistake.inputs) }
        #expect(error?.description.contains(mistake.reason) == true, "\(error?.description ?? "no error")")
    }

    private static func f32(_ dimensions: Int...) -> TensorType { TensorType(.f32, Shape(dimensions)) }
    private static func i32(_ dimensions: Int...) -> TensorType { TensorType(.i32, Shape(dimensions)) }
    private static func bool(_ dimensions: Int...) -> TensorType { TensorType(.bool, Shape(dimensions)) }

    static let mistakes = elementwise + structure + reductions + products + indexing + control

    private static let elementwise: [Mistake] =
        Unary.Kind.allCases.map { kind in
            switch kind {
            case .not: Mistake(Unary(kind: kind), [f32(2)], "not defined on f32")
            case .negate, .absolute, .sign:
                Mistake(Unary(kind: kind), [TensorType(.u8, [2])], "not defined on u8")
            default: Mistake(Unary(kind: kind), [i32(2)], "not defined on i32")
            }
        }
        + Binary.Kind.allCases.map { kind in
            switch kind {
            case .and, .or, .xor, .shiftLeft, .shiftRightLogical:
                Mistake(Binary(kind: kind), [f32(2), f32(2)], "not defined on f32")
            case .atan2: Mistake(Binary(kind: kind), [i32(2), i32(2)], "not defined on i32")
            default: Mistake(Binary(kind: kind), [bool(2), bool(2)], "not defined on bool")
            }
        }
        + [
            Mistake(Binary(kind: .add), [f32(2), f32(3)], "operands differ"),
            Mistake(Binary(kind: .add), [f32(2), i32(2)], "operands differ"),
            Mistake(Binary(kind: .shiftLeft), [bool(2), bool(2)], "not defined on bool"),
            Mistake(Compare(direction: .less), [f32(2), f32(3)], "operands differ"),
            Mistake(Select(), [f32(2), f32(2), f32(2)], "not bool"),
            Mistake(Select(), [bool(2), f32(2), i32(2)], "choices differ"),
            Mistake(Select(), [bool(3), f32(2), f32(2)], "another shape"),
            Mistake(Bitcast(dtype: .f64), [f32(2)], "not as wide"),
            Mistake(Bitcast(dtype: .bool), [TensorType(.u8, [2])], "not as wide"),
        ]

    private static let structure: [Mistake] = [
        Mistake(Iota(axis: 1, type: f32(2)), [], "axis 1"),
        Mistake(Reshape(shape: [5]), [f32(2, 3)], "another number of elements"),
        Mistake(Transpose(permutation: [0, 0]), [f32(2, 3)], "does not permute"),
        Mistake(Transpose(permutation: [0]), [f32(2, 3)], "does not permute"),
        Mistake(Broadcast(shape: [2, 3], axes: [0]), [f32(2, 3)], "do not map"),
        Mistake(Broadcast(shape: [2, 3], axes: [1, 0]), [f32(3, 2)], "do not map"),
        Mistake(Broadcast(shape: [2, 3], axes: [2]), [f32(3)], "axis 2"),
        Mistake(Broadcast(shape: [2, 3], axes: [0]), [f32(3)], "does not broadcast"),
        Mistake(Slice(starts: [0], limits: [4], strides: [1]), [f32(3)], "outside axis 0"),
        Mistake(Slice(starts: [-1], limits: [2], strides: [1]), [f32(3)], "outside axis 0"),
        Mistake(Slice(starts: [2], limits: [1], strides: [1]), [f32(3)], "outside axis 0"),
        Mistake(Slice(starts: [0], limits: [2], strides: [0]), [f32(3)], "outside axis 0"),
        Mistake(Slice(starts: [0, 0], limits: [2], strides: [1]), [f32(3)], "another rank"),
        Mistake(Pad(low: [1], high: [0], interior: [0]), [f32(3), i32()], "not a scalar of the same type"),
        Mistake(Pad(low: [1], high: [0, 0], interior: [0]), [f32(3), f32()], "another rank"),
        Mistake(Pad(low: [0], high: [0], interior: [-1]), [f32(3), f32()], "interior padding is negative"),
        Mistake(Pad(low: [-2], high: [-2], interior: [0]), [f32(3), f32()], "shorter than nothing"),
        Mistake(Concatenate(axis: 0), [], "nothing to concatenate"),
        Mistake(Concatenate(axis: 2), [f32(2, 3)], "axis 2"),
        Mistake(Concatenate(axis: 0), [f32(2, 3), f32(2, 4)], "differ off the axis"),
        Mistake(Concatenate(axis: 0), [f32(2, 3), i32(2, 3)], "differ off the axis"),
        Mistake(Reverse(axes: [2]), [f32(2, 3)], "not all there"),
    ]

    private static let reductions: [Mistake] =
        Reduce.Kind.allCases.map { kind in
            kind == .all || kind == .any
                ? Mistake(Reduce(kind: kind, axes: [0]), [f32(2)], "not defined on f32")
                : Mistake(Reduce(kind: kind, axes: [0]), [bool(2)], "not defined on bool")
        }
        + [
            Mistake(Reduce(kind: .sum, axes: [0, 0]), [f32(2)], "not distinct"),
            Mistake(Reduce(kind: .sum, axes: [1]), [f32(2)], "not distinct axes"),
            Mistake(ArgMax(axis: 1), [f32(2)], "axis 1"),
            Mistake(ArgMax(axis: 0), [f32(0, 2)], "no largest"),
            Mistake(ArgMax(axis: 0), [bool(2)], "no largest"),
            Mistake(Sort(axis: 1, descending: false), [f32(2)], "axis 1"),
            Mistake(Sort(axis: 0, descending: false), [f32(2), i32(3)], "differ in shape"),
        ]

    private static func convolution(
        strides: [Int] = [1], padding: [(low: Int, high: Int)] = [(0, 0)], dilation: [Int] = [1], groups: Int = 1,
        batchGroups: Int = 1
    ) -> Convolution {
        Convolution(
            strides: strides, padding: padding, operandDilation: dilation, kernelDilation: [1], featureGroups: groups,
            batchGroups: batchGroups, layout: .channelsLast(spatialRank: 1))
    }

    private static let products: [Mistake] = [
        Mistake(Dot(batchAxes: ([], []), contractedAxes: ([1], [0])), [f32(2, 3), f32(4, 2)], "axes 1 and 0 differ"),
        Mistake(Dot(batchAxes: ([0], [0]), contractedAxes: ([1], [1])), [f32(2, 3), f32(4, 3)], "batch axes 0 and 0"),
        Mistake(Dot(batchAxes: ([], []), contractedAxes: ([2], [0])), [f32(2, 3), f32(3, 2)], "axes 2 and 0 differ"),
        Mistake(Dot(batchAxes: ([], []), contractedAxes: ([1], [])), [f32(2, 3), f32(3, 2)], "do not pair up"),
        Mistake(Dot(batchAxes: ([1], [0]), contractedAxes: ([1], [0])), [f32(2, 3), f32(3, 2)], "twice"),
        Mistake(Dot(batchAxes: ([], []), contractedAxes: ([1], [0])), [f32(2, 3), i32(3, 2)], "differ in type"),
        Mistake(Dot(batchAxes: ([], []), contractedAxes: ([1], [0])), [bool(2, 3), bool(3, 2)], "differ in type"),
        Mistake(convolution(), [f32(1, 8, 3), i32(3, 3, 2)], "differ in type"),
        Mistake(convolution(), [f32(1, 8, 8, 3), f32(3, 3, 2)], "another rank"),
        Mistake(convolution(), [f32(1, 8, 4), f32(3, 3, 2)], "4 channels in 1 groups"),
        Mistake(convolution(groups: 2), [f32(1, 8, 6), f32(3, 3, 3)], "6 channels in 2 groups"),
        Mistake(convolution(batchGroups: 2), [f32(3, 8, 3), f32(3, 3, 2)], "batch groups"),
        Mistake(convolution(groups: 2, batchGroups: 2), [f32(2, 8, 6), f32(3, 3, 4)], "not both"),
        Mistake(convolution(groups: 0), [f32(1, 8, 3), f32(3, 3, 2)], "groups"),
        Mistake(convolution(strides: [0]), [f32(1, 8, 3), f32(3, 3, 2)], "not positive"),
        Mistake(convolution(dilation: [0]), [f32(1, 8, 3), f32(3, 3, 2)], "not positive"),
        Mistake(convolution(strides: [1, 1]), [f32(1, 8, 3), f32(3, 3, 2)], "another number of spatial axes"),
        Mistake(convolution(padding: []), [f32(1, 8, 3), f32(3, 3, 2)], "another number of spatial axes"),
        Mistake(convolution(padding: [(-5, -4)]), [f32(1, 8, 3), f32(3, 3, 2)], "less than nothing"),
        Mistake(Fourier(kind: .realForward, length: 4), [i32(4)], "not defined on i32"),
        Mistake(Fourier(kind: .realForward, length: 4), [TensorType(.bf16, [4])], "not defined on bf16"),
        Mistake(Fourier(kind: .realForward, length: 4), [f32()], "needs an axis"),
        Mistake(Fourier(kind: .realForward, length: 0), [f32(0)], "positive length"),
        Mistake(Fourier(kind: .realForward, length: 4), [f32(5)], "takes 4"),
        Mistake(Fourier(kind: .realInverse, length: 8), [f32(4), f32(4)], "takes 5"),
        Mistake(Fourier(kind: .forward, length: 4), [f32(2, 4), f32(4)], "parts differ"),
        Mistake(Fourier(kind: .inverse, length: 4), [f32(3), f32(3)], "takes 4"),
    ]

    private static let indexing: [Mistake] = [
        Mistake(DynamicSlice(sizes: [2]), [f32(3, 3), i32(), i32()], "another rank"),
        Mistake(DynamicSlice(sizes: [2, 2]), [f32(3, 3), i32()], "another rank"),
        Mistake(DynamicSlice(sizes: [2, 2]), [f32(3, 3), i32(), f32()], "i32 scalar"),
        Mistake(DynamicSlice(sizes: [2, 4]), [f32(3, 3), i32(), i32()], "larger than the operand"),
        Mistake(DynamicUpdateSlice(), [f32(3, 3), f32(2), i32(), i32()], "another rank"),
        Mistake(DynamicUpdateSlice(), [f32(3), i32(2), i32()], "differ in type"),
        Mistake(DynamicUpdateSlice(), [f32(3), f32(4), i32()], "larger than the operand"),
        Mistake(DynamicUpdateSlice(), [f32(3), f32(2), i32(1)], "i32 scalar"),
        Mistake(Gather(axis: 2), [f32(3, 3), i32(2)], "axis 2"),
        Mistake(Gather(axis: 0), [f32(3, 3), f32(2)], "indices are i32"),
        Mistake(Gather(axis: 0), [f32(0, 3), i32(2)], "nothing to gather"),
        Mistake(Scatter(axis: 1, combination: .add), [f32(3), i32(2), f32(2)], "axis 1"),
        Mistake(Scatter(axis: 0, combination: .add), [f32(3), f32(2), f32(2)], "indices are i32"),
        Mistake(Scatter(axis: 0, combination: .add), [f32(3, 4), i32(2), f32(2, 3)], "not f32[2, 4]"),
    ]

    private static let control: [Mistake] = {
        let number = f32()
        let identity = Graph([number]) { $0 }
        let isPositive = Graph([number]) { [$0[0].isGreater(than: 0)] }
        let widening = Graph([number]) { [$0[0].cast(to: .f64)] }
        return [
            Mistake(
                While(condition: identity, body: identity, stateCount: 1), [number], "condition is not a bool scalar"),
            Mistake(While(condition: isPositive, body: widening, stateCount: 1), [number], "the body turns"),
            Mistake(
                Conditional(whenTrue: identity, whenFalse: identity), [number, number], "condition is not a bool scalar"
            ),
            Mistake(Conditional(whenTrue: identity, whenFalse: widening), [bool(), number], "different types"),
            Mistake(
                Scan(body: widening, carryCount: 1, slicedCount: 0, length: 3, reversed: false), [number],
                "the body turns"),
            Mistake(
                Scan(body: identity, carryCount: 0, slicedCount: 1, length: 3, reversed: false), [f32(4)],
                "does not have 3 slices"),
            Mistake(
                Call(name: "call", attributes: [:], graph: identity, rule: .decompose), [f32(2)], "operands differ"),
        ]
    }()

    /// Those that take whatever they are given.
    private static let unfailing: Set<String> = ["input", "constant", "full", "convert", "stopGradient", "barrier"]

    @Test func everyRuleThatCanFailIsTested() {
        let tested = Set(Self.mistakes.map { $0.primitive is Compare ? "compare" : $0.primitive.name })
        let all = Set(CompletenessTests.all.map { $0.hasPrefix("compare") ? "compare" : $0 })
        #expect(all.symmetricDifference(tested.union(Self.unfailing)) == [])
    }

    @Test func anAxisCountsFromEitherEnd() {
        let x = Tensor.input(Self.f32(2, 3, 4), name: "x")
        #expect(x.sum(axes: [-1]).shape == [2, 3] && x.sum(axes: [0]).shape == [3, 4])
    }

    @Test(
        arguments: [
            ([], [], []), ([2, 3], [], [2, 3]), ([2, 1], [3], [2, 3]), ([4, 1, 3], [2, 1], [4, 2, 3]), ([1], [0], [0]),
        ] as [(Shape, Shape, Shape)])
    func shapesBroadcastAsInNumPy(_ x: Shape, _ y: Shape, _ expected: Shape) {
        #expect(
            (Tensor.input(TensorType(.f32, x), name: "x") + .input(TensorType(.f32, y), name: "y")).shape == expected)
        #expect(
            (Tensor.input(TensorType(.f32, y), name: "y") + .input(TensorType(.f32, x), name: "x")).shape == expected)
    }

    @Test func shapesThatDoNotBroadcastAreAMistake() async throws {
        let result = try #require(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = Tensor.ones(TensorType(.f32, [2, 3])) + Tensor.ones(TensorType(.f32, [2]))
            })
        let message = String(decoding: result.standardErrorContent, as: UTF8.self)
        #expect(message.contains("[2, 3]") && message.contains("[2]"), "\(message)")
    }
}
