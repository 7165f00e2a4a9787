public import Checkpoint

/// A dataset, or a shard of one, that cannot be used at all.
public enum SourceError: Error, Hashable, CustomStringConvertible {
    case file(FileError)
    /// Nothing in the folder is laid out as a dataset.
    case unknownLayout(name: String, reason: String)
    case noSuchSplit(name: String, split: String, present: [String])
    case malformed(path: String, reason: String)

    public var description: String {
        switch self {
        case .file(let error): error.description
        case .unknownLayout(let name, let reason):
            "\(name): \(reason). A dataset is a folder with manifest.jsonl, metadata.csv, .jsonl or .parquet, or sound files; "
                + "Parquet files; or WebDataset .tar files."
        case .noSuchSplit(let name, let split, let present):
            "\(name): has no split '\(split)'; it has \(present.sorted().joined(separator: ", "))."
        case .malformed(let path, let reason): "\(path): \(reason). Copy or download it again."
        }
    }
}
