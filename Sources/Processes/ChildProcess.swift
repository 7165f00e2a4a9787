import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A program run to its end, with files as its input and outputs: neither side can wait for the other to empty a pipe.
///
/// Foundation's `Process` would bring 40 MB of ICU's tables into a static program.
public struct ChildProcess {
    public enum End: Hashable, Sendable {
        case exited(Int32)
        case killed(signal: Int32)
        /// It was given up, killed and waited for.
        case timedOut
    }

    public enum Failure: Error, Hashable {
        /// The system could not start the program, or not say how it ended; an `errno` value.
        case system(code: Int32)
        /// Its input and outputs have no place.
        case temporaryFiles(folder: String, reason: String)

        public var reason: String {
            switch self {
            case .system(let code): String(cString: strerror(code))
            case .temporaryFiles(let folder, let reason): "\(folder): no temporary files can be made there: \(reason)"
            }
        }
    }

    /// How a program ended, and all that it wrote.
    public struct Outcome: Sendable {
        public let end: End
        public let output: String
        public let errors: String
    }

    var path: String
    var arguments: [String]
    /// The file that is standard input.
    var input: String
    /// Made, for its user alone, and written; must not exist yet.
    var output: String
    var errors: String

    /// Runs a program in this process's folder and environment; its files are temporary ones.
    ///
    /// - Parameters:
    ///   - input: what it reads from standard input.
    ///   - timeout: seconds that it may take.
    public static func run(
        _ path: String, _ arguments: [String], input: String, timeout: Double
    ) throws(Failure) -> Outcome {
        let manager = FileManager.default
        let folder = manager.temporaryDirectory.appending(path: "allophone-\(UUID().uuidString)")
        defer { try? manager.removeItem(at: folder) }
        do {
            try manager.createDirectory(
                at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            try Data(input.utf8).write(to: folder.appending(path: "input"))
        } catch { throw .temporaryFiles(folder: manager.temporaryDirectory.path, reason: "\(error)") }
        func file(_ name: String) -> String { folder.appending(path: name).path }
        func text(_ name: String) -> String {
            String(decoding: manager.contents(atPath: file(name)) ?? Data(), as: UTF8.self)
        }
        let process = ChildProcess(
            path: path, arguments: arguments, input: file("input"), output: file("output"), errors: file("errors"))
        let end = try process.run(timeout: timeout)
        return Outcome(end: end, output: text("output"), errors: text("errors"))
    }

    /// - Parameter timeout: seconds that the program may take.
    func run(timeout: Double) throws(Failure) -> End {
        let child = try start()
        let deadline = ContinuousClock.now + .seconds(timeout)
        var pause: UInt32 = 500
        while true {
            if let status = try Self.reap(child, options: WNOHANG) { return Self.end(status) }
            if ContinuousClock.now >= deadline {
                kill(child, SIGKILL)
                while try Self.reap(child, options: 0) == nil {}
                return .timedOut
            }
            // POSIX has no wait with a time limit. In microseconds: short for a short run, at most 20 ms late for a long one.
            usleep(pause)
            pause = min(pause * 2, 20_000)
        }
    }

    /// A program that ignores SIGCHLD, as it does where the one that started it did, is not told how its children end: the system
    /// keeps nothing to ask for. Any other disposition is the program's own affair.
    private static func keepEndsOfChildren() {
        var action = sigaction()
        sigaction(SIGCHLD, nil, &action)
        #if canImport(Glibc)
            let handler = action.__sigaction_handler.sa_handler
        #elseif canImport(Musl)
            let handler = action.__sa_handler.sa_handler
        #else
            let handler = action.__sigaction_u.__sa_handler
        #endif
        if unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) { signal(SIGCHLD, SIG_DFL) }
    }

    private func start() throws(Failure) -> pid_t {
        Self.keepEndsOfChildren()
        #if canImport(Darwin)
            var files: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var files = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&files)
        defer { posix_spawn_file_actions_destroy(&files) }
        posix_spawn_file_actions_addopen(&files, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&files, 1, output, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        posix_spawn_file_actions_addopen(&files, 2, errors, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // In a group of its own: Ctrl-C is for the program that asked, which may want to end in order. And with no signal
        // blocked, as all are on Swift's shared threads, or ignored, as those are that a program waits for in a way of its own.
        var blocked = sigset_t()
        sigemptyset(&blocked)
        posix_spawnattr_setsigmask(&attributes, &blocked)
        var heard = sigset_t()
        sigemptyset(&heard)
        for number in [SIGINT, SIGTERM, SIGPIPE, SIGXFSZ] { sigaddset(&heard, number) }
        posix_spawnattr_setsigdefault(&attributes, &heard)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, path, &files, &attributes, &words, environ)
        guard code == 0 else { throw .system(code: code) }
        Self.running.withLock { _ = $0.insert(child) }
        return child
    }

    private static let running = Mutex<Set<pid_t>>([])

    /// Kills all that run, for a program that ends at once: nobody would wait for them.
    public static func killAll() {
        running.withLock { for child in $0 { kill(child, SIGKILL) } }
    }

    /// Its status, once it has ended. Its number is another program's to have from then on.
    private static func reap(_ child: pid_t, options: Int32) throws(Failure) -> Int32? {
        try running.withLock { running throws(Failure) in
            var status: Int32 = 0
            let ended = waitpid(child, &status, options)
            if ended == -1 && errno == EINTR || ended == 0 { return nil }
            running.remove(child)
            guard ended == child else { throw .system(code: errno) }
            return status
        }
    }

    /// By the macros of `sys/wait.h`, which Swift does not see.
    private static func end(_ status: Int32) -> End {
        let signal = status & 0x7F
        return signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal)
    }
}
