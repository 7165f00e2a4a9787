import Native
import Tensor
import TestSupport
import Testing

@Suite struct ReferenceEvaluatorTests {
    @Test func computesAMatrixProduct() throws {
        let x = HostArray([1, 2, 3, 4] as [Float], shape: [2, 2])
        let y = try evaluate([x, x]) { [matmul($0[0], $0[1])] }
        #expect(y[0] == HostArray([7, 10, 15, 22] as [Float], shape: [2, 2]))
    }

    @Test func gradientAgrees() throws {
        var random = TestRandom(seed: 1)
        try expectGradient(
            of: { matmul($0[0], $0[1]).tanh() }, at: [random.array([3, 4]), random.array([4, 2])])
    }
}
