public import Checkpoint

/// The file formats that tokens can be written in.
public enum TokenFormat: String, Sendable, CaseIterable {
    /// The token file, which alone can be decoded.
    case allo
    /// A NumPy array, `int64` `[frames, levels]`.
    case npy
    /// Codes and header as JSON.
    case json

    /// Begins a file of this format in `output`.
    ///
    /// - Throws: `FileError`.
    public func sink(to output: OutputFile, header: TokenHeader) throws -> any TokenSink {
        switch self {
        case .allo: try TokenWriter(to: output, header: header)
        case .npy: try NumPyTokenWriter(to: output, header: header)
        case .json: try JSONTokenWriter(to: output, header: header)
        }
    }
}
