internal import CKernels
internal import Synchronization
internal import Threads

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A few threads that share the steps of one run.
///
/// Between steps a worker spins, as waking a thread costs more than many steps take; left without work for a while, it sleeps. So
/// does the caller that has waited for a worker as long. On a machine with other work a worker may have lost its core, so who
/// spins offers its own every now and then. The processor's own hint that a thread spins is no help: a virtual machine may
/// be left for each.
public final class WorkerPool: Sendable {
    /// How many share the work, the calling thread included.
    public let width: Int
    private let shared: Shared
    private let isClaimed = Atomic<Bool>(false)
    /// Where the workers are: a child that is forked has none of them.
    private let process = getpid()

    /// - Parameter width: how many threads share the work, the caller's included; fewer do where the system has no more to give.
    public init(width: Int) {
        let shared = Shared()
        let started = (1..<max(1, width)).prefix { index in
            startThread(name: "allophone.native.\(index)", stackSize: 1 << 20) { shared.work(as: index) }
        }
        self.width = 1 + started.count
        self.shared = shared
    }

    deinit {
        // A child has none to stop, and its copy of their lock may be held for ever.
        if process == getpid() { shared.stop() }
    }

    /// Takes the workers for a run, which serve one at a time.
    ///
    /// - Returns: false if another run has them, or in a child that was forked since they were started.
    public func claim() -> Bool {
        // Asking takes less than a thousandth of a run, and a handler of `pthread_atfork` would need a list of all pools.
        process == getpid()
            && isClaimed.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    }

    /// Gives the workers back.
    public func release() { isClaimed.store(false, ordering: .releasing) }

    /// Runs `body` once for each part `0 ..< width`, part 0 on this thread, and returns when all have ended.
    ///
    /// One caller at a time: whoever has claimed the workers, or alone knows of them.
    public func run(_ body: (_ part: Int) -> Void) {
        if width == 1 { return body(0) }
        withoutActuallyEscaping(body) { body in
            shared.begin(body, workers: width - 1)
            body(0)
            shared.waitForWorkers()
        }
    }

    /// What the workers see. `@unchecked Sendable`: `job` is written before the generation that announces it is published,
    /// and read only after that generation has been seen; it is cleared once no worker is at it.
    private final class Shared: @unchecked Sendable {
        private let generation = Atomic<Int>(0)
        private let running = Atomic<Int>(0)
        private let sleepers = Atomic<Int>(0)
        private let callerSleeps = Atomic<Bool>(false)
        private let isStopped = Atomic<Bool>(false)
        private var job: ((Int) -> Void)?
        private let monitor = Monitor()
        /// Half a millisecond on a core of its own.
        private static let spins = 160_000
        private static let spinsBeforeYield = 4000

        /// - Returns: false when it has gone on for long enough.
        @inline(__always)
        private func spin(until isDone: () -> Bool) -> Bool {
            for _ in 0..<Self.spins / Self.spinsBeforeYield {
                for _ in 0..<Self.spinsBeforeYield where isDone() { return true }
                yieldProcessor()
            }
            return isDone()
        }

        func begin(_ body: @escaping (Int) -> Void, workers: Int) {
            job = body
            running.store(workers, ordering: .relaxed)
            generation.add(1, ordering: .sequentiallyConsistent)
            wakeSleepers()
        }

        func waitForWorkers() {
            if !spin(until: { running.load(ordering: .acquiring) == 0 }) { sleepUntilWorkersEnd() }
            job = nil
        }

        private func sleepUntilWorkersEnd() {
            monitor.withLock {
                callerSleeps.store(true, ordering: .sequentiallyConsistent)
                while running.load(ordering: .sequentiallyConsistent) > 0 { monitor.wait() }
                callerSleeps.store(false, ordering: .relaxed)
            }
        }

        func stop() {
            isStopped.store(true, ordering: .sequentiallyConsistent)
            generation.add(1, ordering: .sequentiallyConsistent)
            wakeSleepers()
        }

        func work(as index: Int) {
            // As the thread that gives the work.
            _ = ck_flush_denormals()
            var seen = 0
            while true {
                waitForGeneration(after: seen)
                seen = generation.load(ordering: .acquiring)
                if isStopped.load(ordering: .relaxed) { return }
                job?(index)
                let left = running.subtract(1, ordering: .sequentiallyConsistent).newValue
                if left == 0 && callerSleeps.load(ordering: .sequentiallyConsistent) { wakeAll() }
            }
        }

        private func waitForGeneration(after seen: Int) {
            if spin(until: { generation.load(ordering: .acquiring) != seen }) { return }
            monitor.withLock {
                sleepers.add(1, ordering: .sequentiallyConsistent)
                while generation.load(ordering: .sequentiallyConsistent) == seen { monitor.wait() }
                sleepers.subtract(1, ordering: .sequentiallyConsistent)
            }
        }

        private func wakeSleepers() {
            if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wakeAll() }
        }

        private func wakeAll() { monitor.withLock { monitor.broadcast() } }
    }
}
