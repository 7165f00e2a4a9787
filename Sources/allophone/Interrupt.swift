import Checkpoint
import Dispatch
import Processes
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Whether Ctrl-C or a polite kill has been asked for, or the terminal has gone, so that a command can leave things whole; a
/// second one ends the process at once.
struct Interrupt: Sendable {
    private static let received = Atomic<Int32>(0)
    /// Of the whole process: a second source of a signal that had one before is told nothing.
    nonisolated(unsafe) private static let sources: [any DispatchSourceSignal] = [SIGINT, SIGTERM, SIGHUP].compactMap {
        number in
        let before = signal(number, SIG_IGN)
        // `nohup` has it ignored, to outlive the terminal.
        if number == SIGHUP && unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) {
            return nil
        }
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler {
            if received.exchange(number, ordering: .relaxed) != 0 {
                ChildProcess.killAll()
                exit(128 + number)
            }
        }
        // Until then a signal would be lost.
        let isListening = DispatchSemaphore(value: 0)
        source.setRegistrationHandler { isListening.signal() }
        source.resume()
        isListening.wait()
        return source
    }

    /// From now on signals are heard and do not end the process.
    init() { _ = Self.sources }

    var isSet: Bool { Self.received.load(ordering: .relaxed) != 0 }

    /// - Throws: `CommandError.interrupted` once a signal has come.
    func check() throws(CommandError) {
        let signal = Self.received.load(ordering: .relaxed)
        if signal != 0 { throw .interrupted(signal: signal) }
    }

    /// What `body` gives; what it fails for once a signal has come, such as an input's sudden end, is the signal's doing.
    func orFailure<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            try check()
            throw error
        }
    }
}

/// Has standard input end once `interrupt` is set, for libraries that wait for what arrives and ask nobody. It waits for what
/// arrives, too, where those who share the descriptor have it not wait.
///
/// - Throws: `FileError` where there is no pipe to be had.
func endStandardInput(on interrupt: Interrupt) throws(FileError) {
    var status = stat()
    // A file has all of it there.
    guard fstat(STDIN_FILENO, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return }
    var ends: [Int32] = [0, 0]
    let source = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
    guard source >= 0, pipe(&ends) == 0, dup2(ends[0], STDIN_FILENO) >= 0 else {
        throw FileError(path: "standard input", action: .open, code: errno)
    }
    close(ends[0])
    let sink = ends[1]
    _ = fcntl(sink, F_SETFD, FD_CLOEXEC)
    DispatchQueue(label: "standard input").async {
        relay(from: source, to: sink) { interrupt.isSet }
        close(sink)
    }
}

private func relay(from source: Int32, to sink: Int32, until isOver: () -> Bool) {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while !isOver() {
        var request = pollfd(fd: source, events: Int16(POLLIN), revents: 0)
        guard poll(&request, 1, 100) > 0 else { continue }
        let count = read(source, &buffer, buffer.count)
        if count < 0 && (errno == EAGAIN || errno == EINTR) { continue }
        guard count > 0 else { return }
        var written = 0
        while written < count {
            let result = buffer.withUnsafeBytes { write(sink, $0.baseAddress! + written, count - written) }
            if result < 0 && errno != EINTR { return }
            written += max(result, 0)
        }
    }
}
