#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A folder on the disk out of which no path of its dataset leads.
struct DatasetFolder: Sendable {
    let path: String
    /// Without links.
    private let resolved: String?

    init(path: String) {
        self.path = path
        resolved = resolvedPath(path)
    }

    /// The file that a dataset names `relative`, below the folder `base` of its own.
    ///
    /// A link is followed only as far as the dataset's own folder: a dataset from a stranger may hold one to anything that its
    /// user can read.
    func file(_ relative: String, below base: String = "", key: String) throws(RecordFailure) -> String {
        guard Self.isInside(relative) else {
            throw RecordFailure(key: key, .outsideDataset, "'\(relative.prefix(200))' is not a path below its folder")
        }
        let path = base.isEmpty ? "\(self.path)/\(relative)" : "\(self.path)/\(base)/\(relative)"
        guard let target = resolvedPath(path) else {
            let code = errno
            throw RecordFailure(
                key: key, code == ENOENT || code == ENOTDIR ? .missingFile : .unreadableFile,
                "\(path): \(String(cString: strerror(code)))")
        }
        guard let resolved, target.hasPrefix(resolved == "/" ? "/" : "\(resolved)/") else {
            throw RecordFailure(
                key: key, .outsideDataset, "\(path) is a link to \(target); put the file itself into the dataset")
        }
        return path
    }

    /// Whether a relative path stays below where it starts, links aside.
    static func isInside(_ relative: String) -> Bool {
        !relative.isEmpty && !relative.hasPrefix("/") && !relative.utf8.contains(0)
            && !relative.split(separator: "/", omittingEmptySubsequences: false).contains("..")
    }
}

private func resolvedPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
}
