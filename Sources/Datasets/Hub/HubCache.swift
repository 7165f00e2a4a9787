import Checkpoint
import Threads

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The cache that Python's `huggingface_hub` keeps, file by file the same, so that neither fetches what the other has:
///
///     datasets--OWNER--NAME/blobs/HASH                  contents, by their ETag
///     datasets--OWNER--NAME/refs/REVISION               the commit that a branch or tag was at
///     datasets--OWNER--NAME/snapshots/COMMIT/PATH       links to blobs
///     .locks/datasets--OWNER--NAME/HASH.lock            held while a blob is fetched
struct HubCache: Sendable {
    private let client: HubClient
    private let locator: HubLocator
    private let folder: String
    private let locks: String

    init(_ client: HubClient, _ locator: HubLocator) {
        self.client = client
        self.locator = locator
        let name = "datasets--\(locator.owner)--\(locator.name)"
        folder = "\(client.settings.cache)/\(name)"
        locks = "\(client.settings.cache)/.locks/\(name)"
    }

    /// The commit that the revision was at when it was last asked for.
    func knownCommit() -> String? {
        if locator.revision.count == 40, isHexadecimal(locator.revision) { return locator.revision }
        guard let text = try? String(contentsOfFile: "\(folder)/refs/\(locator.revision)", encoding: .utf8) else {
            return nil
        }
        let commit = text.replacing(/^\s+|\s+$/, with: "")
        return isHexadecimal(commit) ? commit : nil
    }

    func remember(_ commit: String) throws(FileError) {
        guard commit != locator.revision, knownCommit() != commit else { return }
        let path = "\(folder)/refs/\(locator.revision)"
        try Disk.createFolder(splitPath(path).folder)
        let file = try OutputFile(path: path)
        try file.write(Array(commit.utf8))
        try file.commit()
    }

    /// The folder of a commit's files.
    func snapshot(_ commit: String) -> String { "\(folder)/snapshots/\(commit)" }

    /// Where a file is on the disk; fetched if it is not there.
    func path(of file: HubFile, commit: String) throws(HubError) -> String {
        let pointer = "\(snapshot(commit))/\(file.path)"
        if access(pointer, R_OK) == 0 { return pointer }
        let blob = "\(folder)/blobs/\(file.hash)"
        let lock = try onDisk { () throws(FileError) in
            try Disk.createFolder("\(folder)/blobs")
            try Disk.createFolder(locks)
            try Disk.createFolder(splitPath(pointer).folder)
            return try BlobLock(path: "\(locks)/\(file.hash).lock")
        }
        defer { lock.release() }
        // Another process may have fetched it while this one waited.
        if access(blob, R_OK) != 0 { try download(file, commit: commit, to: blob) }
        try onDisk { () throws(FileError) in
            try link(pointer, depth: file.path.split(separator: "/").count, to: file.hash)
        }
        return pointer
    }

    /// Fetches a blob, going on from what earlier attempts and runs have left.
    private func download(_ file: HubFile, commit: String, to blob: String) throws(HubError) {
        let url = client.url(of: file, locator, commit)
        let partial = try onDisk { () throws(FileError) in try PartialFile(file, path: "\(blob).incomplete") }
        var (fruitless, mismatches) = (0, 0)
        while true {
            let before = partial.byteCount
            var head: HTTPHead?
            var failure = HubError.network(url: url, reason: "the connection was cut off")
            // An empty file, or one of which all has arrived, has nothing to ask for.
            if partial.byteCount < file.byteCount {
                partial.beginAnswer()
                do throws(HubError) {
                    let answer = try client.fetch(file, of: locator, commit: commit, from: before, into: partial)
                    head = answer
                    if HubClient.isTransient(answer.status) || answer.status == 416 {
                        failure = .refused(url: url, status: answer.status)
                    } else {
                        try client.check(answer, url)
                    }
                    // What is there is not what the server has.
                    if answer.status == 416 { try onDisk { () throws(FileError) in try partial.restart() } }
                } catch {
                    if let failed = partial.failure { throw .file(failed) }
                    switch error {
                    case .network, .badAnswer: failure = error
                    default: throw error
                    }
                }
            }
            if partial.byteCount == file.byteCount {
                guard let found = try onDisk({ () throws(FileError) in try partial.commit(as: blob) }) else { return }
                mismatches += 1
                failure = .wrongChecksum(path: blob, expected: file.hash, found: found)
                if mismatches == 2 { throw failure }
            }
            // A long file over a poor connection takes as many attempts as it takes, as long as each brings something.
            fruitless = partial.byteCount > before ? 0 : fruitless + 1
            if fruitless >= client.settings.attempts { throw failure }
            pause(seconds: client.delay(before: max(1, fruitless), head))
        }
    }

    /// Puts a link to a blob at a place in a snapshot, as other processes may be doing.
    private func link(_ pointer: String, depth: Int, to hash: String) throws(FileError) {
        let target = String(repeating: "../", count: depth + 1) + "blobs/\(hash)"
        let temporary = "\(pointer).\(UInt64.random(in: 0 ... .max))"
        guard symlink(target, temporary) == 0 else { throw FileError(path: pointer, action: .create, code: errno) }
        guard rename(temporary, pointer) == 0 else {
            let code = errno
            unlink(temporary)
            throw FileError(path: pointer, action: .rename, code: code)
        }
    }
}

private func onDisk<Value>(_ body: () throws(FileError) -> Value) throws(HubError) -> Value {
    do throws(FileError) { return try body() } catch { throw .file(error) }
}

/// A lock on a blob, by `flock` as Python's `filelock` does it; waits for whoever has it.
private struct BlobLock {
    private let descriptor: Int32

    init(path: String) throws(FileError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileError(path: path, action: .lock, code: errno) }
        while flock(descriptor, LOCK_EX) != 0 {
            if errno == EINTR { continue }
            let code = errno
            close(descriptor)
            throw FileError(path: path, action: .lock, code: code)
        }
    }

    /// Unlocks, and does not leave that to closing: a child process that was forked meanwhile has the descriptor too.
    func release() {
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
