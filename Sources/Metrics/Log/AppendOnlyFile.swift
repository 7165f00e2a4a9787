#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A log file that cannot be opened or written.
public enum LogFileError: Error, Sendable, Hashable, CustomStringConvertible {
    case cannotOpen(path: String, reason: String)
    case writeFailed(path: String, reason: String)

    public var description: String {
        switch self {
        case .cannotOpen(let path, let reason):
            "\(path): the log cannot be opened: \(reason). Check the folder and its permissions."
        case .writeFailed(let path, let reason):
            "\(path): the log cannot be written: \(reason). Earlier records are whole; free space and resume the run."
        }
    }
}

/// A file that grows by whole records: each reaches the kernel in one call before `append` returns, so killing the
/// process can tear at most the last one, and a failed write is taken back.
final class AppendOnlyFile {
    let path: String
    private let descriptor: Int32
    private(set) var length: Int

    /// Opens `path`, creating it when it is missing.
    ///
    /// - Throws: ``LogFileError``.
    init(path: String) throws {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw LogFileError.cannotOpen(path: path, reason: String(cString: strerror(errno)))
        }
        length = Int(lseek(descriptor, 0, SEEK_END))
    }

    deinit { close(descriptor) }

    func append(_ bytes: [UInt8]) throws {
        var written = 0
        while written < bytes.count {
            let result = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, bytes.count - written) }
            if result > 0 {
                written += result
            } else if errno != EINTR {
                let code = errno
                try truncate(to: length)
                throw LogFileError.writeFailed(path: path, reason: String(cString: strerror(code)))
            }
        }
        length += written
    }

    func truncate(to length: Int) throws {
        // A device (`/dev/null`, a pipe) has no length to cut.
        guard ftruncate(descriptor, off_t(length)) == 0 || errno == EINVAL else {
            throw LogFileError.writeFailed(path: path, reason: String(cString: strerror(errno)))
        }
        self.length = length
    }

    /// Up to 1 MiB from `offset`; empty at the end.
    func read(at offset: Int) throws -> [UInt8] {
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, initialized in
            count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            initialized = max(0, count)
        }
        guard count >= 0 else {
            throw LogFileError.cannotOpen(path: path, reason: String(cString: strerror(errno)))
        }
        return bytes
    }
}

/// Seconds since 1970.
func wallTime() -> Double {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
}
