public import Checkpoint

/// Why a token file cannot be read, or frames not be written. `name` is the path, or what a pipe was called.
public enum TokenFileError: Error, Hashable, CustomStringConvertible {
    case notATokenFile(name: String)
    /// The file was written by a newer version of the format.
    case newerVersion(name: String, found: Int, supported: Int)
    /// The file ends before its end block; the first `frames` frames are good.
    case truncated(name: String, frames: Int)
    /// What the file holds cannot have been written; `block` counts from 1, and `nil` is the header.
    case corrupted(name: String, block: Int?, reason: String)
    /// The header is whole, but describes tokens that this version cannot hold.
    case unsupportedLayout(name: String, reason: String)
    /// The tokens are another model's.
    case wrongModel(name: String, expected: Fingerprint, found: Fingerprint)
    /// The codes are written with a prior that the model at hand has not.
    case wrongPrior(name: String)
    /// The frames to be written do not fit the layout.
    case invalidFrames(name: String, reason: String)

    public var description: String {
        switch self {
        case .notATokenFile(let name):
            "\(name): this is no Allophone token file. Make one with `allophone encode`."
        case .newerVersion(let name, let found, let supported):
            "\(name): the token file has version \(found), and this program reads up to \(supported). Update allophone."
        case .truncated(let name, let frames):
            "\(name): the token file was cut short after \(frames) frames. Copy or encode it again."
        case .corrupted(let name, let block, let reason):
            "\(name): \(block.map { "block \($0)" } ?? "the header") of the token file is damaged: \(reason). "
                + "Copy or encode it again."
        case .unsupportedLayout(let name, let reason):
            "\(name): the token file has \(reason). Update allophone, or encode the audio again."
        case .wrongModel(let name, let expected, let found):
            "\(name): the tokens were made by model \(found.description.prefix(16))…, and the model at hand is "
                + "\(expected.description.prefix(16))…. Decode them with the model that made them."
        case .wrongPrior(let name):
            "\(name): the tokens are written with a prior that the model at hand does not have. Decode them with the file of the "
                + "model that made them."
        case .invalidFrames(let name, let reason):
            "\(name): these tokens cannot be written: \(reason). The model does not match its configuration."
        }
    }
}
