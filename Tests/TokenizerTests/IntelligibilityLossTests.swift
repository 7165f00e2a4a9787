import Tensor
import TestSupport
import Testing
import Tokenizer

/// Against torch.stft and plain loops over segments (`Tests/Oracles/tokenizer_intelligibility.py`), which pystoi agrees with.
@Suite struct IntelligibilityLossTests {
    private let fixture: Fixture
    private let loss = IntelligibilityLoss(sampleRate: 24000)

    init() throws { fixture = try Fixture("tokenizer_intelligibility") }

    @Test func theLossAndItsGradientAreTheOracles() throws {
        let arrays = try ["x", "y", "lengths", "bandwidth"].map { try fixture.array($0) }
        let inputs = arrays.map { Tensor.input($0.type, name: "input") }
        let masks = Masks(lengths: inputs[2], sampleCount: 12000, hop: 480)
        let whole = loss(inputs[0], inputs[1], masks: masks)
        let limited = loss(inputs[0], inputs[1], masks: masks, bandwidth: inputs[3])
        let graph = Graph(inputs: inputs, outputs: [whole, limited] + gradient(of: whole, at: [inputs[1]]))
        let results = try TestBackends.xla.run(graph, arrays)
        expectClose(results[0].converted(to: .f64), try fixture.array("loss"), relative: 1e-4, absolute: 0)
        expectClose(results[1].converted(to: .f64), try fixture.array("limited"), relative: 1e-4, absolute: 0)
        let slope = try fixture.array("gradient")
        let scale = slope.doubles.map(abs).max() ?? 0
        expectClose(results[2], slope, relative: 1e-2, absolute: 1e-3 * scale)
    }

    @Test func equalEnvelopesHaveNoLossWhateverTheirLevel() throws {
        let x = Tensor.constant(try fixture.array("x"))
        let value = try TestBackends.xla.run(Graph(inputs: [], outputs: [loss(x, x * 0.3)]), [])[0].doubles[0]
        #expect(abs(value) < 1e-3)
    }

    @Test func silenceAndShortClipsHaveNoLossAndFiniteGradients() throws {
        for count in [12000, 4800] {
            let silence = HostArray(repeating: 0, type: TensorType(.f32, [2, count]))
            let (x, y) = (Tensor.input(silence.type, name: "x"), Tensor.input(silence.type, name: "y"))
            let value = loss(x, y)
            let graph = Graph(inputs: [x, y], outputs: [value] + gradient(of: value, at: [y]))
            for result in try TestBackends.xla.run(graph, [silence, silence]) {
                #expect(result.doubles.allSatisfy { $0 == 0 })
            }
        }
    }
}
