import Checkpoint

/// Sound files described by a table with a row for each: lines of JSON (`manifest.jsonl` with `path`, or Hugging Face's
/// `metadata.jsonl` with `file_name`) or CSV (`metadata.csv`). Paths are relative to the table's folder.
///
/// Opening it reads the file once for where its rows are, and keeps that alone; a row is parsed when its record is read.
public struct ManifestSource: Source {
    public let name: String
    public let shards: [Shard]

    private let tree: any FileTree
    private let index: LineIndex
    private let format: any RowFormat
    private let table: String
    /// The folder of the table in the dataset.
    private let base: String
    private let splits: Splits?
    /// Splits, some of them at least, of the rows that are not of the one that was asked for.
    let otherSplits: Set<String>

    /// More names than an error can list are not kept.
    private static let listedSplits = 32

    /// The manifest of a folder.
    ///
    /// - Parameters:
    ///   - split: the lines to keep, by their `split`; nil keeps all. Lines that cannot be read are kept, to be reported.
    /// - Throws: ``SourceError``.
    public init(
        folder: String, file: String = "manifest.jsonl", split: String? = nil, columns: ColumnNames = ColumnNames()
    ) throws(SourceError) {
        try self.init(DatasetFolder(path: folder), table: file, split: split, splits: nil, columns: columns)
        if let split, index.count == 0 {
            throw .noSuchSplit(name: "\(folder)/\(file)", split: split, present: Array(otherSplits))
        }
    }

    /// - Parameters:
    ///   - table: the relative path of a `.jsonl` or `.csv` file.
    ///   - splits: how the dataset's folders and files tell their split.
    ///   - keepsOpen: whether the table stays open; see ``LineIndex``.
    init(
        _ tree: any FileTree, table: String, split: String?, splits: Splits?, columns: ColumnNames,
        keepsOpen: Bool = true
    ) throws(SourceError) {
        let path = try tree.required(table)
        let isCSV = fileExtension(table) == "csv"
        let base = splitPath(table).folder
        let filter = split.map { RowFilter(split: $0, splits: splits, base: base, table: table) }
        var others: Set<String> = []
        let format: any RowFormat = isCSV ? try CSVRows(path: path, columns) : JSONRows(columns: columns)
        do throws(FileError) {
            index = try LineIndex(path: path, quoted: isCSV, from: format.firstRow, keepsOpen: keepsOpen) { row in
                guard let filter else { return true }
                guard let place = try? format.place(row) else { return true }
                if filter.admits(column: place.split, sound: place.sound) { return true }
                if others.count < Self.listedSplits {
                    others.formUnion(filter.splits(column: place.split, sound: place.sound))
                }
                return false
            }
        } catch {
            throw .file(error)
        }
        self.format = format
        self.tree = tree
        self.table = table
        self.base = base
        self.splits = splits
        otherSplits = others
        name = tree.name
        shards = [Shard(name: table, recordCount: index.count, isRandomAccess: true)]
    }

    public func open(shard: Int, at ordinal: Int) -> any ShardReader {
        IndexedReader(count: index.count, at: ordinal) { record($0) }
    }

    private func record(_ ordinal: Int) -> Result<Record, RecordFailure> {
        let key = "\(table):\(index.lines[ordinal].number)"
        guard index.lines[ordinal].length <= LineIndex.maximumLength else {
            return .failure(RecordFailure(key: key, .tooLarge, "a row of more than \(LineIndex.maximumLength) bytes"))
        }
        let bytes: [UInt8]
        do throws(FileError) { bytes = try index.bytes(ordinal) } catch {
            return .failure(RecordFailure(key: key, .unreadableFile, "\(error)"))
        }
        return Result { () throws(RecordFailure) in
            let row: Row
            do throws(RowFault) {
                row = try bytes.withBytes { bytes throws(RowFault) in try format.row(bytes) }
            } catch {
                throw RecordFailure(key: key, .malformed, error.reason)
            }
            let place = splits?.splits(of: joinPath(base, row.sound ?? "")).first ?? splits?.splits(of: table).first
            return try row.record(in: tree, base: base, split: place, key: key)
        }
    }
}

/// How a row is written.
protocol RowFormat: Sendable {
    /// Where in the file the first row is, in bytes.
    var firstRow: Int { get }
    func row(_ bytes: UnsafeRawBufferPointer) throws(RowFault) -> Row
    /// What tells the row's split, and no more.
    func place(_ bytes: UnsafeRawBufferPointer) throws(RowFault) -> (split: String?, sound: String?)
}

extension RowFormat {
    func place(_ bytes: UnsafeRawBufferPointer) throws(RowFault) -> (split: String?, sound: String?) {
        let row = try row(bytes)
        return (row.metadata.metadata.split, row.sound)
    }
}

/// What is wrong with a row.
struct RowFault: Error, Hashable {
    let reason: String
}

/// A JSON object a line.
struct JSONRows: RowFormat {
    let columns: ColumnNames
    var firstRow: Int { 0 }

    func row(_ bytes: UnsafeRawBufferPointer) throws(RowFault) -> Row {
        var row = Row(columns)
        do throws(JSONObject.Failure) {
            try JSONObject.forEachMember(of: bytes) { name, value throws(JSONObject.Failure) in
                let isAlignment = columns.phones.contains(where: name.equals)
                row.set(column: try name.decoded(), to: isAlignment ? value.json : try value.text)
            }
        } catch {
            throw RowFault(reason: "\(error.reason), at byte \(error.offset)")
        }
        return row
    }

    /// Every line of a manifest passes here when one split of it is opened: nothing is made into a string that need not be.
    func place(_ bytes: UnsafeRawBufferPointer) throws(RowFault) -> (split: String?, sound: String?) {
        var place: (split: String?, sound: String?)
        do throws(JSONObject.Failure) {
            try JSONObject.forEachMember(of: bytes) { name, value throws(JSONObject.Failure) in
                if columns.split.contains(where: name.equals) {
                    place.split = try value.text
                } else if columns.sound.contains(where: name.equals) {
                    place.sound = try value.text
                }
            }
        } catch {
            throw RowFault(reason: error.reason)
        }
        return place
    }
}

/// Reads records that can each be made by their ordinal.
final class IndexedReader: ShardReader {
    private(set) var ordinal: Int
    private let count: Int
    private let record: (Int) -> Result<Record, RecordFailure>

    init(count: Int, at ordinal: Int, record: @escaping (Int) -> Result<Record, RecordFailure>) {
        self.count = count
        self.ordinal = max(0, ordinal)
        self.record = record
    }

    func next() -> Result<Record, RecordFailure>? {
        guard ordinal < count else { return nil }
        defer { ordinal += 1 }
        return record(ordinal)
    }

    func seek(to ordinal: Int) { self.ordinal = max(0, ordinal) }
}
