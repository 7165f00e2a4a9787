#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A lock, and a condition to wait for under it (Hoare, "Monitors", 1974): what `Mutex` cannot do.
///
/// `@unchecked Sendable`: the system's lock and condition are made to be shared, and never move.
public final class Monitor: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    public init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` while no other thread is under the lock; not to be nested.
    public func withLock<Result>(_ body: () throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// Lets others under the lock until one of them broadcasts. It may return without that: what is waited for is looked at again.
    ///
    /// - Precondition: called under the lock.
    public func wait() { pthread_cond_wait(condition, mutex) }

    /// Wakes every thread that waits.
    public func broadcast() { pthread_cond_broadcast(condition) }
}
