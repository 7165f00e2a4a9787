/// Why a checkpoint, or a folder of them, cannot be used.
public enum CheckpointError: Error, Hashable, CustomStringConvertible {
    /// A file of the checkpoint is missing, cut short or changed.
    case damaged(path: String, file: String, reason: String)
    /// The checkpoint was written by a newer version of this package.
    case newerFormat(path: String, found: Int, supported: Int)
    /// The folder is not named as a checkpoint is.
    case notACheckpoint(path: String)
    /// The folder has checkpoints, and not one that is whole.
    case noneIntact(folder: String, failures: [CheckpointError])
    case noSuchStep(folder: String, step: Int, available: [Int])
    case noSuchFile(path: String, file: String, available: [String])
    /// The state is not of the kind that was asked for.
    case invalidState(path: String, reason: String)
    /// A checkpoint cannot be saved under this name.
    case invalidName(String)

    public var description: String {
        switch self {
        case .damaged(let path, let file, let reason):
            "\(path): \(file) \(reason). Use an earlier checkpoint, and check the disk."
        case .newerFormat(let path, let found, let supported):
            "\(path): the checkpoint has format \(found), and this version reads up to \(supported). Update allophone."
        case .notACheckpoint(let path):
            "\(path): not a checkpoint. Give a folder such as checkpoints/step-00001200 of a run."
        case .noneIntact(let folder, let failures):
            "\(folder): none of the \(failures.count) checkpoints is whole. Restore one from a copy, or start in an empty "
                + "folder.\n" + failures.map { "  \($0)" }.joined(separator: "\n")
        case .noSuchStep(let folder, let step, let available):
            "\(folder): there is no checkpoint of step \(step); there are "
                + (available.isEmpty ? "none." : available.map(String.init).joined(separator: ", ") + ".")
        case .noSuchFile(let path, let file, let available):
            "\(path): the checkpoint has no \(file); it has \(available.joined(separator: ", "))."
        case .invalidState(let path, let reason):
            "\(path): the training state cannot be read: \(reason). It was saved by another version or another recipe; "
                + "start anew from the weights."
        case .invalidName(let name):
            "\"\(name)\" cannot name a file of a checkpoint: use letters, digits, \"-\" and \"_\"."
        }
    }
}
