import Checkpoint

/// Sound files described by a file of one JSON object a line: `manifest.jsonl`, with a `path`, or Hugging Face's
/// `metadata.jsonl`, with a `file_name`, relative to its folder.
///
/// Opening it reads the file once for where its lines are, and keeps that alone; a line is parsed when its record is read.
public struct ManifestSource: Source {
    public let name: String
    public let shards: [Shard]

    private let folder: DatasetFolder
    private let index: LineIndex
    private let columns: ColumnNames
    private let path: String

    /// - Parameters:
    ///   - split: the lines to keep, by their `split`; nil keeps all. Lines that cannot be read are kept, to be reported.
    /// - Throws: ``SourceError``.
    public init(
        folder: String, file: String = "manifest.jsonl", split: String? = nil, columns: ColumnNames = ColumnNames()
    ) throws(SourceError) {
        let path = "\(folder)/\(file)"
        do throws(FileError) {
            index = try LineIndex(path: path) { line in
                split.map { Self.belongs(line, to: $0, columns) } ?? true
            }
        } catch {
            throw .file(error)
        }
        if let split, index.count == 0 { throw .noSuchSplit(name: path, split: split, present: []) }
        self.folder = DatasetFolder(path: folder)
        self.columns = columns
        self.path = path
        name = folder
        shards = [Shard(name: file, recordCount: index.count, isRandomAccess: true)]
    }

    public func open(shard: Int, at ordinal: Int) -> any ShardReader {
        IndexedReader(count: index.count, at: ordinal) { record($0) }
    }

    private static func belongs(_ line: UnsafeRawBufferPointer, to split: String, _ columns: ColumnNames) -> Bool {
        var found = false
        do throws(JSONObject.Failure) {
            try JSONObject.forEachMember(of: line) { name, value throws(JSONObject.Failure) in
                guard columns.split.contains(where: name.equals), case .string(let text) = value else { return }
                found = text.equals(split)
            }
        } catch {
            return true
        }
        return found
    }

    private func record(_ ordinal: Int) -> Result<Record, RecordFailure> {
        let key = "\(path):\(index.lines[ordinal].number)"
        guard index.lines[ordinal].length <= LineIndex.maximumLength else {
            return .failure(RecordFailure(key: key, .tooLarge, "a line of more than \(LineIndex.maximumLength) bytes"))
        }
        do throws(FileError) {
            let line = try index.bytes(ordinal)
            return Result { () throws(RecordFailure) in
                try line.withBytes { bytes throws(RecordFailure) in try record(bytes, key: key) }
            }
        } catch {
            return .failure(RecordFailure(key: key, .unreadableFile, "\(error)"))
        }
    }

    private func record(_ line: UnsafeRawBufferPointer, key: String) throws(RecordFailure) -> Record {
        var sound: String?
        var rank = Int.max
        var metadata = MetadataBuilder(columns)
        do throws(JSONObject.Failure) {
            try JSONObject.forEachMember(of: line) { name, value throws(JSONObject.Failure) in
                let name = try name.decoded()
                let text = try value.text
                metadata.set(column: name, to: text)
                if let place = columns.sound.firstIndex(of: name), place <= rank, let text {
                    (sound, rank) = (text, place)
                }
            }
        } catch {
            throw RecordFailure(key: key, .malformed, "\(error.reason), at byte \(error.offset)")
        }
        if let fault = metadata.fault { throw RecordFailure(key: key, .malformed, fault) }
        guard let sound else { throw RecordFailure(key: key, .noSound, "it names no file") }
        return Record(
            key: sound, sound: .file(path: try folder.file(sound, key: key)), metadata: metadata.metadata)
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
