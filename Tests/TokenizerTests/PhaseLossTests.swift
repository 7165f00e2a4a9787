import Tensor
import TestSupport
import Testing
import Tokenizer

/// Against torch.stft and plain loops over frames (`Tests/Oracles/tokenizer_phase.py`).
@Suite struct PhaseLossTests {
    private let fixture: Fixture
    private let loss = PhaseLoss(sampleRate: 24000)

    init() throws { fixture = try Fixture("tokenizer_phase") }

    @Test func theLossAndItsGradientAreTheOracles() throws {
        let arrays = try ["x", "y", "lengths"].map { try fixture.array($0) }
        let inputs = arrays.map { Tensor.input($0.type, name: "input") }
        let value = loss(inputs[0], inputs[1], masks: Masks(lengths: inputs[2], sampleCount: 9600, hop: 480))
        let graph = Graph(inputs: inputs, outputs: [value] + gradient(of: value, at: [inputs[1]]))
        let results = try TestBackends.xla.run(graph, arrays)
        expectClose(results[0].converted(to: .f64), try fixture.array("loss"), relative: 1e-4, absolute: 0)
        let slope = try fixture.array("gradient")
        let scale = slope.doubles.map(abs).max() ?? 0
        expectClose(results[1], slope, relative: 1e-3, absolute: 1e-4 * scale)
    }

    @Test func aVoiceIsFurtherTheLaterItIs() throws {
        let voices = try fixture.array("voices")
        let (x, y) = (
            Tensor.input(TensorType(.f32, [1, 6000]), name: "x"), Tensor.input(TensorType(.f32, [1, 6000]), name: "y")
        )
        func voice(_ index: Int) -> HostArray {
            HostArray(voices.doubles[index * 6000..<(index + 1) * 6000].map { Float($0) }, shape: [1, 6000])
        }
        let graph = Graph(inputs: [x, y], outputs: [loss(x, y)])
        let values = try (0..<4).map { try TestBackends.xla.run(graph, [voice(0), voice($0)])[0].doubles[0] }
        expectClose(HostArray(values), try fixture.array("shifted"), relative: 1e-4, absolute: 1e-4)
    }

    @Test func silenceHasNoLossAndNoGradient() throws {
        try expectSilenceCostsNothing(within: 0) { loss($0, $1) }
    }
}
