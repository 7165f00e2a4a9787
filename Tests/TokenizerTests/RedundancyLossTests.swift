import Tensor
import TestSupport
import Testing
import Tokenizer

@Suite struct RedundancyLossTests {
    private func evaluate(_ bits: [Float], frames: Int, count: Int) throws -> Double {
        let x = Tensor.constant(HostArray(bits, shape: [1, frames, count]))
        return try TestBackends.reference.run(Graph(inputs: [], outputs: [redundancyLoss(x)]), [])[0].doubles[0]
    }

    /// Against PyTorch and plain loops (`Tests/Oracles/tokenizer_redundancy.py`).
    @Test func theLossAndItsGradientAreTheOracles() throws {
        let fixture = try Fixture("tokenizer_redundancy")
        let arrays = try ["x", "mask"].map { try fixture.array($0) }
        let inputs = arrays.map { Tensor.input($0.type, name: "input") }
        let value = redundancyLoss(inputs[0], mask: inputs[1])
        let graph = Graph(inputs: inputs, outputs: [value] + gradient(of: value, at: [inputs[0]]))
        for backend in TestBackends.all {
            let results = try backend.run(graph, arrays)
            expectClose(results[0].converted(to: .f64), try fixture.array("loss"), relative: 1e-5, absolute: 0)
            expectClose(results[1], try fixture.array("gradient"), relative: 1e-4, absolute: 1e-6)
        }
    }

    @Test func bitsThatAreOneTellMost() throws {
        // A bit that changes once in a hundred frames, five times.
        let slow = (0..<1000).flatMap { [Float](repeating: $0 / 100 % 2 == 0 ? 1 : -1, count: 5) }
        let most = try evaluate(slow, frames: 1000, count: 5)
        #expect(most > 8.8 && most < 9, "\(most)")
    }

    @Test func bitsThatAreDrawnTellLittle() throws {
        var random = TestRandom(seed: 4)
        let drawn = (0..<5000).map { _ in Float(random.next() < 0 ? -1 : 1) }
        let little = try evaluate(drawn, frames: 1000, count: 5)
        #expect(little > 0 && little < 3 * 9 / 1000, "\(little)")
    }

    @Test func bitsThatNeverChangeHaveNoGradientThatIsNotFinite() throws {
        let x = Tensor.constant(HostArray(repeating: 1, type: TensorType(.f32, [2, 7, 3])))
        let value = redundancyLoss(x)
        for result in try TestBackends.xla.run(Graph(inputs: [], outputs: [value] + gradient(of: value, at: [x])), []) {
            #expect(result.doubles.allSatisfy { $0 == 0 })
        }
    }
}
