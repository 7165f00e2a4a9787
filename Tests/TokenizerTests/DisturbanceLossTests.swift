import Tensor
import TestSupport
import Testing
import Tokenizer

/// Against torch.stft and plain sums over bins (`Tests/Oracles/tokenizer_disturbance.py`), which rank damage as PESQ does.
@Suite struct DisturbanceLossTests {
    private let fixture: Fixture
    private let loss = DisturbanceLoss(sampleRate: 24000)

    init() throws { fixture = try Fixture("tokenizer_disturbance") }

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

    /// A comb of 0.9 dB up and down, and one of 6 dB up and 20 down, which no gain of whole frames makes up for.
    @Test func whatIsUnderAQuarterOfALoudnessIsNotHeard() throws {
        let x = Tensor.constant(try fixture.array("x"))
        let late = x.padded(axis: 1, low: 8, high: 0).slice(1, 0, x.shape[1])
        let values = try TestBackends.xla.run(
            Graph(inputs: [], outputs: [loss(x, x + late * 0.1), loss(x, x + late * 0.9)]), [])
        #expect(values[0].doubles[0] < 0.02)
        #expect(values[1].doubles[0] > 0.5)
    }

    @Test func whatIsAddedCountsForMoreThanWhatIsMissing() throws {
        let (x, y) = (Tensor.constant(try fixture.array("x")), Tensor.constant(try fixture.array("y")))
        let more = x + (y - x) * 4
        let values = try TestBackends.xla.run(Graph(inputs: [], outputs: [loss(x, more), loss(more, x)]), [])
        #expect(values[0].doubles[0] > 1.2 * values[1].doubles[0])
    }

    @Test func silenceHasNoLossAndFiniteGradients() throws {
        let silence = HostArray(repeating: 0, type: TensorType(.f32, [2, 4800]))
        let (x, y) = (Tensor.input(silence.type, name: "x"), Tensor.input(silence.type, name: "y"))
        let value = loss(x, y)
        let graph = Graph(inputs: [x, y], outputs: [value] + gradient(of: value, at: [y]))
        let results = try TestBackends.xla.run(graph, [silence, silence])
        #expect(results[0].doubles[0] < 0.02)
        #expect(results[1].doubles.allSatisfy { $0 == 0 })
    }
}
