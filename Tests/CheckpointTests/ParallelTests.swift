import Testing

@testable import Checkpoint

@Suite struct ParallelTests {
    private struct Failure: Error, Equatable { let element: Int }

    @Test func resultsStandInTheOrderOfTheElements() {
        #expect(inParallel(Array(0..<1000)) { $0 * $0 } == (0..<1000).map { $0 * $0 })
        #expect(inParallel([Int]()) { $0 } == [])
    }

    @Test func theFirstErrorInOrderIsThrown() {
        #expect(throws: Failure(element: 30)) {
            _ = try inParallel(Array(0..<100)) { element in
                if element >= 30 { throw Failure(element: element) }
                return element
            }
        }
    }
}
