#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Runs `body` on a thread of its own: for work that blocks, spins or needs a stack of known size, and so has no place on Swift's
/// shared threads.
///
/// The thread is nobody's to wait for; it ends when `body` returns.
///
/// - Parameters:
///   - name: what debuggers and `top` call it; Linux shows the first 15 bytes.
///   - stackSize: in bytes.
/// - Returns: false where the system has no thread left to give, and `body` does not run.
@discardableResult
public func startThread(name: String, stackSize: Int, _ body: @escaping @Sendable () -> Void) -> Bool {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, max(stackSize, Int(PTHREAD_STACK_MIN)))
    let work = Unmanaged.passRetained(Work(name: name, body: body))
    #if canImport(Darwin)
        var thread: pthread_t?
    #else
        var thread = pthread_t()
    #endif
    if pthread_create(&thread, &attributes, entry, work.toOpaque()) == 0 { return true }
    work.release()
    return false
}

private final class Work: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

#if canImport(Darwin)
    private func entry(_ work: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? { run(work) }
#else
    private func entry(_ work: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? { work.flatMap(run) }
#endif

private func run(_ work: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    let work = Unmanaged<Work>.fromOpaque(work).takeRetainedValue()
    nameThread(work.name)
    work.body()
    return nil
}

private func nameThread(_ name: String) {
    #if canImport(Darwin)
        pthread_setname_np(name)
    #else
        // Swift does not see `pthread_setname_np`, a GNU extension. The kernel cuts a name that is too long.
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = write(file, name, name.utf8.count)
        close(file)
    #endif
}

/// Holds this thread up, whatever signals arrive meanwhile.
public func pause(seconds: Double) {
    let whole = max(0, seconds).rounded(.down)
    var asked = timespec(tv_sec: Int(whole), tv_nsec: Int((max(0, seconds) - whole) * 1e9))
    var rest = timespec()
    while nanosleep(&asked, &rest) == -1 && errno == EINTR { asked = rest }
}

/// Lets another thread that is ready have this processor; returns at once where there is none.
public func yieldProcessor() { sched_yield() }
