import Foundation
import Tensor
import TestSupport
import Testing
import Tokenizer

/// Against torch.stft and PESQ (`Tests/Oracles/tokenizer_disturbance.py`).
@Suite struct DisturbanceLossTests {
    private let fixture: Fixture
    private let loss = DisturbanceLoss(sampleRate: 24000)

    init() throws { fixture = try Fixture("tokenizer_disturbance") }

    @Test func theLossAndItsGradientAreTheOracles() throws {
        try expectOracle(fixture) { loss($0, $1, masks: $2, bandwidth: $3) }
    }

    /// PESQ-WB of 2.6, 1.5 and 1.1: P.862.2 maps 4.5 less what disturbs to it, in which alignments and a ceiling for each frame are left out here.
    @Test func itPutsNoiseAboutWherePESQDoes() throws {
        let voice = Tensor.constant(try fixture.array("voice"))
        let degraded = Tensor.constant(try fixture.array("degraded"))
        let values = try TestBackends.xla.run(
            Graph(inputs: [], outputs: (0..<3).map { loss(voice, degraded.slice(0, $0, $0 + 1)) }), [])
        let mapped = values.map { 0.999 + 4 / (1 + exp(3.8224 - 1.3669 * (4.5 - $0.doubles[0]))) }
        for (value, score) in zip(mapped, try fixture.array("pesq").doubles) {
            #expect(abs(value - score) < 0.9, "\(value) of \(score)")
        }
        #expect(mapped[0] > mapped[1] + 1 && mapped[1] > mapped[2], "\(mapped)")
    }

    /// What is added costs more than what is missing, and a whisper in a pause next to nothing.
    @Test func addedSoundCountsMore() throws {
        let x = Tensor.constant(try fixture.array("voice"))
        let noise = Tensor.constant(try fixture.array("degraded")).slice(0, 1, 2) - x
        let values = try TestBackends.xla.run(
            Graph(
                inputs: [],
                outputs: [
                    loss(x, x), loss(x + noise, x), loss(x, x + noise), loss(noise * 1e-3, noise * 1e-3 + noise * 3e-5),
                ]), []
        ).map { $0.doubles[0] }
        #expect(values[0] < 2e-3)
        #expect(values[1] * 2 < values[2], "\(values)")
        #expect(values[3] < 0.05, "\(values)")
    }

    @Test func silenceHasNoLossAndFiniteGradients() throws {
        try expectSilenceCostsNothing(within: 2e-3) { loss($0, $1) }
    }
}
