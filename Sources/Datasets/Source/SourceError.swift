public import Checkpoint

/// A dataset, or a shard of one, that cannot be used at all.
public enum SourceError: Error, Hashable, CustomStringConvertible {
    case file(FileError)
    /// Nothing in the folder is laid out as a dataset.
    case unknownLayout(name: String, reason: String)
    case noSuchSplit(name: String, split: String, present: [String])
    case badLocator(String, reason: String)
    /// The reason says what to do, too.
    case malformed(path: String, reason: String)
    /// A file without which nothing can be read, or that could not be fetched.
    case unavailable(RecordFailure)
    /// Arrow, which reads Parquet, is not installed, or is not the one that is asked for.
    case parquetUnavailable(reason: String)
    case hub(HubError)

    public var description: String {
        switch self {
        case .file(let error): error.description
        case .unknownLayout(let name, let reason):
            "\(name): \(reason). A dataset is a folder with manifest.jsonl, metadata.csv, .jsonl or .parquet, or sound "
                + "files; Parquet files; or WebDataset .tar files."
        case .noSuchSplit(let name, let split, let present):
            "\(name): has no split '\(split)'; "
                + (present.isEmpty
                    ? "no row tells its split. Give the rows a `split`, or name the folder if its folders and files tell."
                    : "it has \(present.sorted().joined(separator: ", ")).")
        case .badLocator(let locator, let reason):
            "\(locator): \(reason). Give a folder, files such as 'shard-{0000..0012}.tar', or hf://datasets/OWNER/NAME@REVISION."
        case .malformed(let path, let reason): "\(path): \(reason)."
        case .unavailable(let failure): "\(failure)."
        case .parquetUnavailable(let reason):
            "Parquet files cannot be read: \(reason). Run `make arrow` in Allophone's folder, and set ALLOPHONE_PARQUET to "
                + "the liballophone_parquet.so that it makes where the program is not run there."
        case .hub(let error): error.description
        }
    }
}
