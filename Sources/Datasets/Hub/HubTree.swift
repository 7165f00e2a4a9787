import Checkpoint

/// A dataset on the Hub: its listing is fetched when it is opened, a file when it is first read.
struct HubTree: FileTree {
    let name: String
    private let locator: HubLocator
    private let commit: String
    private let cache: HubCache
    /// By path below the locator's folder; nil where only the cache is asked.
    private let files: [String: HubFile]?

    init(_ locator: HubLocator, _ settings: HubSettings) throws(SourceError) {
        let client = HubClient(settings)
        cache = HubCache(client, locator)
        self.locator = locator
        name =
            "hf://datasets/\(locator.repository)@\(locator.revision)\(locator.folder.isEmpty ? "" : "/\(locator.folder)")"
        do throws(HubError) {
            if settings.isOffline {
                guard let commit = cache.knownCommit() else { throw HubError.notCached(name: name) }
                self.commit = commit
                files = nil
            } else {
                commit = try client.commit(of: locator)
                let prefix = locator.folder.isEmpty ? "" : "\(locator.folder)/"
                files = Dictionary(
                    try client.files(of: locator, commit: commit).compactMap { file in
                        file.path.hasPrefix(prefix) ? (String(file.path.dropFirst(prefix.count)), file) : nil
                    }, uniquingKeysWith: { first, _ in first })
                do throws(FileError) { try cache.remember(commit) } catch { throw .file(error) }
            }
        } catch {
            throw .hub(error)
        }
    }

    private var snapshot: String { joinPath(cache.snapshot(commit), locator.folder) }

    func paths() throws(SourceError) -> [String] {
        if let files {
            return files.keys.filter { $0.split(separator: "/").allSatisfy(isVisible) }.sorted()
        }
        return try DatasetFolder(path: snapshot).paths()
    }

    func byteCount(_ relative: String) -> Int? { files?[relative]?.byteCount }

    func file(_ relative: String, key: String) throws(RecordFailure) -> String {
        guard isInside(relative) else {
            throw RecordFailure(key: key, .outsideDataset, "'\(relative.prefix(200))' is not a path below its folder")
        }
        let path: String
        if let files {
            // A table may write a path in more ways than the listing does.
            let plain = relative.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
            guard let file = files[plain] else {
                throw RecordFailure(key: key, .missingFile, "\(name) lists no '\(relative)'")
            }
            do throws(HubError) { path = try cache.path(of: file, commit: commit) } catch {
                throw RecordFailure(key: key, .notFetched, "\(error)")
            }
        } else {
            path = "\(snapshot)/\(relative)"
        }
        try ordinaryFile(path, key: key)
        return path
    }
}
