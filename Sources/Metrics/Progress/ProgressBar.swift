import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Shows how far a long task is: rate, time left and its latest metrics.
///
/// On a terminal one line is redrawn at most ten times a second; elsewhere a plain line appears every half minute, and
/// at the end. Any task may report.
public final class ProgressBar: Sendable {
    private struct State {
        var completed: Double
        var metrics: [(name: String, value: Double)] = []
        var rate: SmoothedRate
        var lastShown: Double?
        var isLineOpen = false
        var isFinished = false
    }

    private let label: String
    private let total: Double?
    private let unit: ProgressUnit
    private let output: ProgressOutput
    private let now: @Sendable () -> Double
    /// Where and when the task began.
    private let start: (completed: Double, time: Double)
    private let state: Mutex<State>

    /// `total` is in `unit`s; nil when nobody knows. `start` is where a resumed task begins, in `unit`s.
    public convenience init(
        _ label: String, total: Double?, unit: ProgressUnit, startingAt start: Double = 0,
        output: ProgressOutput = .standardError
    ) {
        let clock = ContinuousClock()
        let origin = clock.now
        self.init(label, total: total, unit: unit, startingAt: start, output: output) {
            let (seconds, attoseconds) = (clock.now - origin).components
            return Double(seconds) + Double(attoseconds) * 1e-18
        }
    }

    /// `now` gives seconds from any origin, never less than before.
    init(
        _ label: String, total: Double?, unit: ProgressUnit, startingAt start: Double = 0, output: ProgressOutput,
        now: @escaping @Sendable () -> Double
    ) {
        self.label = label
        self.total = total
        self.unit = unit
        self.output = output
        self.now = now
        let time = now()
        self.start = (start, time)
        state = Mutex(State(completed: start, rate: SmoothedRate(completed: start, time: time)))
    }

    deinit {
        // A task that threw leaves the terminal on a line of its own.
        state.withLock { if $0.isLineOpen { output.write("\n") } }
    }

    /// Reports that `completed` units are done in all. `metrics` replace those shown before, in their order.
    public func update(_ completed: Double, metrics: [(name: String, value: Double)] = []) {
        report(metrics) { $0 = completed }
    }

    /// Reports that `count` more units are done.
    public func advance(by count: Double = 1, metrics: [(name: String, value: Double)] = []) {
        report(metrics) { $0 += count }
    }

    /// Prints a line above the bar, such as a result of validation.
    public func note(_ line: String) {
        guard output.kind != .silent else { return }
        state.withLock { state in
            output.write(state.isLineOpen ? "\r\u{1B}[K\(line)\n" : "\(line)\n")
            if state.isLineOpen { show(&state) }
        }
    }

    /// Shows the final state and leaves the line. Later reports show nothing.
    public func finish() {
        state.withLock { state in
            guard !state.isFinished else { return }
            state.isFinished = true
            show(&state)
            if state.isLineOpen { output.write("\n") }
            state.isLineOpen = false
        }
    }

    private func report(_ metrics: [(name: String, value: Double)], _ change: (inout Double) -> Void) {
        guard output.kind != .silent else { return }
        let time = now()
        state.withLock { state in
            guard !state.isFinished else { return }
            change(&state.completed)
            if !metrics.isEmpty { state.metrics = metrics }
            state.rate.add(completed: state.completed, time: time)
            let isDue =
                switch (output.kind, state.lastShown) {
                case (.terminal, let last): last.map { time - $0 >= 0.1 } ?? true
                // The first plain line comes early, to say that the work has begun.
                case (_, nil): time - start.time >= 5
                case (_, let last?): time - last >= 30
                }
            if isDue {
                state.lastShown = time
                show(&state)
            }
        }
    }

    private func show(_ state: inout State) {
        let elapsed = now() - start.time
        let overall = elapsed > 0 ? (state.completed - start.completed) / elapsed : nil
        let line = ProgressLine(
            label: label, unit: unit, completed: state.completed, total: total,
            rate: state.isFinished ? overall : state.rate.value, elapsed: elapsed,
            metrics: state.metrics, isFinished: state.isFinished)
        switch output.kind {
        case .terminal:
            // One column stays free: a full line would wrap on some terminals.
            output.write("\r\(line.drawn(width: max(1, output.columns() - 1), style: output.style))\u{1B}[K")
            state.isLineOpen = true
        case .plain: output.write(line.plain() + "\n")
        case .silent: break
        }
    }
}

/// The rate over about the last ten seconds: an exponential average in time, so that a slow start is forgotten.
struct SmoothedRate {
    private static let memory = 10.0
    private let first: (completed: Double, time: Double)
    private var last: (completed: Double, time: Double)
    private var average = 0.0

    init(completed: Double, time: Double) {
        first = (completed, time)
        last = first
    }

    /// Units a second; nil before anything was done.
    var value: Double? {
        let age = last.time - first.time
        // The average starts at zero; dividing by the weight that it has seen takes that out again.
        return age > 0 && last.completed > first.completed ? average / (1 - decay(age)) : nil
    }

    mutating func add(completed: Double, time: Double) {
        let span = time - last.time
        // Reports in quick succession are taken together.
        guard span > 0.01 else { return }
        let kept = decay(span)
        average = average * kept + (completed - last.completed) / span * (1 - kept)
        last = (completed, time)
    }

    private func decay(_ span: Double) -> Double { exp(-span / Self.memory) }
}
