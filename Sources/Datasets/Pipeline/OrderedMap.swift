import Threads

/// Applies a function to a sequence on several threads, ahead of who asks, and gives the results in the sequence's order.
///
/// At most `depth` results wait, or less where they are heavy: then threads pause.
final class OrderedMap<Input, Output: Sendable> {
    private let shared: Shared

    /// - Parameters:
    ///   - weightLimit: threads pause while the waiting results weigh more.
    ///   - draw: gives the next input, or nil at the end. Called by one thread at a time, and by nobody else.
    ///   - transform: called by several threads at a time.
    init(
        threads: Int, depth: Int, weightLimit: Int, weight: @escaping @Sendable (Output) -> Int,
        draw: @escaping () -> Input?, transform: @escaping @Sendable (Input) -> Output
    ) {
        shared = Shared(
            depth: max(depth, threads), weightLimit: weightLimit, weight: weight, draw: draw, transform: transform)
        let started = (0..<threads).filter { number in
            // The decoders of libsndfile take much of a stack.
            startThread(name: "decode.\(number)", stackSize: 4 << 20) { [shared] in shared.work() }
        }
        precondition(threads == 0 || !started.isEmpty, "no thread can be started, and the program could only hang")
    }

    deinit { shared.stop() }

    /// Waits for the next result; nil after the last.
    func next() -> Output? { shared.next() }

    /// `draw` is called under `drawing` alone, and everything else that changes is read and written under `condition`.
    private final class Shared: @unchecked Sendable {
        private let depth: Int
        private let weightLimit: Int
        private let weight: @Sendable (Output) -> Int
        private let draw: () -> Input?
        private let transform: @Sendable (Input) -> Output

        private let drawing = Monitor()
        private let condition = Monitor()
        private var started = 0
        private var consumed = 0
        private var waiting = 0
        private var results: [Int: Output] = [:]
        private var end: Int?
        private var isStopped = false

        init(
            depth: Int, weightLimit: Int, weight: @escaping @Sendable (Output) -> Int, draw: @escaping () -> Input?,
            transform: @escaping @Sendable (Input) -> Output
        ) {
            self.depth = depth
            self.weightLimit = weightLimit
            self.weight = weight
            self.draw = draw
            self.transform = transform
        }

        func work() {
            while let (number, input) = begin() {
                let output = transform(input)
                condition.withLock {
                    results[number] = output
                    waiting += weight(output)
                    condition.broadcast()
                }
            }
        }

        /// The next input and its number; nil at the end.
        private func begin() -> (Int, Input)? {
            drawing.withLock {
                let number: Int? = condition.withLock {
                    // The result that is asked for next is always on its way.
                    while !isStopped && end == nil
                        && (started - consumed >= depth || (waiting > weightLimit && started > consumed))
                    {
                        condition.wait()
                    }
                    return isStopped || end != nil ? nil : started
                }
                guard let number else { return nil }
                let input = draw()
                return condition.withLock {
                    guard let input else {
                        end = number
                        condition.broadcast()
                        return nil
                    }
                    started = number + 1
                    return (number, input)
                }
            }
        }

        func next() -> Output? {
            condition.withLock {
                while true {
                    if let output = results.removeValue(forKey: consumed) {
                        consumed += 1
                        waiting -= weight(output)
                        condition.broadcast()
                        return output
                    }
                    if let end, consumed >= end { return nil }
                    condition.wait()
                }
            }
        }

        func stop() {
            condition.withLock {
                isStopped = true
                condition.broadcast()
            }
        }
    }
}
