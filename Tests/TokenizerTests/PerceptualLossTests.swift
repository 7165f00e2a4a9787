import NN
import Tensor
import TestSupport
import Testing

@testable import Tokenizer

struct PerceptualLossTests {
    private let configuration = Alpha.Configuration(
        sampleRate: 8000, width: 2, strides: [2, 4], dilations: [1], latentDimension: 8,
        transformer: .init(layers: 1, heads: 2, window: 4), quantizer: [.bsq(bits: 4)])

    private func values(_ module: some Module) -> (tensors: [Tensor], arrays: [HostArray]) {
        var random = TestRandom(seed: 6)
        let parameters = module.parameters.sorted { $0.key < $1.key }
        return (parameters.map(\.value.tensor), parameters.map { random.array($0.value.shape, .f32) })
    }

    /// PyTorch's (`Tests/Oracles/tokenizer_perceptual.py`): of clips of which one has padding, and of whole ones.
    @Test(arguments: ["", "whole/"]) func distancesOfFeaturesAgree(_ prefix: String) throws {
        let fixture = try Fixture("tokenizer_perceptual")
        let names = ["reference", "estimate"].flatMap { side in (0..<3).map { "\(side).\($0)" } }
        let arrays = try names.map { try fixture.array($0) }
        let mask = try fixture.array("lengths").values(as: Int32.self).flatMap { length in
            (0..<6).map { $0 < 6 - Int(length) ? Float(0) : 1 }
        }
        let weights = prefix.isEmpty ? Tensor.constant(HostArray(mask, shape: [2, 6, 1])) : nil
        for backend in TestBackends.all {
            let graph = Graph(arrays.map(\.type)) { inputs in
                let loss = PerceptualLoss.distance(Array(inputs[..<3]), Array(inputs[3...]), weights: weights)
                return [loss] + gradient(of: loss, at: inputs)
            }
            let results = try backend.run(graph, arrays)
            expectClose(results[0], try fixture.array("\(prefix)loss"), relative: 1e-9, absolute: 0)
            for layer in 0..<3 {
                #expect(results[1 + layer].doubles.allSatisfy { $0 == 0 }, "the reference is moved")
                expectClose(
                    results[4 + layer], try fixture.array("\(prefix)gradient.\(layer)"), relative: 1e-9,
                    absolute: 1e-15,
                    "\(backend.name), layer \(layer)")
            }
        }
    }

    @Test func equalSoundsAreNoDistanceApartAndOthersAre() throws {
        let loss = PerceptualLoss(model: try Alpha(configuration))
        let (tensors, arrays) = values(loss.model.encoder)
        var random = TestRandom(seed: 7)
        let (x, y) = (random.array([2, 64], .f32), random.array([2, 64], .f32))
        let inputs = [Tensor.input(x.type, name: "x"), Tensor.input(y.type, name: "y")]
        let results = try TestBackends.reference.run(
            Graph(inputs: inputs + tensors, outputs: [loss(inputs[0], inputs[0]), loss(inputs[0], inputs[1])]),
            [x, y] + arrays)
        #expect(results[0].doubles[0] == 0)
        #expect(results[1].doubles[0] > 0.1)
    }

    @Test func onlyTheEstimateIsMoved() throws {
        let loss = PerceptualLoss(model: try Alpha(configuration))
        let (tensors, arrays) = values(loss.model.encoder)
        var random = TestRandom(seed: 7)
        let (x, y) = (random.array([1, 32], .f32), random.array([1, 32], .f32))
        let inputs = [Tensor.input(x.type, name: "x"), Tensor.input(y.type, name: "y")]
        let results = try TestBackends.reference.run(
            Graph(inputs: inputs + tensors, outputs: gradient(of: loss(inputs[0], inputs[1]), at: inputs)),
            [x, y] + arrays)
        #expect(results[0].doubles.allSatisfy { $0 == 0 })
        #expect(results[1].doubles.contains { $0 != 0 })
    }

    @Test func paddingChangesNothing() throws {
        let loss = PerceptualLoss(model: try Alpha(configuration))
        let (tensors, arrays) = values(loss.model.encoder)
        var random = TestRandom(seed: 7)
        let (x, y) = (random.array([1, 32], .f32), random.array([1, 32], .f32))
        let inputs = [Tensor.input(x.type, name: "x"), Tensor.input(y.type, name: "y")]
        let padded = inputs.map { $0.padded(axis: 1, low: 16, high: 0, value: 0.7) }
        // The model in training may have longer frames than the one that listens.
        for hop in [8, 16] {
            let masks = Masks(lengths: .constant(HostArray([32] as [Int32])), sampleCount: 48, hop: hop)
            let results = try TestBackends.reference.run(
                Graph(
                    inputs: inputs + tensors,
                    outputs: [loss(inputs[0], inputs[1]), loss(padded[0], padded[1], masks: masks)]), [x, y] + arrays)
            expectClose(results[1], results[0], relative: 1e-5, absolute: 1e-6)
        }
    }
}
