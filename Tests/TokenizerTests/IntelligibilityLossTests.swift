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
        try expectOracle(fixture) { loss($0, $1, masks: $2, bandwidth: $3) }
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
