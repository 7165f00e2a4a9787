/// WebDataset shards: tar archives in which the files of a record follow each other and share a name up to its first full
/// stop, `KEY.flac` with `KEY.json` and `KEY.txt`.
struct WebDatasetSource: Source {
    let name: String
    let shards: [Shard]

    private let tree: any FileTree
    private let splits: Splits?
    private let columns: ColumnNames

    init(_ tree: any FileTree, paths: [String], splits: Splits?, columns: ColumnNames) {
        self.tree = tree
        self.splits = splits
        self.columns = columns
        name = tree.name
        shards = paths.map {
            Shard(name: $0, recordCount: nil, isRandomAccess: false, byteCount: tree.byteCount($0))
        }
    }

    func open(shard: Int, at ordinal: Int) throws(SourceError) -> any ShardReader {
        let table = shards[shard].name
        switch try tree.shard(table) {
        case .failure(let failure): return FailedReader(failure, at: ordinal)
        case .success(let path):
            let reader = WebDatasetReader(path: path, shard: table, split: splits?.splits(of: table).first, columns)
            reader.seek(to: ordinal)
            return reader
        }
    }

    /// Whether a file is a shard, by its name.
    static func isShard(_ path: String) -> Bool {
        let name = path.lowercased()
        return [".tar", ".tar.gz", ".tgz", ".tar.zst"].contains { name.hasSuffix($0) }
    }
}

final class WebDatasetReader: ShardReader {
    private(set) var ordinal = 0

    private let path: String
    private let shard: String
    private let split: String?
    private let columns: ColumnNames

    private enum State {
        case unopened
        /// The member, of the record to come, whose header has been read.
        case open(TarReader, TarReader.Member?)
        case ended
    }
    private var state = State.unopened

    init(path: String, shard: String, split: String?, _ columns: ColumnNames) {
        self.path = path
        self.shard = shard
        self.split = split
        self.columns = columns
    }

    /// Members that are passed over are not read; in an archive that is not compressed they are jumped.
    func seek(to ordinal: Int) {
        if ordinal < self.ordinal {
            self.ordinal = 0
            state = .unopened
        }
        while self.ordinal < ordinal, record(isWanted: false) != nil {}
    }

    func next() -> Result<Record, RecordFailure>? { record(isWanted: true) }

    private func record(isWanted: Bool) -> Result<Record, RecordFailure>? {
        var parts = RecordParts()
        do throws(TarReader.Failure) {
            if case .unopened = state {
                let archive = try TarReader(path: path)
                state = .open(archive, try nextMember(archive))
            }
            guard case .open(let archive, var member?) = state else {
                state = .ended
                return nil
            }
            parts.key = memberKey(member.path)
            while true {
                if isWanted { try parts.add(member, of: archive) }
                let following = try nextMember(archive)
                state = .open(archive, following)
                guard let following, memberKey(following.path) == parts.key else { break }
                member = following
            }
        } catch {
            // Where a member begins is known only from the one before it.
            state = .ended
            ordinal += 1
            return .failure(RecordFailure(key: joinPath(shard, parts.key), error.kind, "\(path): \(error.reason)"))
        }
        ordinal += 1
        let key = joinPath(shard, parts.key)
        guard isWanted else { return .failure(RecordFailure(key: key, .noSound, "passed over")) }
        return Result { () throws(RecordFailure) in try parts.record(key: key, split: split, columns) }
    }

    /// What begins with two underscores is about the archive, by WebDataset's convention.
    private func nextMember(_ archive: TarReader) throws(TarReader.Failure) -> TarReader.Member? {
        while let member = try archive.next() {
            if isVisible(splitPath(member.path).file) { return member }
        }
        return nil
    }
}

/// A member's path up to the first full stop of its file name.
private func memberKey(_ path: String) -> String {
    let (folder, file) = splitPath(path)
    return joinPath(folder, String(file.prefix { $0 != "." }))
}

/// What has been read of a record's members.
private struct RecordParts {
    var key = ""
    private var sound: (bytes: [UInt8], name: String)?
    private var json: [UInt8]?
    private var text: [UInt8]?
    private var fault: (kind: RecordFailure.Kind, detail: String)?
    private var names: [String] = []

    mutating func add(_ member: TarReader.Member, of archive: TarReader) throws(TarReader.Failure) {
        let name = splitPath(member.path).file
        if names.count < 16 { names.append(name) }
        let kind = fileExtension(name)
        let isDescription = kind == "json" || kind == "txt"
        guard isDescription || soundExtensions.contains(kind) else { return }
        if member.byteCount > (isDescription ? LineIndex.maximumLength : TarReader.maximumMemberBytes) {
            fault = (.tooLarge, "\(name) is of \(member.byteCount) bytes")
            return
        }
        let bytes = try archive.contents(of: member)
        switch kind {
        case "json": json = json ?? bytes
        case "txt": text = text ?? bytes
        default:
            if sound != nil { fault = (.malformed, "more than one sound: \(names.joined(separator: ", "))") }
            sound = (bytes, name)
        }
    }

    func record(key: String, split: String?, _ columns: ColumnNames) throws(RecordFailure) -> Record {
        if let fault { throw RecordFailure(key: key, fault.kind, fault.detail) }
        guard let sound else { throw RecordFailure(key: key, .noSound, "only \(names.joined(separator: ", "))") }
        guard !sound.bytes.isEmpty else { throw RecordFailure(key: key, .empty, "\(sound.name) is empty") }
        var metadata = Record.Metadata()
        if let json {
            do throws(RowFault) {
                metadata = try json.withBytes { bytes throws(RowFault) in
                    try JSONRows(columns: columns).row(bytes).metadata.metadata
                }
            } catch {
                throw RecordFailure(key: key, .malformed, "its .json: \(error.reason)")
            }
        }
        if let text, metadata.text == nil {
            guard let text = String(validating: text, as: UTF8.self) else {
                throw RecordFailure(key: key, .malformed, "its .txt is not UTF-8")
            }
            metadata.text = text.last?.isNewline == true ? String(text.dropLast()) : text
        }
        metadata.split = metadata.split ?? split
        return Record(key: key, sound: .bytes(sound.bytes, name: sound.name), metadata: metadata)
    }
}
