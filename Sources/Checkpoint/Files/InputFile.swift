#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file, pipe or terminal open for reading.
///
/// Reads are calls to the system rather than a memory map: a file that another process shortens while it is mapped ends
/// this one with a bus error, and here it is an error that can be reported.
public final class InputFile: Sendable {
    /// The path, or what to call the descriptor in errors.
    public let name: String
    private let descriptor: Int32
    private let isOwned: Bool

    /// Opens the file at `path`.
    ///
    /// - Parameter ordinary: Whether pipes and devices are refused, because the file will be read at random positions.
    /// - Throws: `FileError`.
    public init(path: String, ordinary: Bool = false) throws(FileError) {
        // Opening a pipe waits for its writer unless told not to.
        let flags = O_RDONLY | O_CLOEXEC | (ordinary ? O_NONBLOCK : 0)
        descriptor = try Disk.check(.open, path) { open(path, flags) }
        name = path
        isOwned = true
        let mode = try status().st_mode & S_IFMT
        if mode == S_IFDIR { throw FileError(path: path, action: .read, code: EISDIR) }
        if ordinary && mode != S_IFREG { throw FileError(path: path, action: .read, code: ESPIPE) }
    }

    /// Reads from a descriptor that the caller keeps open and closes, such as standard input (0).
    public init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
        isOwned = false
    }

    deinit {
        if isOwned { close(descriptor) }
    }

    /// The length of the file in bytes now; 0 for pipes.
    public var byteCount: Int {
        get throws(FileError) { Int(try status().st_size) }
    }

    /// Reads what there is, up to the length of `buffer`, waiting for at least one byte; 0 means the end.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        try Disk.check(.read, name, ready: (descriptor, Int(POLLIN))) {
            systemRead(descriptor, buffer.baseAddress, min(buffer.count, Disk.largestTransfer))
        }
    }

    /// Fills `buffer` from the position `offset`, and returns how many bytes there were before the end of the file.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let rest = buffer[filled...].prefix(Disk.largestTransfer)
            let count = try Disk.check(.read, name) {
                pread(descriptor, buffer.baseAddress! + filled, rest.count, off_t(offset + filled))
            }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    /// The bytes `[offset, offset + count)`, fewer where the file ends before.
    public func bytes(at offset: Int, count: Int) throws(FileError) -> [UInt8] {
        var failure: FileError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let buffer = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer).prefix(count))
            do throws(FileError) {
                initialized = try read(into: buffer, at: offset)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Everything from where reading stands to the end, of a pipe too.
    public func rest() throws(FileError) -> [UInt8] {
        var bytes: [UInt8] = []
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 1)
        defer { piece.deallocate() }
        while case let count = try read(into: piece), count > 0 { bytes += piece[..<count] }
        return bytes
    }

    private func status() throws(FileError) -> stat {
        var status = stat()
        try Disk.check(.read, name) { fstat(descriptor, &status) }
        return status
    }
}

private func systemRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, bytes, count)
}
