import Checkpoint

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file of the Hub on its way to the disk: `HASH.incomplete`, which a later run goes on with.
final class PartialFile: HTTPSink {
    private(set) var byteCount: Int
    /// The first write that failed.
    private(set) var failure: FileError?

    let path: String
    private let file: HubFile
    private let descriptor: Int32
    private var digest: Digest
    /// The answer whose bytes are being taken; nil between answers.
    private var isBegun = false

    init(_ file: HubFile, path: String) throws(FileError) {
        self.file = file
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
        guard descriptor >= 0 else { throw FileError(path: path, action: .create, code: errno) }
        digest = Digest(like: file.hash, byteCount: file.byteCount)
        byteCount = 0
        try takeUp()
    }

    deinit { close(descriptor) }

    /// Reads what an earlier run left, for the checksum.
    private func takeUp() throws(FileError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        while byteCount <= file.byteCount {
            let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(byteCount))
            guard count >= 0 else { throw FileError(path: path, action: .read, code: errno) }
            if count == 0 { return }
            digest.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            byteCount += count
        }
        try restart()
    }

    /// Forgets what there is.
    func restart() throws(FileError) {
        guard ftruncate(descriptor, 0) == 0 else { throw FileError(path: path, action: .write, code: errno) }
        byteCount = 0
        digest = Digest(like: file.hash, byteCount: file.byteCount)
    }

    /// Before each request.
    func beginAnswer() { isBegun = false }

    func receive(_ bytes: UnsafeRawBufferPointer, _ head: HTTPHead) -> Bool {
        do throws(FileError) {
            if !isBegun {
                isBegun = true
                // A server may give the whole file though a part was asked for, and must not give another part.
                let start = head.status == 206 ? Self.rangeStart(head) : 0
                if start != byteCount {
                    try restart()
                    if start != 0 { return false }
                }
            }
            guard byteCount + bytes.count <= file.byteCount else { return false }
            var written = 0
            while written < bytes.count {
                let count = pwrite(
                    descriptor, bytes.baseAddress! + written, bytes.count - written, off_t(byteCount + written))
                guard count > 0 else {
                    if errno == EINTR { continue }
                    throw FileError(path: path, action: .write, code: errno)
                }
                written += count
            }
        } catch {
            failure = error
            return false
        }
        digest.update(bytes)
        byteCount += bytes.count
        return true
    }

    /// Where the part in an answer begins.
    private static func rangeStart(_ head: HTTPHead) -> Int? {
        head.fields["content-range"]?.firstMatch(of: /bytes (\d+)-/).flatMap { Int($0.1) }
    }

    /// Checks the whole file and gives it its name.
    ///
    /// - Returns: the checksum that it has where that is the wrong one, and then it is empty again.
    func commit(as target: String) throws(FileError) -> String? {
        let found = digest.finish()
        guard found == file.hash else {
            try restart()
            return found
        }
        guard fsync(descriptor) == 0 else { throw FileError(path: path, action: .flush, code: errno) }
        guard rename(path, target) == 0 else { throw FileError(path: target, action: .rename, code: errno) }
        return nil
    }
}
