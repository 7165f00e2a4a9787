import Foundation
import Synchronization

/// Makes elements ahead of their use on a thread of its own, a bounded number of them.
public final class Prefetch<Element: Sendable>: Sendable {
    private struct State {
        var ready: [Result<Element, any Error>] = []
        var isStopped = false
    }

    private let state = Mutex(State())
    private let filled = DispatchSemaphore(value: 0)
    private let free = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - depth: how many elements to keep ready.
    ///   - start: the number of the first element.
    ///   - make: makes element `n`; the first error ends the sequence.
    public init(depth: Int = 4, start: Int, make: @escaping @Sendable (Int) throws -> Element) {
        // Counted up from 0: a semaphore freed below its first value traps.
        for _ in 0..<depth { free.signal() }
        let thread = Thread { [weak self, free] in
            var number = start
            while true {
                free.wait()
                guard let self, !self.state.withLock({ $0.isStopped }) else { return }
                let element = Result { try make(number) }
                self.state.withLock { $0.ready.append(element) }
                self.filled.signal()
                if case .failure = element { return }
                number += 1
            }
        }
        thread.name = "prefetch"
        thread.start()
    }

    deinit {
        // Wakes the thread so that it sees there is nobody to work for.
        free.signal()
    }

    /// Waits for the next element.
    public func next() throws -> Element {
        filled.wait()
        let element = state.withLock { $0.ready.removeFirst() }
        free.signal()
        if case .failure = element {
            // The thread has ended; whoever asks again gets the same answer.
            state.withLock { $0.ready.insert(element, at: 0) }
            filled.signal()
        }
        return try element.get()
    }
}
