import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Whether Ctrl-C or a polite kill has been asked for, so that a command can leave things whole; a second one ends the
/// process at once.
final class Interrupt: Sendable {
    private let received = Atomic<Int32>(0)
    // Written only while being made; kept so that the handlers live.
    nonisolated(unsafe) private var sources: [any DispatchSourceSignal] = []

    var isSet: Bool { received.load(ordering: .relaxed) != 0 }

    /// - Throws: `CommandError.interrupted` once a signal has come.
    func check() throws(CommandError) {
        let signal = received.load(ordering: .relaxed)
        if signal != 0 { throw .interrupted(signal: signal) }
    }

    init() {
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [weak self] in
                guard let self else { return }
                if self.received.exchange(number, ordering: .relaxed) != 0 { exit(128 + number) }
            }
            source.resume()
            sources.append(source)
        }
    }
}
