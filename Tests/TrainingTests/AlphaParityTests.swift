import Foundation
import NN
import PJRT
import Tensor
import TestSupport
import Testing
import Tokenizer
import XLA

@testable import Training

/// A small Alpha against the same model in Flax NNX, trained by optax and computed in f64 (`Tests/Oracles/alpha_parity.py`).
///
/// Tensors are compared whole: `‖ours − theirs‖ ≤ 10⁻⁴ ‖theirs‖`.
@Suite struct AlphaParityTests {
    let fixture: Fixture
    let recipe: Recipe
    let model: Alpha

    init() throws {
        fixture = try Fixture("alpha_parity")
        recipe = try Recipe(path: Fixture.folder.appending(path: "alpha_parity.json").path)
        model = try Alpha(recipe.model.resolved())
    }

    private static let bound = 1e-4

    /// The arrays `prefix<path>` by path.
    private func group(_ prefix: String) -> [String: HostArray] {
        fixture.arrays.reduce(into: [:]) { found, entry in
            if entry.key.hasPrefix(prefix) { found[String(entry.key.dropFirst(prefix.count))] = entry.value }
        }
    }

    private func paths(_ kind: Parameter.Kind) -> [String] {
        model.parameters.filter { $0.value.kind == kind }.keys.sorted()
    }

    /// The audio of a step, `[batch, samples]`.
    private func audio(step: Int) throws -> HostArray {
        let all = try fixture.array("audio")
        let (batches, size) = (all.shape[0], all.count / all.shape[0])
        let start = step % batches * size
        return HostArray(Array(all.floats[start..<start + size]), shape: Shape(Array(all.shape.dropFirst())))
    }

    private func expectNear(
        _ actual: HostArray?, _ expected: HostArray?, bound: Double = Self.bound, _ label: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let actual = try #require(actual, "\(label)", sourceLocation: sourceLocation)
        let expected = try #require(expected, "\(label)", sourceLocation: sourceLocation)
        #expect(actual.type == expected.type, "\(label)", sourceLocation: sourceLocation)
        let error = distance(actual, expected)
        #expect(error <= bound, "\(label) differs by \(error)", sourceLocation: sourceLocation)
    }

    /// `‖a − b‖ / ‖b‖`; of two zeros, zero.
    private func distance(_ a: HostArray, _ b: HostArray) -> Double {
        let difference = zip(a.doubles, b.doubles).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let size = b.doubles.reduce(0) { $0 + $1 * $1 }
        return difference == 0 ? 0 : (difference / size).squareRoot()
    }

    @Test func theModelHasTheParametersOfItsTwin() {
        let start = group("start/")
        #expect(start.mapValues(\.type) == model.parameters.mapValues(\.type))
    }

    @Test func forwardAgrees() throws {
        let start = group("start/")
        let input = Tensor.input(try audio(step: 0).type, name: "audio")
        // In the first step every clip passes unquantised.
        let bypass = Tensor.constant([1, 1], .bool)
        let (estimate, quantized) = model.reconstruct(
            input.expanded(at: 2), training: QuantizerTraining(key: RandomKey(seed: 0), bypass: bypass))
        let all = model.parameters.sorted { $0.key < $1.key }
        let graph = Graph(
            inputs: [input] + all.map(\.value.tensor), outputs: [estimate.squeezed(2), quantized.codes])
        for backend in TestBackends.all {
            let results = try backend.run(graph, [audio(step: 0)] + all.map { start[$0.key]! })
            try expectNear(
                results[0], fixture.array("reconstruction"), bound: 1e-5, "reconstruction on \(backend.name)")
            #expect(try results[1] == fixture.array("codes"), "codes on \(backend.name)")
        }
    }

    @Test func everyGradientAgrees() throws {
        let start = group("start/")
        let all = model.parameters.sorted { $0.key < $1.key }
        let input = Tensor.input(try audio(step: 0).type, name: "audio")
        let step = Tensor.scalar(0, .i32)
        let key = RandomKey(seed: recipe.seed ^ 0x5EED).folding(in: step.cast(to: .u32))
        let (batch, samples) = (input.shape[0], input.shape[1])
        let total = GeneratorObjective(model: model, recipe: recipe)(
            input.expanded(at: 2), lengths: Tensor.full(Double(samples), TensorType(.i32, [batch])),
            bandwidth: Tensor.full(4000, TensorType(.f32, [batch])), step: step, key: key
        ).total
        let trainable = paths(.trainable)
        let gradients = gradient(of: total, at: trainable.map { model.parameters[$0]!.tensor })
        let graph = Graph(inputs: [input] + all.map(\.value.tensor), outputs: [total] + gradients)
        let results = try TestBackends.xla.run(graph, [audio(step: 0)] + all.map { start[$0.key]! })
        try expectNear(results[0], fixture.array("step.0/loss"), "the loss")
        for (path, result) in zip(trainable, results.dropFirst()) {
            try expectNear(result, fixture.array("gradient/\(path)"), "the gradient of \(path)")
        }
    }

    @Test func tenStepsAgree() throws {
        let engine = try XLABackend.engine()
        let start = group("start/")
        let trainable = start.filter { model.parameters[$0.key]?.kind == .trainable }
        let moments = AdamW(learningRate: .constant(0)).stateTypes(for: trainable.mapValues(\.type))
        let initial: Tree<HostArray> = [
            "parameters": Tree(trainable),
            "statistics": Tree(start.filter { model.parameters[$0.key]?.kind == .statistic }),
            "moments": Tree(moments.mapValues { HostArray(repeating: 0, type: $0) }),
            "average": Tree(trainable), "discriminators": ["parameters": Tree([:]), "moments": Tree([:])],
            "balancer": Tree([:]), "step": .leaf(HostArray(Int32(0))),
            "key": .leaf(RandomKey.words(seed: recipe.seed ^ 0x5EED)),
        ]
        var state = try engine.upload(initial)
        let training = TrainingStep(model: model, recipe: recipe, engine: engine)
        for step in 0..<10 {
            let result = try training.function(at: step)(engine.trainingArguments(state, audio: audio(step: step)))
            state = result["state"]
            let metrics = try result["metrics"].values.mapValues { try $0.hostArray() }
            #expect(metrics["skipped"]?.doubles == [0])
            for (name, expected) in group("step.\(step)/") where name != "deadCodes" {
                try expectNear(metrics[name], expected, "\(name) of step \(step)")
            }
            #expect(try metrics["levels.0.deadCodes"] == fixture.array("step.\(step)/deadCodes"))
        }
        #expect(training.traceCount == 1)

        let end = try state.hostArrays()
        for path in trainable.keys.sorted() {
            for group in ["parameters", "average"] {
                try expectNear(
                    end[group].values[path], fixture.array("end/\(group)/\(path)"), "\(path) in \(group)")
            }
            for moment in ["first", "second"] {
                try expectNear(
                    end["moments"].values["\(moment).\(path)"], fixture.array("end/\(moment)/\(path)"),
                    bound: Self.momentBound, "the \(moment) moment of \(path)")
            }
        }
        try expectNear(
            end["statistics"].values["quantizer.levels.0.usage"], fixture.array("end/usage"), bound: 1e-6, "usage")
        #expect(end["step"].value == HostArray(Int32(10)))
    }

    /// Gradients ten steps on feel how far parameters have drifted apart.
    private static let momentBound = 1e-3
}
