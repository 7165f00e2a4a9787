import Foundation
import Native
import Synchronization
import Tensor
import TestSupport
import Testing

@Suite struct PlannedExecutorTests {
    @Test func servesThreadsAtOnce() throws {
        let executor = PlannedExecutor(Plan.Options(threads: 2))
        var random = TestRandom(seed: 1)
        let x = HostArray((0..<96 * 96).map { _ in Float(random.next()) }, shape: [96, 96])
        let graph = Graph([x.type, x.type]) { [matmul(matmul($0[0], $0[1]), $0[1])] }
        let expected = try executor(graph, [x, x], constants: [1])
        let agreeing = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 200) { _ in
            if (try? executor(graph, [x, x], constants: [1])) == expected {
                agreeing.add(1, ordering: .relaxed)
            }
        }
        #expect(agreeing.load(ordering: .relaxed) == 200)
    }

    @Test func moreThreadsThanAPlanWasMadeForAreAMistake() async {
        await #expect(processExitsWith: .failure) {
            let x = Tensor.input(TensorType(.f32, [2]), name: "x")
            let plan = try SharedWeights([]).plan(Graph(inputs: [x], outputs: [x * 2]))
            _ = try plan([HostArray([1, 2] as [Float], shape: [2])], workers: WorkerPool(width: 2))
        }
    }
}
