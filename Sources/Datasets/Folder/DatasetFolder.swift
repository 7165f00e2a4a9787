import Checkpoint

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A folder on the disk out of which no path of its dataset leads.
struct DatasetFolder: FileTree {
    let name: String
    /// Without links.
    private let resolved: String?

    init(path: String) {
        name = path
        resolved = resolvedPath(path)
    }

    /// A link is followed only as far as the dataset's own folder: a dataset from a stranger may hold one to anything that its
    /// user can read.
    func file(_ relative: String, key: String) throws(RecordFailure) -> String {
        guard isInside(relative) else {
            throw RecordFailure(key: key, .outsideDataset, "'\(relative.prefix(200))' is not a path below its folder")
        }
        let path = "\(name)/\(relative)"
        guard let target = resolvedPath(path) else { throw missing(path, key: key) }
        guard let resolved, target.hasPrefix(resolved == "/" ? "/" : "\(resolved)/") else {
            throw RecordFailure(
                key: key, .outsideDataset, "\(path) is a link to \(target); put the file itself into the dataset")
        }
        try ordinaryFile(path, key: key)
        return path
    }

    func paths() throws(SourceError) -> [String] {
        var paths: [String] = []
        do throws(FileError) { try collect("", into: &paths) } catch { throw .file(error) }
        return paths.sorted()
    }

    /// Folders are entered, links to folders are not: they may lead anywhere, and in circles.
    private func collect(_ folder: String, into paths: inout [String]) throws(FileError) {
        for entry in try Disk.entries(of: folder.isEmpty ? name : "\(name)/\(folder)") where isVisible(entry) {
            let path = joinPath(folder, entry)
            var status = stat()
            guard lstat("\(name)/\(path)", &status) == 0 else {
                let code = errno
                guard namesNoFile(code) else { throw FileError(path: "\(name)/\(path)", action: .list, code: code) }
                // Kept, so that who reads it reports it: it has gone by now, or its name is not UTF-8 and has been repaired.
                paths.append(path)
                continue
            }
            if status.st_mode & S_IFMT == S_IFDIR { try collect(path, into: &paths) } else { paths.append(path) }
        }
    }
}

/// Whether a relative path stays below where it starts, links aside.
func isInside(_ relative: String) -> Bool {
    !relative.isEmpty && !relative.hasPrefix("/") && !relative.utf8.contains(0)
        && !relative.split(separator: "/", omittingEmptySubsequences: false).contains("..")
}

/// Hugging Face leaves out what begins with a full stop or two underscores.
func isVisible(_ name: some StringProtocol) -> Bool { !name.hasPrefix(".") && !name.hasPrefix("__") }

/// - Throws: where there is no file at `path`, or a folder, a pipe or a device, which might never end.
func ordinaryFile(_ path: String, key: String) throws(RecordFailure) {
    var status = stat()
    guard stat(path, &status) == 0 else { throw missing(path, key: key) }
    guard status.st_mode & S_IFMT == S_IFREG else {
        throw RecordFailure(key: key, .unreadableFile, "\(path) is not an ordinary file")
    }
    if status.st_size == 0 { throw RecordFailure(key: key, .empty, "\(path) is empty") }
}

/// Whether this `errno` value says that no file has the name. One that has been repaired may have become too long for any.
private func namesNoFile(_ code: Int32) -> Bool { code == ENOENT || code == ENAMETOOLONG }

private func missing(_ path: String, key: String) -> RecordFailure {
    let code = errno
    if namesNoFile(code), path.unicodeScalars.contains("\u{FFFD}") {
        return RecordFailure(
            key: key, .unreadableFile, "\(path): there is no such file, or its name is not UTF-8: rename it")
    }
    return RecordFailure(
        key: key, code == ENOENT || code == ENOTDIR ? .missingFile : .unreadableFile,
        "\(path): \(String(cString: strerror(code)))")
}

private func resolvedPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
}
