#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file that appears complete or not at all.
///
/// The bytes go into a hidden file in the same folder; `commit` flushes it to the disk, renames it to the wanted name and
/// flushes the folder. Until then an earlier file of that name stays as it was, and an output that is abandoned, by an
/// error or by letting go of it, takes its hidden file along. Pipes, terminals and devices cannot be replaced, and are
/// written directly.
public final class OutputFile {
    /// The path, or what to call the descriptor in errors.
    public let name: String

    private enum Target {
        case replacing(path: String, temporary: String)
        case device
        case borrowed
    }

    /// The number of bytes appended so far.
    package private(set) var byteCount = 0
    /// The checksum of the bytes appended so far, for those who set it before.
    package var checksum: CRC32?

    private let descriptor: Int32
    private let target: Target
    private var isFinished = false

    /// Starts a file that is to replace whatever is at `path`.
    ///
    /// A link is followed: the file it leads to is replaced, and the link stays. Who may read the file is as before.
    ///
    /// - Throws: `FileError`.
    public init(path: String) throws(FileError) {
        name = path
        var status = stat()
        let exists = stat(path, &status) == 0
        switch exists ? status.st_mode & S_IFMT : S_IFREG {
        case S_IFREG:
            let path = resolvingLinks(path)
            let temporary = temporaryPath(beside: path)
            do {
                descriptor = try Disk.create(temporary)
                // Of a file that is not this user's, the new one is.
                if exists { fchmod(descriptor, status.st_mode & 0o777) }
            } catch {
                throw FileError(path: name, action: .create, code: error.code)
            }
            target = .replacing(path: path, temporary: temporary)
        case S_IFDIR:
            throw FileError(path: path, action: .write, code: EISDIR)
        default:
            descriptor = try Disk.check(.write, path) { open(path, O_WRONLY | O_CLOEXEC) }
            target = .device
        }
    }

    /// Writes to a descriptor that the caller keeps open and closes, such as standard output (1).
    public init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
        target = .borrowed
    }

    deinit { abandon() }

    /// Whether bytes already written can be overwritten: a file, not a pipe.
    public var isRewritable: Bool {
        if case .replacing = target { true } else { false }
    }

    /// Appends `bytes`.
    ///
    /// - Throws: `FileError`; `isOutOfSpace` when the disk is full.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        // The descriptor's number may be another file's by then.
        precondition(!isFinished, "\(name) is finished, and cannot be written any more")
        try Disk.write(bytes, to: descriptor, path: name)
        byteCount += bytes.count
        checksum?.update(bytes)
    }

    /// Appends `bytes`.
    public func write(_ bytes: [UInt8]) throws(FileError) {
        try withBuffer(of: bytes) { buffer throws(FileError) in try write(buffer) }
    }

    /// Replaces the bytes from `offset` on, in a file that `isRewritable`.
    public func overwrite(_ bytes: [UInt8], at offset: Int) throws(FileError) {
        precondition(!isFinished, "\(name) is finished, and cannot be written any more")
        try withBuffer(of: bytes) { buffer throws(FileError) in
            try Disk.write(buffer, to: descriptor, at: offset, path: name)
        }
    }

    /// Puts the file in its place; nothing more can be written.
    ///
    /// - Throws: `FileError`, and then there is no trace of this file and an earlier one is as it was; but where only its folder
    ///   could not be flushed, the file is in its place.
    public func commit() throws(FileError) {
        if isFinished { return }
        if case .replacing(let path, let temporary) = target {
            do {
                try Disk.flush(descriptor, path: name)
                try Disk.rename(temporary, to: path)
            } catch {
                abandon()
                throw error
            }
            finish()
            try Disk.flushFolder(folder(of: path))
        } else {
            finish()
        }
    }

    /// Gives the file up and removes what was written; does nothing after `commit`.
    public func abandon() {
        if isFinished { return }
        finish()
        if case .replacing(_, let temporary) = target { try? Disk.removeFile(temporary) }
    }

    /// Removes what killed processes left half-written in a folder, in which nobody else may be writing.
    package static func removePartial(in folder: String) throws(FileError) {
        for name in try Disk.entries(of: folder) where name.hasPrefix(".") && name.contains(".partial-") {
            try Disk.removeFile("\(folder)/\(name)")
        }
    }

    private func finish() {
        isFinished = true
        if case .borrowed = target { return }
        close(descriptor)
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
    return resolvingLinks(target.hasPrefix("/") ? target : "\(folder(of: path))/\(target)", depth: depth + 1)
}

/// The folder that holds `path`.
func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}

private func temporaryPath(beside path: String) -> String {
    let name = path.split(separator: "/").last ?? ""
    let tag = String(UInt64.random(in: 0 ... .max), radix: 36)
    return "\(folder(of: path))/.\(Substring(name.unicodeScalars.prefix(40))).partial-\(tag)"
}

/// `Array.withUnsafeBytes` does not carry the type of a thrown error through.
private func withBuffer(
    of bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(FileError) -> Void
) throws(FileError) {
    let result = bytes.withUnsafeBytes { buffer in Result { () throws(FileError) in try body(buffer) } }
    try result.get()
}
