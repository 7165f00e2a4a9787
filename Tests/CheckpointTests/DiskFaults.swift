import Checkpoint
import Glibc
import Synchronization

/// Runs `body` with the change to the disk of this index failing, and all others going through.
///
/// - Returns: Whether `body` failed by it.
func failing(at index: Int, with code: Int32, _ body: () throws -> Void) throws -> Bool {
    try interrupting(body) { $0 == index ? code : nil }
}

/// Runs `body` as a process would that is killed after `count` changes to the disk: nothing changes from then on, not
/// even to clean up.
func dying(after count: Int, _ body: () throws -> Void) throws -> Bool {
    try interrupting(body) { $0 >= count ? ECANCELED : nil }
}

private func interrupting(
    _ body: () throws -> Void, fault: @escaping @Sendable (_ index: Int) -> Int32?
) throws -> Bool {
    let counter = Counter()
    do {
        try Disk.$beforeChange.withValue({ action, path in
            fault(counter.next()).map { FileError(path: path, action: action, code: $0) }
        }) {
            try body()
        }
        return false
    } catch is FileError {
        return true
    }
}

final class Counter: Sendable {
    private let count = Mutex(0)

    /// 0, 1, 2, …
    func next() -> Int {
        count.withLock { count in
            count += 1
            return count - 1
        }
    }
}
