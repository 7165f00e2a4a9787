#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A file that appears under its name only when it is complete.
///
/// It is written beside its target under a hidden name and renamed by `commit`; if that is never reached, it is removed.
/// The first failed write is remembered, since the encoders that write through this class may not pass it on. A target
/// that is a device (`/dev/null`) is written in place.
final class OutputFile {
    let path: String
    private(set) var length = 0
    private(set) var failure: AudioError?
    var position = 0

    private var descriptor: Int32
    private let target: String
    /// Nil when the target is written in place.
    private let temporary: String?

    /// - Throws: ``AudioError``.
    init(path: String) throws {
        self.path = path
        // Renaming over a symbolic link would replace the link and leave its file as it was.
        let target = resolvingLinks(path)
        self.target = target

        var status = stat()
        let exists = stat(target, &status) == 0
        let kind = status.st_mode & S_IFMT
        if exists && kind == S_IFDIR { throw AudioError.writeFailed(path: path, reason: "it is a folder") }
        if exists && kind != S_IFREG {
            temporary = nil
            descriptor = open(target, O_WRONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw writeError(errno, path: path) }
            guard lseek(descriptor, 0, SEEK_CUR) >= 0 else {
                close(descriptor)
                throw AudioError.writeFailed(path: path, reason: "a sound file needs seeking, which a pipe cannot do")
            }
            return
        }
        let slash = target.lastIndex(of: "/").map { target.index(after: $0) } ?? target.startIndex
        let name =
            "\(target[..<slash]).\(Substring(target[slash...].unicodeScalars.prefix(40))).\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        temporary = name
        descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw writeError(errno, path: path) }
        // Who may read the file is as before.
        if exists { fchmod(descriptor, status.st_mode & 0o777) }
    }

    deinit { discard() }

    /// Writes at `position` and moves it; returns the count of bytes written, which is short after a failure.
    func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        var written = 0
        while failure == nil, written < bytes.count {
            let result = pwrite(
                descriptor, bytes.baseAddress! + written, bytes.count - written, off_t(position + written))
            if result > 0 {
                written += result
            } else if errno != EINTR {
                failure = writeError(errno, path: path)
            }
        }
        position += written
        length = max(length, position)
        return written
    }

    /// Makes the file durable and gives it its name.
    ///
    /// - Throws: the first failure of any write so far.
    func commit() throws {
        if let failure { throw failure }
        guard let temporary else {
            close(descriptor)
            descriptor = -1
            return
        }
        // Some file systems report a full disk only here.
        guard fsync(descriptor) == 0 else { throw writeError(errno, path: path) }
        let closed = close(descriptor)
        descriptor = -1
        guard closed == 0, rename(temporary, target) == 0 else {
            let code = errno
            unlink(temporary)
            throw writeError(code, path: path)
        }
        flushFolder()
    }

    /// Without it a rename may be lost with the power. Folders that cannot be flushed, of some network file systems, need not be.
    private func flushFolder() {
        let slash = target.lastIndex(of: "/").map { target.index(after: $0) } ?? target.startIndex
        let folder = slash == target.startIndex ? "." : String(target[..<slash])
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    /// Removes what was written, unless it has been committed.
    func discard() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
        if let temporary { unlink(temporary) }
    }
}

/// Where a link leads, be there a file yet or not.
private func resolvingLinks(_ path: String, depth: Int = 0) -> String {
    if let resolved = realpath(path, nil) {
        defer { free(resolved) }
        return String(cString: resolved)
    }
    var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = bytes.withUnsafeMutableBytes { readlink(path, $0.baseAddress!, $0.count) }
    // As many as the system itself follows.
    guard count > 0, depth < 40 else { return path }
    let target = String(decoding: bytes[..<count], as: UTF8.self)
    let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
    return resolvingLinks(target.hasPrefix("/") ? target : folder + target, depth: depth + 1)
}
