#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The system calls on files, with errors as `FileError`.
///
/// Every call that changes the disk passes here, so that a test can fill the disk, or kill the process, before any one of
/// them and look at what is left.
package enum Disk {
    @TaskLocal package static var beforeChange: (@Sendable (FileError.Action, _ path: String) -> FileError?)?

    /// A new file, which must not exist yet, open for writing.
    static func create(_ path: String) throws(FileError) -> Int32 {
        try announce(.create, path)
        return try check(.create, path) { open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
    }

    /// A new folder, and the folders above it that are missing.
    package static func createFolder(_ path: String) throws(FileError) {
        if exists(path) { return }
        try createFolder(folder(of: path))
        try announce(.create, path)
        do {
            try check(.create, path) { mkdir(path, 0o777) }
        } catch  where error.code == EEXIST && isFolder(path) {
            // Somebody else made it since it was looked for, which is as good.
        }
    }

    /// Whether the path leads to anything.
    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Whether the path leads to a folder.
    package static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Whether it is a folder itself, and no link to one.
    private static func isFolderItself(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Writes all of `bytes`, at the end or at `offset`.
    static func write(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int? = nil, path: String
    ) throws(FileError) {
        var written = 0
        while written < bytes.count {
            try announce(.write, path)
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...].prefix(largestTransfer))
            written += try check(.write, path, ready: (descriptor, Int(POLLOUT))) {
                if let offset { return pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + written)) }
                return systemWrite(descriptor, rest.baseAddress, rest.count)
            }
        }
    }

    /// Waits until the file's bytes are on the disk.
    static func flush(_ descriptor: Int32, path: String) throws(FileError) {
        try announce(.flush, path)
        try check(.flush, path) { fsync(descriptor) }
    }

    /// Waits until the folder's entries are on the disk: without it a rename may be lost with the power.
    static func flushFolder(_ path: String) throws(FileError) {
        try announce(.flush, path)
        do {
            let descriptor = try check(.flush, path) { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
            defer { close(descriptor) }
            try check(.flush, path) { fsync(descriptor) }
        } catch  where error.code == EINVAL || error.code == EACCES {
            // Some network file systems cannot flush a folder and need not: their server orders it. And a folder that may be written
            // but not read cannot be opened to be flushed.
        }
    }

    /// Gives a file or folder another name, replacing a file of that name in one step.
    static func rename(_ old: String, to new: String) throws(FileError) {
        try announce(.rename, new)
        try check(.rename, new) { systemRename(old, new) }
    }

    package static func removeFile(_ path: String) throws(FileError) {
        try announce(.remove, path)
        try check(.remove, path) { unlink(path) }
    }

    /// Removes a folder with all it holds.
    package static func removeFolder(_ path: String) throws(FileError) {
        for entry in try entries(of: path).map({ "\(path)/\($0)" }) {
            if isFolderItself(entry) { try removeFolder(entry) } else { try removeFile(entry) }
        }
        try announce(.remove, path)
        try check(.remove, path) { rmdir(path) }
    }

    /// The names in a folder, sorted, without `.` and `..`.
    package static func entries(of path: String) throws(FileError) -> [String] {
        guard let folder = opendir(path) else { throw FileError(path: path, action: .list, code: errno) }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) {
                    String(cString: $0)
                }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private static func announce(_ action: FileError.Action, _ path: String) throws(FileError) {
        if let failure = beforeChange?(action, path) { throw failure }
    }

    /// Linux moves at most this much in one call; macOS refuses more.
    static let largestTransfer = 0x7FFF_F000

    /// `call`'s result, repeated while a signal interrupts it; -1 throws.
    ///
    /// - Parameter ready: what the call needs of which descriptor, and waits for even if the descriptor itself does not: a pipe or terminal
    ///   does not wait for all who share it once one of them has said so.
    @discardableResult
    static func check<Result: SignedInteger>(
        _ action: FileError.Action, _ path: String, ready: (descriptor: Int32, event: Int)? = nil,
        _ call: () -> Result
    ) throws(FileError) -> Result {
        while true {
            let result = call()
            if result != -1 { return result }
            if errno == EAGAIN, let ready {
                var request = pollfd(fd: ready.descriptor, events: Int16(ready.event), revents: 0)
                poll(&request, 1, -1)
            } else if errno != EINTR {
                throw FileError(path: path, action: action, code: errno)
            }
        }
    }
}

// Inside `Disk` the plain names mean its own functions.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
private func systemRename(_ old: String, _ new: String) -> Int32 { rename(old, new) }
