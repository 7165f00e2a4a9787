import NN
import Tensor
import TestSupport
import Testing

@testable import Tokenizer

struct PerceptualLossTests {
    private let configuration = Alpha.Configuration(
        sampleRate: 8000, width: 2, strides: [2, 4], dilations: [1], latentDimension: 8,
        transformer: .init(layers: 1, heads: 2, window: 4), quantizer: [.bsq(bits: 4)])

    /// What `outputs` of the loss and of two random sounds, `[batch, samples]`, come to, with a random model that listens.
    private func results(
        _ batch: Int, _ samples: Int, _ outputs: (PerceptualLoss, _ x: Tensor, _ y: Tensor) -> [Tensor]
    ) throws -> [HostArray] {
        let loss = PerceptualLoss(model: try Alpha(configuration))
        var random = TestRandom(seed: 6)
        let parameters = loss.model.encoder.parameters.sorted { $0.key < $1.key }
        let values = parameters.map { random.array($0.value.shape, .f32) }
        var noise = TestRandom(seed: 7)
        let sounds = [noise.array([batch, samples], .f32), noise.array([batch, samples], .f32)]
        let inputs = sounds.map { Tensor.input($0.type, name: "sound") }
        return try TestBackends.reference.run(
            Graph(inputs: inputs + parameters.map(\.value.tensor), outputs: outputs(loss, inputs[0], inputs[1])),
            sounds + values)
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
        let results = try results(2, 64) { loss, x, y in [loss(x, x), loss(x, y)] }
        #expect(results[0].doubles[0] == 0)
        #expect(results[1].doubles[0] > 0.1)
    }

    @Test func onlyTheEstimateIsMoved() throws {
        let results = try results(1, 32) { loss, x, y in gradient(of: loss(x, y), at: [x, y]) }
        #expect(results[0].doubles.allSatisfy { $0 == 0 })
        #expect(results[1].doubles.contains { $0 != 0 })
    }

    @Test func paddingChangesNothing() throws {
        // The model in training may have longer frames than the one that listens.
        for hop in [8, 16] {
            let masks = Masks(lengths: .constant(HostArray([32] as [Int32])), sampleCount: 48, hop: hop)
            let results = try results(1, 32) { loss, x, y in
                let padded = [x, y].map { $0.padded(axis: 1, low: 16, high: 0, value: 0.7) }
                return [loss(x, y), loss(padded[0], padded[1], masks: masks)]
            }
            expectClose(results[1], results[0], relative: 1e-5, absolute: 1e-6)
        }
    }
}
