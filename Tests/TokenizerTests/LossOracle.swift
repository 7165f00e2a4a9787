import Tensor
import TestSupport
import Testing
import Tokenizer

/// Compares a loss of padded sounds, with a bandwidth and without, and its gradient with a fixture's: `x` and `y` `[batch, samples]`, `lengths`,
/// `bandwidth`, `loss`, `limited` and `gradient`, that at `y` of the loss without a bandwidth.
func expectOracle(_ fixture: Fixture, _ loss: (Tensor, Tensor, Masks, Tensor?) -> Tensor) throws {
    let arrays = try ["x", "y", "lengths", "bandwidth"].map { try fixture.array($0) }
    let inputs = arrays.map { Tensor.input($0.type, name: "input") }
    let masks = Masks(lengths: inputs[2], sampleCount: arrays[0].shape[1], hop: 480)
    let whole = loss(inputs[0], inputs[1], masks, nil)
    let limited = loss(inputs[0], inputs[1], masks, inputs[3])
    let graph = Graph(inputs: inputs, outputs: [whole, limited] + gradient(of: whole, at: [inputs[1]]))
    let results = try TestBackends.xla.run(graph, arrays)
    expectClose(results[0].converted(to: .f64), try fixture.array("loss"), relative: 1e-4, absolute: 0)
    expectClose(results[1].converted(to: .f64), try fixture.array("limited"), relative: 1e-4, absolute: 0)
    let slope = try fixture.array("gradient")
    let scale = slope.doubles.map(abs).max() ?? 0
    expectClose(results[2], slope, relative: 1e-2, absolute: 1e-3 * scale)
}

/// That a loss of two silences, and its gradient, are no further from 0 than `tolerance`.
func expectSilenceCostsNothing(within tolerance: Double, _ loss: (Tensor, Tensor) -> Tensor) throws {
    let silence = HostArray(repeating: 0, type: TensorType(.f32, [2, 4800]))
    let (x, y) = (Tensor.input(silence.type, name: "x"), Tensor.input(silence.type, name: "y"))
    let value = loss(x, y)
    let graph = Graph(inputs: [x, y], outputs: [value] + gradient(of: value, at: [y]))
    for result in try TestBackends.xla.run(graph, [silence, silence]) {
        #expect(result.doubles.allSatisfy { abs($0) <= tolerance })
    }
}
