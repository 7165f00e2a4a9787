#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Holds a folder for one writer, as long as the value lives; the system lets go of it when the process ends in any way.
package final class FolderLock: Sendable {
    private let descriptor: Int32

    /// - Throws: `FileError` with `EWOULDBLOCK` when another writer holds the folder.
    package init(folder: String) throws(FileError) {
        let path = "\(folder)/.lock"
        descriptor = try Disk.check(.lock, path) { open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666) }
        try Disk.check(.lock, path) { flock(descriptor, LOCK_EX | LOCK_NB) }
    }

    // Not by closing alone: a child process that was forked meanwhile has the descriptor too.
    deinit {
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
