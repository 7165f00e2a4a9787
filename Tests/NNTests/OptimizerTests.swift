import NN
import Tensor
import TestSupport
import Testing

@Suite struct OptimizerTests {
    let fixture: Fixture
    init() throws { fixture = try Fixture("nn_optimizers") }

    private func arrays(_ prefix: String) -> [String: HostArray] {
        fixture.arrays.reduce(into: [:]) { found, entry in
            if entry.key.hasPrefix(prefix) { found[String(entry.key.dropFirst(prefix.count))] = entry.value }
        }
    }

    private static let rate = Schedule.warmupCosine(peak: 0.02, to: 0.001, warmup: 4, steps: 9)
    private static let adamW = AdamW(learningRate: rate, betas: (0.8, 0.99), epsilon: 1e-6, weightDecay: 0.1)

    @Test func tenStepsEqualOptax() throws {
        try expectTenSteps(of: Self.adamW, "adamw", stateCount: 2 * 3)
    }

    @Test func tenStepsOfMuonEqualOptax() throws {
        let muon = Muon(
            learningRate: Self.rate, momentum: 0.9, weightDecay: 0.1, others: Self.adamW,
            isMatrix: { path, _ in path != "codebook" })
        // A mean for each of four matrices, two for a bias and a codebook.
        try expectTenSteps(of: muon, "muon", stateCount: 4 + 2 * 2)
    }

    private func expectTenSteps(of optimizer: some Optimizer, _ name: String, stateCount: Int) throws {
        let averaging = ExponentialMovingAverage(decay: 0.9)
        let start = arrays("\(name)/start/")
        let types = start.mapValues(\.type)
        let stateTypes = optimizer.stateTypes(for: types)
        #expect(stateTypes.count == stateCount)
        let paths = types.keys.sorted()
        let statePaths = stateTypes.keys.sorted()

        // One graph for every step, as training runs it.
        let step = Tensor.input(TensorType(.i32, []), name: "step")
        func inputs(_ types: [String: TensorType]) -> [String: Tensor] {
            types.mapValues { .input($0, name: "argument") }
        }
        let (gradients, parameters, average, state) = (inputs(types), inputs(types), inputs(types), inputs(stateTypes))
        let clipped = clipByGlobalNorm(gradients, limit: 5)
        let next = optimizer.update(gradients: clipped.gradients, parameters: parameters, state: state, step: step)
        let nextAverage = averaging.update(average, with: next.parameters, step: step)
        func listed(_ values: [String: Tensor], _ paths: [String]) -> [Tensor] { paths.map { values[$0]! } }
        let graph = Graph(
            inputs: [step] + listed(gradients, paths) + listed(parameters, paths) + listed(average, paths)
                + listed(state, statePaths),
            outputs: [clipped.norm] + listed(next.parameters, paths) + listed(nextAverage, paths)
                + listed(next.state, statePaths))

        for backend in TestBackends.all {
            var carried =
                paths.map { start[$0]! } + paths.map { start[$0]! }
                + statePaths.map { HostArray(repeating: 0, type: stateTypes[$0]!) }
            for index in 0..<10 {
                let gradients = arrays("\(name)/step.\(index)/gradient/")
                let results = try backend.run(graph, [HostArray(Int32(index))] + paths.map { gradients[$0]! } + carried)
                expectClose(results[0], try fixture.array("\(name)/step.\(index)/norm"), relative: 1e-6, absolute: 0)
                carried = Array(results.dropFirst())
                for (offset, path) in paths.enumerated() {
                    expectClose(
                        carried[offset], try fixture.array("\(name)/step.\(index)/parameter/\(path)"), relative: 1e-5,
                        absolute: 1e-6, "\(name) on \(backend.name) step \(index) \(path)")
                    expectClose(
                        carried[paths.count + offset], try fixture.array("\(name)/step.\(index)/average/\(path)"),
                        relative: 1e-5, absolute: 1e-6, "\(name) on \(backend.name) average at step \(index) of \(path)"
                    )
                }
            }
        }
    }

    @Test func schedulesEqualOptax() throws {
        let schedules: [String: Schedule] = [
            "constant": .constant(0.3), "linear": .linear(from: 0.1, to: 1, steps: 20),
            "cosine": .cosine(from: 2, to: 0.2, steps: 30),
            "exponential": .exponential(from: 0.5, rate: 0.8, steps: 10),
            "warmupCosine": .warmupCosine(from: 0.01, peak: 1, to: 0.05, warmup: 10, steps: 35),
            "joined": .linear(from: 0, to: 1, steps: 5)
                .then(after: 5, .exponential(from: 1, rate: 0.5, steps: 7)),
        ]
        #expect(arrays("schedule.").keys.sorted() == schedules.keys.sorted())
        for backend in TestBackends.all {
            for (name, schedule) in schedules {
                let steps = (0...40).map { schedule(Tensor.scalar(Double($0), .i32)) }
                let values = try backend.run(Graph(inputs: [], outputs: [stack(steps)]), [])[0]
                expectClose(
                    values, try fixture.array("schedule.\(name)"), relative: 2e-6, absolute: 1e-7,
                    "\(backend.name) \(name)")
            }
        }
    }

    @Test func smallGradientsAreNotClipped() throws {
        let gradients = ["a": Tensor.constant([0.3, -0.4], .f32)]
        let clipped = clipByGlobalNorm(gradients, limit: 1)
        expectClose(try evaluate(clipped.norm), HostArray(Float(0.5)))
        #expect(try evaluate(clipped.gradients["a"]!) == HostArray([0.3, -0.4] as [Float]))
    }

    @Test func zeroGradientsStayFinite() throws {
        let zeros = ["a": Tensor.zeros(TensorType(.f32, [2]))]
        let clipped = clipByGlobalNorm(zeros, limit: 1)
        #expect(try evaluate(clipped.gradients["a"]!) == HostArray([0, 0] as [Float]))
    }

    @Test func decayActsOnMatricesAlone() throws {
        let parameters = ["matrix": Tensor.ones(TensorType(.f32, [1, 1])), "bias": Tensor.ones(TensorType(.f32, [1]))]
        let optimizer = AdamW(learningRate: .constant(0.5), weightDecay: 0.1)
        let zeros = parameters.mapValues { Tensor.zeros($0.type) }
        let state = optimizer.stateTypes(for: parameters.mapValues(\.type)).mapValues { Tensor.zeros($0) }
        let next = optimizer.update(gradients: zeros, parameters: parameters, state: state, step: .scalar(0, .i32))
        expectClose(try evaluate(next.parameters["matrix"]!), HostArray([0.95] as [Float], shape: [1, 1]))
        expectClose(try evaluate(next.parameters["bias"]!), HostArray([1] as [Float]))
    }

    @Test func warmingAverageForgetsItsStart() throws {
        let averaging = ExponentialMovingAverage(decay: 0.99, warmsUp: true)
        let value = ["a": Tensor.scalar(0)]
        let early = averaging.update(value, with: ["a": .scalar(1)], step: .scalar(0, .i32))
        let late = averaging.update(value, with: ["a": .scalar(1)], step: .scalar(100_000, .i32))
        expectClose(try evaluate(early["a"]!), HostArray(Float(0.9)))
        expectClose(try evaluate(late["a"]!), HostArray(Float(0.01)), relative: 1e-5, absolute: 0)
    }
}
