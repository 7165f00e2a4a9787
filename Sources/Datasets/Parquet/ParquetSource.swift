/// Parquet files, each a shard, whose rows hold encoded sounds (Hugging Face's `{bytes, path}`, or plain bytes) or name files.
///
/// Only the columns that are known are read, and a batch of rows at a time, whatever the size of a row group.
struct ParquetSource: Source {
    let name: String
    let shards: [Shard]

    private let tree: any FileTree
    private let splits: Splits?
    private let split: String?
    private let columns: ColumnNames
    private let library: ParquetLibrary

    /// - Parameter split: the rows to keep where the table is `metadata.parquet`; a shard of embedded sounds is taken whole.
    init(
        _ tree: any FileTree, paths: [String], split: String?, splits: Splits?, columns: ColumnNames
    ) throws(SourceError) {
        library = try ParquetLibrary.loaded()
        self.tree = tree
        self.splits = splits
        self.split = split
        self.columns = columns
        name = tree.name
        shards = paths.map {
            Shard(name: $0, recordCount: nil, isRandomAccess: false, byteCount: tree.byteCount($0))
        }
    }

    func open(shard: Int, at ordinal: Int) throws(SourceError) -> any ShardReader {
        let table = shards[shard].name
        let reader = Result { [shard = try tree.shard(table)] () throws(RecordFailure) in
            try ParquetReader(
                path: try shard.get(), table: table, tree: tree, split: split, splits: splits, columns: columns,
                library: library)
        }
        switch reader {
        case .success(let reader):
            try reader.seek(to: ordinal)
            return reader
        case .failure(let failure): return FailedReader(failure, at: ordinal)
        }
    }
}

/// A shard that cannot be read at all: one failure.
final class FailedReader: ShardReader {
    private(set) var ordinal: Int
    private let failure: RecordFailure

    init(_ failure: RecordFailure, at ordinal: Int) {
        self.failure = failure
        self.ordinal = max(0, ordinal)
    }

    func next() -> Result<Record, RecordFailure>? {
        guard ordinal == 0 else { return nil }
        ordinal = 1
        return .failure(failure)
    }

    func seek(to ordinal: Int) { self.ordinal = max(0, ordinal) }
}

private final class ParquetReader: ShardReader {
    private(set) var ordinal = 0

    private let file: ParquetFile
    private let tree: any FileTree
    private let table: String
    private let place: String?
    private let splits: Splits?
    private let filter: RowFilter?
    private let names: ColumnNames
    private let soundKind: ParquetFile.Column.Kind
    private let soundColumn: String
    /// By place among the columns read: the field that the column is for. The sound is at place 0.
    private let fields: [ColumnNames.Field]
    private let selection: [Int]
    /// Of the rows loaded.
    private var (row, rowCount) = (0, 0)

    init(
        path: String, table: String, tree: any FileTree, split: String?, splits: Splits?, columns names: ColumnNames,
        library: ParquetLibrary
    ) throws(RecordFailure) {
        do throws(ParquetFile.Failure) { file = try ParquetFile(path: path, library) } catch {
            throw RecordFailure(key: table, .damagedShard, "\(path): \(error.reason)")
        }
        let columns = file.columns
        // Embedded sounds before names of files, whatever the columns are called.
        let order: [(ParquetFile.Column.Kind, [String])] = [
            (.bytesAndPath, names.sound), (.bytes, names.sound + ["bytes"]), (.scalar, names.sound),
        ]
        let sound =
            order.lazy.compactMap { kind, names in
                names.lazy.compactMap { name in columns.firstIndex { $0.name == name && $0.kind == kind } }.first
            }.first ?? columns.firstIndex { $0.kind == .bytesAndPath }
        guard let sound else {
            throw RecordFailure(
                key: table, .noSound,
                "\(path) has no column '\(names.sound[0])' with sounds; its columns are "
                    + columns.map(\.name).joined(separator: ", "))
        }
        let scalars = columns.map { $0.kind == .scalar ? $0.name : "" }
        let found = names.fields(of: scalars).filter { $0.column != sound }
        selection = [sound] + found.map(\.column)
        fields = found.map(\.field)
        soundKind = columns[sound].kind
        soundColumn = columns[sound].name
        place = splits?.splits(of: table).first
        self.splits = splits
        // A shard of embedded sounds is of one split; only a table of files may name several.
        filter =
            columns[sound].kind == .scalar
            ? split.map { RowFilter(split: $0, splits: splits, base: splitPath(table).folder, table: table) } : nil
        self.table = table
        self.tree = tree
        self.names = names
        try start(at: 0)
    }

    private func start(at row: Int) throws(RecordFailure) {
        do throws(ParquetFile.Failure) { try file.start(columns: selection, row: row) } catch {
            throw RecordFailure(key: table, .damagedShard, error.reason)
        }
        (ordinal, self.row, rowCount) = (row, 0, 0)
    }

    /// A table's rows are counted as they stand in the file, those of other splits too.
    func seek(to ordinal: Int) throws(SourceError) {
        guard ordinal != self.ordinal else { return }
        do throws(RecordFailure) { try start(at: max(0, ordinal)) } catch { throw .unavailable(error) }
    }

    func next() -> Result<Record, RecordFailure>? {
        while true {
            if row == rowCount {
                do throws(ParquetFile.Failure) {
                    rowCount = try file.next()
                    row = 0
                } catch {
                    (row, rowCount) = (0, 0)
                    let failure = RecordFailure(
                        key: "\(table)#\(ordinal)", .damagedShard, error.reason, recordCount: max(1, error.rowCount))
                    ordinal += failure.recordCount
                    return .failure(failure)
                }
                if rowCount == 0 { return nil }
            }
            defer {
                row += 1
                ordinal += 1
            }
            if let result = record() { return result }
        }
    }

    /// Nil where the row is of another split.
    private func record() -> Result<Record, RecordFailure>? {
        let key = "\(table)#\(ordinal)"
        var metadata = MetadataBuilder(names)
        for (index, field) in fields.enumerated() {
            if let text = file.text(index + 1, row: row) { metadata.set(field, to: text) }
        }
        if soundKind == .scalar { return fileRecord(metadata, key: key) }
        var known = metadata.metadata
        known.split = known.split ?? place
        let name = (soundKind == .bytesAndPath ? file.text(0, row: row, .path) : nil) ?? ""
        guard let bytes = file.bytes(0, row: row) else {
            // Written without embedding: the path alone stands there.
            guard !name.isEmpty else { return .failure(RecordFailure(key: key, .noSound, "'\(soundColumn)' is null")) }
            return Result { () throws(RecordFailure) in
                guard isInside(name) else {
                    throw RecordFailure(
                        key: key, .outsideDataset, "'\(name.prefix(200))' is not a path below its folder")
                }
                let path = joinPath(splitPath(table).folder, name)
                return Record(key: key, sound: .file(path: try tree.file(path, key: key)), metadata: known)
            }
        }
        guard !bytes.isEmpty else {
            return .failure(RecordFailure(key: key, .empty, "'\(soundColumn)' holds no bytes"))
        }
        return .success(Record(key: key, sound: .bytes(bytes, name: name), metadata: known))
    }

    private func fileRecord(_ metadata: MetadataBuilder, key: String) -> Result<Record, RecordFailure>? {
        let sound = file.text(0, row: row)
        if let filter, !filter.admits(column: metadata.metadata.split, sound: sound) { return nil }
        var row = Row(names)
        row.metadata = metadata
        row.sound = sound
        let base = splitPath(table).folder
        let place = splits?.splits(of: joinPath(base, sound ?? "")).first ?? place
        return Result { () throws(RecordFailure) in
            try row.record(in: tree, base: base, split: place, key: key)
        }
    }
}
