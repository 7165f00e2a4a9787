import Tensor
import TestSupport
import Testing
import Tokenizer

/// Against torch.stft and librosa's mel filters (`Tests/Oracles/tokenizer_loudness.py`).
@Suite struct LoudnessLossTests {
    private let fixture: Fixture
    private let loss = LoudnessLoss(sampleRate: 24000)

    init() throws { fixture = try Fixture("tokenizer_loudness") }

    @Test func theLossAndItsGradientAreTheOracles() throws {
        try expectOracle(fixture) { loss($0, $1, masks: $2, bandwidth: $3) }
    }

    /// A tenth of the level is a fifth of the loudness.
    @Test func itIsTheShareOfLoudnessThatIsOff() throws {
        let x = Tensor.constant(try fixture.array("x"))
        let values = try TestBackends.xla.run(
            Graph(inputs: [], outputs: [loss(x, x), loss(x, x * 0.1), loss(x, x * 0)]), [])
        #expect(abs(values[0].doubles[0]) < 1e-5)
        #expect(abs(values[1].doubles[0] - 0.8) < 0.01)
        #expect(abs(values[2].doubles[0] - 1) < 0.05)
    }

    @Test func silenceHasNoLossAndFiniteGradients() throws {
        try expectSilenceCostsNothing(within: 1e-4) { loss($0, $1) }
    }
}
