import TestSupport
import Testing

@testable import Tensor

/// Loops, branches, rematerialisation and gradients of the caller's own.
@Suite struct ControlFlowTests {
    static let fixture = Result { try Fixture("tensor_control") }

    @Test(arguments: values) func agreesWithJAX(_ operation: ValueCase) throws {
        try expectMatches(operation, in: Self.fixture.get())
    }

    @Test func everyRecordedOperationIsCompared() throws {
        #expect(try Self.fixture.get().operations == Set(Self.values.map(\.operation)))
    }

    static let values = [
        ValueCase("scan", rounded) { recurrence($0, reversed: false) },
        ValueCase("scanReversed", rounded) { recurrence($0, reversed: true) },
        ValueCase("scanNoSteps", rounded) { recurrence($0, reversed: false) },
        ValueCase("whileLoop") { inputs in
            whileLoop([inputs[0], .scalar(0, .i32)], condition: { $0[0].isGreater(than: 1) }) { state in
                let x = state[0]
                return [select((x % .scalar(2, .i32)).equals(0), x / 2, 3 * x + 1), state[1] + 1]
            }
        },
        ValueCase("conditional") { inputs in
            let (x, y) = (inputs[1], inputs[2])
            let loss = conditional(inputs[0]) {
                [(x * y).sum()]
            } whenFalse: {
                [x.exp().sum()]
            }
            return loss + gradient(of: loss[0], at: [x, y])
        },
        ValueCase("clippedGradient") { inputs in
            let identity = composite(
                "clippedGradient", inputs, gradient: { _, _, cotangents in [cotangents[0].clamped(-0.5, 0.5)] },
                decomposition: { $0 })
            return identity + gradient(of: identity[0].power(3).sum(), at: inputs)
        },
        ValueCase("checkpoint", rounded) { inputs in
            let y = checkpoint { [matmul(matmul(inputs[0], inputs[1]).sin(), inputs[1]).tanh()] }
            return y + gradient(of: y[0].squared.sum(), at: inputs)
        },
        ValueCase("stopGradient") { inputs in
            let y = inputs[0] * inputs[0].stoppingGradient
            return [y] + gradient(of: y.sum(), at: inputs)
        },
    ]

    private static let rounded = Tolerance(relative: 1e-5, absolute: 1e-5)

    /// Inputs: state `[2, 3]`, slices `[steps, 2, 3]`, a captured matrix `[3, 3]`. Values, then gradients.
    private static func recurrence(_ inputs: [Tensor], reversed: Bool) -> [Tensor] {
        let (state, slices, matrix) = (inputs[0], inputs[1], inputs[2])
        let (carry, results) = scan([state, .scalar(0, .i32)], over: [slices], reversed: reversed) { carry, slice in
            let step = carry[1] + 1
            let next = (matmul(carry[0], matrix) + slice[0] * step.cast(to: state.dtype)).tanh()
            return ([next, step], [next.sum(), next * slice[0]])
        }
        let loss = carry[0].squared.sum() + results[0].squared.sum() + results[1].sum()
        return carry + results + gradient(of: loss, at: inputs)
    }

    @Test(arguments: [false, true]) func aScanIsItsUnrolledLoop(reversed: Bool) throws {
        var random = TestRandom(seed: 3)
        let inputs = [random.array([2]), random.array([4, 2]), random.array([4]), random.array([2])]
        func step(_ h: Tensor, _ x: Tensor, _ y: Tensor, _ w: Tensor) -> Tensor { (h * w + x).sin() * y }
        let looped = try evaluate(inputs) { inputs in
            let (carry, results) = scan([inputs[0]], over: [inputs[1], inputs[2]], reversed: reversed) { carry, slice in
                let next = step(carry[0], slice[0], slice[1], inputs[3])
                return ([next], [next * 2])
            }
            let loss = carry[0].sum() + results[0].squared.sum()
            return carry + results + gradient(of: loss, at: inputs)
        }
        let unrolled = try evaluate(inputs) { inputs in
            var carry = inputs[0]
            var results = [Tensor?](repeating: nil, count: 4)
            for index in reversed ? [3, 2, 1, 0] : [0, 1, 2, 3] {
                carry = step(carry, inputs[1].at(index), inputs[2].at(index), inputs[3])
                results[index] = carry * 2
            }
            let stacked = stack(results.map { $0! })
            let loss = carry.sum() + stacked.squared.sum()
            return [carry, stacked] + gradient(of: loss, at: inputs)
        }
        for (x, y) in zip(looped, unrolled) { expectClose(x, y, relative: 1e-13, absolute: 1e-13) }
    }

    @Test func derivativesOfAScanOfEveryOrderAgree() throws {
        var random = TestRandom(seed: 4)
        let point = [random.array([2]), random.array([3, 2]), random.array([2, 2])]
        func final(_ inputs: [Tensor]) -> Tensor {
            let (carry, results) = scan([inputs[0], .scalar(1, .f64)], over: [inputs[1]]) { carry, slice in
                let next = (matmul(inputs[2], carry[0].expanded(at: 1)).squeezed(1) + slice[0]).tanh()
                return ([next, carry[1] * next.sum()], [carry[1]])
            }
            return carry[0].squared.sum() + carry[1] * results[0].sum()
        }
        func derivative(_ function: @escaping ([Tensor]) -> Tensor) -> ([Tensor]) -> Tensor {
            { inputs in
                let slopes = gradient(of: function(inputs), at: inputs).map { $0.reshaped([-1]) }
                return concatenate(slopes, axis: 0).squared.sum()
            }
        }
        try expectGradient(of: final, at: point)
        try expectGradient(of: derivative(final), at: point)
        try expectGradient(of: derivative(derivative(final)), at: point, Tolerance(relative: 1e-6, absolute: 1e-7))
    }

    @Test func scansNestAndCaptureFromEveryLevel() throws {
        var random = TestRandom(seed: 5)
        try expectGradient(
            of: { inputs in
                scan([inputs[0]], over: [inputs[1]]) { outer, row in
                    let inner = scan([outer[0]], over: [row[0]]) { carry, element in
                        ([(carry[0] * inputs[2] + element[0] * outer[0]).sin()], [])
                    }
                    return (inner.state, [])
                }.state[0]
            }, at: [random.array([]), random.array([2, 3]), random.array([])])
    }

    @Test func aScanOverNothingCountsItsSteps() throws {
        let powers = try evaluate([HostArray(3.0)]) { inputs in
            let (carry, results) = scan([.scalar(1, .f64)], over: [], length: 4) { carry, _ in
                ([carry[0] * inputs[0]], [carry[0]])
            }
            return carry + results + gradient(of: carry[0], at: inputs)
        }
        #expect(powers.map(\.doubles) == [[81], [1, 3, 9, 27], [108]])
    }

    @Test func conditionalsNestInScans() throws {
        var random = TestRandom(seed: 6)
        try expectGradient(
            of: { inputs in
                scan([inputs[0]], over: [inputs[1]]) { carry, slice in
                    let next = conditional(slice[0].isGreater(than: 0)) {
                        [carry[0] * slice[0] + inputs[2]]
                    } whenFalse: {
                        [carry[0].sin()]
                    }
                    return (next, next)
                }.results[0]
            }, at: [random.array([]), HostArray([0.5, -0.5, 0.25, -1]), random.array([])])
    }

    @Test func aLoopReadsWhatLiesOutsideIt() throws {
        let inputs = [HostArray(1.0), HostArray(100.0)]
        let doubled = try evaluate(inputs) { inputs in
            let factor = inputs[1] / 50
            return whileLoop([inputs[0]], condition: { $0[0].isLess(than: inputs[1]) }, body: { [$0[0] * factor] })
        }
        #expect(doubled[0] == HostArray(128.0))
    }

    @Test func whatFollowsALoopHasAGradient() throws {
        let slopes = try evaluate([HostArray(1.0)]) { inputs in
            let looped = whileLoop(inputs, condition: { $0[0].isLess(than: 10) }, body: { [$0[0] * 2] })[0]
            return gradient(of: looped.squared, at: [looped])
        }
        #expect(slopes[0] == HostArray(32.0))
    }

    @Test func aLoopItselfHasNone() async {
        await #expect(processExitsWith: .failure) {
            let x = Tensor.input(TensorType(.f32, []), name: "x")
            let looped = whileLoop([x], condition: { $0[0].isLess(than: 10) }, body: { [$0[0] * 2] })[0]
            _ = gradient(of: looped, at: [x])
        }
    }

    @Test func checkpointChangesNoValueAndFencesTheSecondComputation() throws {
        var random = TestRandom(seed: 7)
        let inputs = [random.array([3, 4], .f32), random.array([4, 4], .f32)]
        func block(_ x: Tensor, _ w: Tensor) -> [Tensor] { [matmul(matmul(x, w).sin(), w).tanh()] }
        func traced(_ body: (Tensor, Tensor) -> [Tensor]) -> Graph {
            Graph(inputs.map(\.type)) { inputs in
                let y = body(inputs[0] * 2, inputs[1])
                return y + gradient(of: y[0].squared.sum(), at: inputs)
            }
        }
        let (plain, checkpointed) = (traced(block), traced { x, w in checkpoint { block(x, w) } })
        #expect(
            try TestBackends.reference.run(plain, inputs) == TestBackends.reference.run(checkpointed, inputs))

        func count(_ name: String, _ graph: Graph) -> Int { graph.nodes.count { $0.primitive.name == name } }
        #expect(count("barrier", plain) == 0 && count("barrier", checkpointed) == 1)
        // Forward, it is one node; backward, the region is computed again behind the barrier.
        #expect(count("checkpoint", checkpointed) == 1)
        #expect(count("sine", plain) == 1 && count("sine", checkpointed) == 1)
        let fenced = try #require(checkpointed.nodes.first { $0.primitive is Barrier })
        let recomputed = try #require(checkpointed.nodes.first { $0.primitive.name == "sine" })
        #expect(recomputed.id > fenced.id)
    }

    @Test func checkpointsNestAndDifferentiateTwice() throws {
        var random = TestRandom(seed: 8)
        try expectGradient(
            of: { inputs in
                let y = checkpoint {
                    let inner = checkpoint { [inputs[0].sin() * inputs[1]] }
                    return [inner[0].exp() * inputs[0]]
                }
                return concatenate(gradient(of: y[0].squared.sum(), at: inputs), axis: 0)
            }, at: [random.array([3]), random.array([3])])
    }

    @Test func aCompositeKeepsItsNameAttributesAndGradient() throws {
        let x = Tensor.input(TensorType(.f64, [3]), name: "x")
        let y = composite("cube", [x], attributes: ["exponent": 3]) { [$0[0] * $0[0] * $0[0]] }[0]
        let call = try #require(y.node.primitive as? Call)
        #expect(call.name == "cube" && call.attributes == ["exponent": 3])
        var random = TestRandom(seed: 9)
        try expectGradient(
            of: { inputs in
                let cube = composite("cube", inputs) { [$0[0] * $0[0] * $0[0], $0[0].sin()] }
                return gradient(of: (cube[0] * cube[1]).sum(), at: inputs)[0]
            }, at: [random.array([3])])
    }

    @Test func aCustomGradientGetsZerosForOutputsThatNothingReads() throws {
        let slopes = try evaluate([HostArray([2.0, 3.0])]) { inputs in
            let pair = composite("pair", inputs) { inputs, outputs, cotangents in
                [cotangents[0] + cotangents[1] * 100 + outputs[1] * 10]
            } decomposition: {
                [$0[0] * 1, $0[0] * 2]
            }
            return gradient(of: pair[0].sum(), at: inputs)
        }
        #expect(slopes[0].doubles == [41, 61])
    }

    @Test func aCompositeMayReadOnlyItsInputs() async {
        await #expect(processExitsWith: .failure) {
            let (x, y) = (Tensor.input(TensorType(.f32, []), name: "x"), Tensor.input(TensorType(.f32, []), name: "y"))
            _ = composite("leaky", [x]) { [$0[0] + y] }
        }
    }
}
