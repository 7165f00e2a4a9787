public import Checkpoint

/// The file formats that tokens can be written in.
public enum TokenFormat: String, Sendable, CaseIterable {
    /// The token file, which alone can be decoded.
    case allo
    /// A NumPy array, `int64` `[frames, levels]`.
    case npy
    /// Codes and header as JSON.
    case json

    /// The format that a file's extension names, in capitals too: `.npy` and `.json` those, and any other a token file.
    public init(path: String) {
        let name = path.lowercased()
        self = [.npy, .json].first { name.hasSuffix(".\($0.rawValue)") } ?? .allo
    }

    /// Begins a file of this format in `output`.
    ///
    /// - Parameter prior: The prior that the header names, if it names one; only a token file uses it.
    /// - Throws: `FileError`.
    public func sink(to output: OutputFile, header: TokenHeader, prior: TokenPrior? = nil) throws -> any TokenSink {
        switch self {
        case .allo: try TokenWriter(to: output, header: header, prior: prior)
        case .npy: try NumPyTokenWriter(to: output, header: header)
        case .json: try JSONTokenWriter(to: output, header: header)
        }
    }
}
