import Checkpoint

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Opens a dataset by its locator, whatever its layout:
///
/// - a folder with `manifest.jsonl`; with `metadata.csv`, `.jsonl` or `.parquet`; with Parquet files, WebDataset `.tar` shards,
///   or nothing but sound files;
/// - one of those files, or several as a pattern: `shards/train-{0000..0012}.tar`;
/// - `hf://datasets/OWNER/NAME@REVISION/FOLDER`, with any of these inside; revision and folder may be left out.
///
/// - Parameters:
///   - split: the part to read; nil reads all.
///   - columns: what the dataset calls its columns, where it is not what they are usually called.
/// - Throws: ``SourceError``.
public func openSource(
    _ locator: String, split: String? = nil, columns: ColumnNames = ColumnNames()
) throws(SourceError) -> any Source {
    if let locator = try HubLocator(locator) {
        let tree = try HubTree(locator, HubSettings(environment: ProcessInfo.processInfo.environment))
        return try layout(of: tree, tree.paths(), split: split, columns)
    }
    var isFolder = false
    if FileManager.default.fileExists(atPath: locator, isDirectory: &isFolder), isFolder {
        let folder = DatasetFolder(
            path: locator.count > 1 && locator.hasSuffix("/") ? String(locator.dropLast()) : locator)
        // Not listed: there may be a million files beside it.
        if FileManager.default.fileExists(atPath: "\(locator)/manifest.jsonl") {
            return try ManifestSource(folder: folder.name, split: split, columns: columns)
        }
        return try layout(of: folder, try folder.paths(), split: split, columns)
    }
    let files = try expandBraces(locator)
    guard files.contains(where: FileManager.default.fileExists(atPath:)) else {
        throw .file(FileError(path: files[0], action: .open, code: ENOENT))
    }
    if files.count == 1, isTable(files[0]) || ["jsonl", "csv"].contains(fileExtension(files[0])) {
        let (parent, file) = splitPath(files[0])
        let folder = parent.isEmpty ? (locator.hasPrefix("/") ? "/" : ".") : parent
        guard isTable(file) else {
            return try ManifestSource(folder: folder, file: file, split: split, columns: columns)
        }
        // Its rows are of the splits that its folder gives them.
        let tree = DatasetFolder(path: folder)
        return try layout(of: tree, try tree.paths(), only: file, split: split, columns)
    }
    return try layout(of: NamedFiles(name: locator, files: files), files, split: split, columns)
}

/// What a dataset holds out to judge a model by: its split `dev`, else `validation`, as Hugging Face calls it, else `test`.
///
/// - Throws: ``SourceError``, `noSuchSplit` where there is none of them.
public func openHeldOutSource(
    _ locator: String, columns: ColumnNames = ColumnNames()
) throws(SourceError) -> any Source {
    var present: [String] = []
    for split in ["dev", "validation", "test"] {
        do throws(SourceError) { return try openSource(locator, split: split, columns: columns) } catch {
            guard case .noSuchSplit(_, _, let others) = error else { throw error }
            present = others
        }
    }
    throw .noSuchSplit(name: locator, split: "dev, validation or test", present: present)
}

/// Whether a file is a table of the sounds around it.
private func isTable(_ path: String) -> Bool {
    ["metadata.csv", "metadata.jsonl", "metadata.parquet"].contains(splitPath(path).file)
}

/// More tables than this are not kept open: a process may have about a thousand files.
private let openTables = 64

/// The source that a dataset's files make up.
///
/// - Parameter only: the one table to read, whatever else there is.
func layout(
    of tree: any FileTree, _ paths: [String], only table: String? = nil, split: String?, _ columns: ColumnNames
) throws(SourceError) -> any Source {
    if table == nil && paths.contains("manifest.jsonl") {
        let source = try ManifestSource(tree, table: "manifest.jsonl", split: split, splits: nil, columns: columns)
        if let split, source.recordCount == 0 {
            throw .noSuchSplit(name: tree.name, split: split, present: Array(source.otherSplits))
        }
        return source
    }
    let tables = paths.filter(isTable)
    let parquet = paths.filter { fileExtension($0) == "parquet" && !isTable($0) }
    let archives = paths.filter(WebDatasetSource.isShard)
    let sounds = paths.filter(isSound)
    let isFolder = table != nil || !tables.isEmpty
    let data = !isFolder && !parquet.isEmpty ? parquet : !isFolder && !archives.isEmpty ? archives : sounds
    let splits = Splits(data + tables)
    guard !data.isEmpty || isFolder else {
        throw .unknownLayout(name: tree.name, reason: paths.isEmpty ? "there is no file" : "there is no file of sounds")
    }
    if isFolder {
        let read = table.map { [$0] } ?? tables
        var sources: [any Source] = []
        // Of the rows: a sound that no table names cannot be opened.
        var present: Set<String> = []
        for table in read {
            guard fileExtension(table) == "parquet" else {
                let source = try ManifestSource(
                    tree, table: table, split: split, splits: splits, columns: columns,
                    keepsOpen: read.count <= openTables)
                if source.recordCount != 0 { sources.append(source) }
                present.formUnion(source.otherSplits)
                continue
            }
            // How many of its rows are of a split is known when they have been read; whether any is, soon.
            func rows(of split: String?) throws(SourceError) -> ParquetSource? {
                let source = try ParquetSource(tree, paths: [table], split: split, splits: splits, columns: columns)
                return try source.open(shard: 0).next() == nil ? nil : source
            }
            if let source = try rows(of: split) {
                sources.append(source)
            } else if sources.isEmpty {
                for name in splits.names {
                    if try rows(of: name) != nil { present.insert(name) }
                }
            }
        }
        guard !sources.isEmpty else {
            let name = table.map { joinPath(tree.name, $0) } ?? tree.name
            if let split { throw .noSuchSplit(name: name, split: split, present: Array(present)) }
            throw .unknownLayout(name: tree.name, reason: "\(read.joined(separator: ", ")) has no rows")
        }
        let source = sources.count == 1 ? sources[0] : JoinedSource(name: tree.name, sources)
        return source
    }
    let chosen = split.map { split in data.filter { splits.splits(of: $0).contains(split) } } ?? data
    if let split, chosen.isEmpty { throw .noSuchSplit(name: tree.name, split: split, present: Array(splits.names)) }
    if !parquet.isEmpty {
        return try ParquetSource(tree, paths: chosen, split: split, splits: splits, columns: columns)
    }
    if !archives.isEmpty { return WebDatasetSource(tree, paths: chosen, splits: splits, columns: columns) }
    return SoundFiles(tree, paths: chosen, splits: splits)
}

/// `a-{000..002}.tar` and `a-{x,y}.tar` as the paths that they stand for.
///
/// - Throws: ``SourceError/badLocator(_:reason:)`` for braces that do not close and for more than a million paths.
func expandBraces(_ pattern: String) throws(SourceError) -> [String] {
    guard let open = pattern.firstIndex(of: "{") else { return [pattern] }
    guard let close = pattern[open...].firstIndex(of: "}") else {
        throw .badLocator(pattern, reason: "a '{' without its '}'")
    }
    let inside = pattern[pattern.index(after: open)..<close]
    let choices: [String]
    if let match = inside.wholeMatch(of: /([0-9]+)\.\.([0-9]+)/) {
        guard let first = Int(match.1), let last = Int(match.2), first <= last, last - first < 1_000_000 else {
            throw .badLocator(pattern, reason: "'\(inside)' is not a range of numbers")
        }
        let width = match.1.count
        choices = (first...last).map { number in
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
    } else {
        choices = inside.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    let (head, tail) = (pattern[..<open], try expandBraces(String(pattern[pattern.index(after: close)...])))
    guard choices.count * tail.count <= 1_000_000 else {
        throw .badLocator(pattern, reason: "more than a million files")
    }
    return choices.flatMap { choice in tail.map { head + choice + $0 } }
}
