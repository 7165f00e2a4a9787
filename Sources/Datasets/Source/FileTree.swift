import Checkpoint

/// The files of a dataset, on this disk or to be fetched.
protocol FileTree: Sendable {
    /// What to call it in messages.
    var name: String { get }

    /// The relative paths of all its files, sorted, but for hidden ones.
    func paths() throws(SourceError) -> [String]

    /// Where on this disk an ordinary file of the dataset is, fetched first if it has to be.
    ///
    /// - Throws: `RecordFailure` under `key`, also for a path that leads out of the dataset.
    func file(_ relative: String, key: String) throws(RecordFailure) -> String

    /// How long a file is, where that is known without fetching it.
    func byteCount(_ relative: String) -> Int?
}

extension FileTree {
    func byteCount(_ relative: String) -> Int? {
        (try? file(relative, key: relative)).flatMap { try? InputFile(path: $0).byteCount }
    }

    /// A file that the dataset cannot be read without.
    func required(_ relative: String) throws(SourceError) -> String {
        do throws(RecordFailure) { return try file(relative, key: "\(name)/\(relative)") } catch {
            throw .unavailable(error)
        }
    }

    /// A shard's file. One that is damaged is reported in place of its records; one that cannot be fetched may be had later,
    /// and is an error.
    func shard(_ relative: String) throws(SourceError) -> Result<String, RecordFailure> {
        do throws(RecordFailure) { return .success(try file(relative, key: relative)) } catch {
            if error.kind == .notFetched { throw .unavailable(error) }
            return .failure(error)
        }
    }
}

/// Files that the user has named one by one, wherever they are.
struct NamedFiles: FileTree {
    let name: String
    let files: [String]
    private let named: Set<String>
    /// By their path, the folders that hold them.
    private let folders: [String: DatasetFolder]

    init(name: String, files: [String]) {
        self.name = name
        self.files = files
        named = Set(files)
        folders = Set(files.map { splitPath($0).folder }).reduce(into: [:]) { folders, folder in
            folders[folder] = DatasetFolder(path: folder.isEmpty ? "." : folder)
        }
    }

    func paths() -> [String] { files }

    /// What is not among them is named by a row of a table that is, and has to be in that one's folder, links followed: a table
    /// alone is no more to be trusted than the dataset that it is of.
    func file(_ path: String, key: String) throws(RecordFailure) -> String {
        if named.contains(path) {
            try ordinaryFile(path, key: key)
            return path
        }
        var folder = splitPath(path).folder
        while folders[folder] == nil, !folder.isEmpty { folder = splitPath(folder).folder }
        guard let tree = folders[folder] else {
            throw RecordFailure(key: key, .outsideDataset, "\(path) is in the folder of none of the files")
        }
        let below = folder.isEmpty ? path : String(decoding: path.utf8.dropFirst(folder.utf8.count + 1), as: UTF8.self)
        return try tree.file(below, key: key)
    }
}

/// The folder part of a relative path, empty for none, and the rest.
func splitPath(_ path: String) -> (folder: String, file: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return ("", path) }
    return (String(path[..<slash]), String(path[path.index(after: slash)...]))
}

func joinPath(_ folder: String, _ file: String) -> String { folder.isEmpty ? file : "\(folder)/\(file)" }
