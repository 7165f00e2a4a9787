/// A row of a table of sounds, in whichever format: the file that it names, and what it says of it.
struct Row {
    var sound: String?
    var metadata: MetadataBuilder
    private var rank = Int.max
    private let names: ColumnNames

    init(_ names: ColumnNames) {
        self.names = names
        metadata = MetadataBuilder(names)
    }

    mutating func set(column: String, to text: String?) {
        metadata.set(column: column, to: text)
        if let text, let place = names.sound.firstIndex(of: column), place <= rank { (sound, rank) = (text, place) }
    }

    /// The record, its file sought below the folder `base` of the dataset.
    func record(in tree: any FileTree, base: String, split: String?, key: String) throws(RecordFailure) -> Record {
        guard let sound else { throw RecordFailure(key: key, .noSound, "it names no file") }
        var metadata = metadata.metadata
        metadata.split = metadata.split ?? split
        let path = joinPath(base, sound)
        // Checked alone too: joined to a base, an absolute path would look like one below it.
        guard isInside(sound) else {
            throw RecordFailure(key: key, .outsideDataset, "'\(sound.prefix(200))' is not a path below its folder")
        }
        return Record(key: path, sound: .file(path: try tree.file(path, key: key)), metadata: metadata)
    }
}

/// Which rows of a table belong to the split that was asked for.
///
/// A `split` column decides; else where the sound is; else where the table is.
struct RowFilter: Sendable {
    let split: String
    let splits: Splits?
    let base: String
    let table: String

    func admits(column: String?, sound: String?) -> Bool {
        if let column { return column == split }
        guard let splits else { return false }
        if let sound, let found = splits.splits(of: joinPath(base, sound)).first { return found == split }
        return splits.splits(of: table).contains(split)
    }

    /// Those by which such a row would be admitted.
    func splits(column: String?, sound: String?) -> [String] {
        if let column { return [column] }
        guard let splits else { return [] }
        if let sound, let found = splits.splits(of: joinPath(base, sound)).first { return [found] }
        return splits.splits(of: table)
    }
}
