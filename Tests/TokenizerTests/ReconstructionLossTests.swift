import Foundation
import Tensor
import TestSupport
import Testing
import Tokenizer

/// The losses alone, against librosa's filter banks and JAX's transforms (`Tests/Oracles/alpha_parity.py`).
@Suite struct ReconstructionLossTests {
    /// What each loss of `reconstruction` is, and its gradient, in f64: a small magnitude's logarithm has a gradient that f32
    /// computes to three digits, in JAX too.
    @Test(arguments: ["mel", "stft"]) func valueAndGradientAgree(_ name: String) throws {
        let fixture = try Fixture("alpha_parity")
        let all = try fixture.array("audio")
        let estimate = try fixture.array("reconstruction").converted(to: .f64)
        let audio = HostArray(Array(all.doubles[..<estimate.count]), shape: estimate.shape)
        let inputs = [audio, estimate].map { Tensor.input($0.type, name: "signal") }
        let loss =
            name == "mel"
            ? MultiScaleMelLoss(sampleRate: 8000, windows: [64, 256], bands: [8, 20])(inputs[0], inputs[1])
            : MultiResolutionSTFTLoss(sampleRate: 8000)(inputs[0], inputs[1])
        let graph = Graph(inputs: inputs, outputs: [loss] + gradient(of: loss, at: [inputs[1]]))
        let results = try TestBackends.xla.run(graph, [audio, estimate])
        expectClose(
            results[0].converted(to: .f32), try fixture.array("loss.\(name)/value"), relative: 1e-6, absolute: 0)
        let slope = try fixture.array("loss.\(name)/gradient")
        let scale = slope.doubles.map(abs).max() ?? 0
        expectClose(results[1].converted(to: .f32), slope, relative: 1e-5, absolute: 1e-6 * scale)
    }

    @Test func equalSignalsHaveNoLoss() throws {
        var random = TestRandom(seed: 2)
        let x = Tensor.constant(random.array([1, 1100], .f32))
        for loss in [
            MultiScaleMelLoss(sampleRate: 8000, windows: [64], bands: [8])(x, x),
            MultiResolutionSTFTLoss(sampleRate: 8000, windows: [256])(x, x),
            waveformLoss(x, x),
        ] { #expect(try abs(TestBackends.xla.run(Graph(inputs: [], outputs: [loss]), [])[0].doubles[0]) < 1e-6) }
    }

    @Test func silenceHasFiniteGradients() throws {
        let silence = HostArray(repeating: 0, type: TensorType(.f32, [1, 1100]))
        let (x, y) = (Tensor.input(silence.type, name: "x"), Tensor.input(silence.type, name: "y"))
        let loss =
            MultiScaleMelLoss(sampleRate: 8000, windows: [64], bands: [8])(x, y)
            + MultiResolutionSTFTLoss(sampleRate: 8000, windows: [256])(x, y)
            + waveformLoss(x, y)
        let graph = Graph(inputs: [x, y], outputs: [loss] + gradient(of: loss, at: [x, y]))
        for result in try TestBackends.xla.run(graph, [silence, silence]) {
            #expect(result.doubles.allSatisfy { $0.isFinite })
        }
    }

    @Test func theWaveformLossIsTheMeanDifference() throws {
        let x = Tensor.constant([1, -2, 0.5, 4], .f32, shape: [2, 2])
        let y = Tensor.constant([0, -2, 1, 3], .f32, shape: [2, 2])
        #expect(try evaluate(waveformLoss(x, y)) == HostArray(Float(0.625)))
    }
}
