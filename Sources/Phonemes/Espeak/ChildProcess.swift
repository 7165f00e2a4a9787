#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A program run to its end, with files as its input and outputs: neither side can wait for the other to empty a pipe.
///
/// Foundation's `Process` would bring 40 MB of ICU's tables into a static program.
struct ChildProcess {
    enum End: Hashable {
        case exited(Int32)
        case killed(signal: Int32)
        /// It was given up, killed and waited for.
        case timedOut
    }

    /// The system could not start the program, or not say how it ended.
    struct Failure: Error {
        /// An `errno` value.
        let code: Int32
        var reason: String { String(cString: strerror(code)) }
    }

    var path: String
    var arguments: [String]
    /// The file that is standard input.
    var input: String
    /// Made, for its user alone, and written; must not exist yet.
    var output: String
    var errors: String

    /// - Parameter timeout: seconds that the program may take.
    func run(timeout: Double) throws(Failure) -> End {
        let child = try start()
        let deadline = ContinuousClock.now + .seconds(timeout)
        var status: Int32 = 0
        var pause: UInt32 = 500
        while true {
            let ended = waitpid(child, &status, WNOHANG)
            if ended == child { return Self.end(status) }
            if ended == -1, errno != EINTR { throw Failure(code: errno) }
            if ContinuousClock.now >= deadline {
                kill(child, SIGKILL)
                while waitpid(child, &status, 0) == -1 && errno == EINTR {}
                return .timedOut
            }
            // POSIX has no wait with a time limit. In microseconds: short for a short run, at most 20 ms late for a long one.
            usleep(pause)
            pause = min(pause * 2, 20_000)
        }
    }

    private func start() throws(Failure) -> pid_t {
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
        // blocked, as all are on Swift's shared threads.
        var blocked = sigset_t()
        sigemptyset(&blocked)
        posix_spawnattr_setsigmask(&attributes, &blocked)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, path, &files, &attributes, &words, environ)
        guard code == 0 else { throw Failure(code: code) }
        return child
    }

    /// By the macros of `sys/wait.h`, which Swift does not see.
    private static func end(_ status: Int32) -> End {
        let signal = status & 0x7F
        return signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal)
    }
}
