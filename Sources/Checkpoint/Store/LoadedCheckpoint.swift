public import Tensor

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A checkpoint whose files have been found whole and unchanged.
public struct LoadedCheckpoint: Sendable {
    public let step: Int
    /// Its folder.
    public let path: String
    /// What is wrong with the newer checkpoints that were passed over for this one.
    public let skipped: [CheckpointError]

    let manifest: Manifest

    /// The names of the tensor files, without their extension.
    public var files: [String] {
        manifest.files.keys.filter { $0.hasSuffix(tensorExtension) }.map { String($0.dropLast(tensorExtension.count)) }
            .sorted()
    }

    /// One tensor file, such as `"model"`.
    ///
    /// - Throws: `CheckpointError` when there is none of that name, `FileError` or `SafetensorsError`.
    public func file(_ name: String) throws -> SafetensorsFile {
        guard manifest.files[name + tensorExtension] != nil else {
            throw CheckpointError.noSuchFile(
                path: path, file: name + tensorExtension, available: manifest.files.keys.sorted())
        }
        return try SafetensorsFile(path: "\(path)/\(name)\(tensorExtension)")
    }

    /// The tensors of one file, such as `"model"`.
    public func arrays(_ name: String) throws -> [String: HostArray] { try file(name).arrays() }

    /// The state that was saved beside the tensors.
    ///
    /// - Throws: `CheckpointError` when it is not a `State`.
    public func state<State: Decodable>(as: State.Type = State.self) throws -> State {
        guard manifest.files[stateFile] != nil else {
            throw CheckpointError.noSuchFile(path: path, file: stateFile, available: manifest.files.keys.sorted())
        }
        let path = "\(path)/\(stateFile)"
        let input = try InputFile(path: path, ordinary: true)
        let json = Data(try input.bytes(at: 0, count: try input.byteCount))
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do {
            return try decoder.decode(State.self, from: json)
        } catch let error as DecodingError {
            throw CheckpointError.invalidState(path: path, reason: reason(for: error))
        }
    }
}

/// A decoding error in one line: what is wrong, and where.
private func reason(for error: DecodingError) -> String {
    let context: DecodingError.Context
    switch error {
    case .typeMismatch(_, let where_), .valueNotFound(_, let where_), .dataCorrupted(let where_): context = where_
    case .keyNotFound(let key, _): return "there is no \"\(key.stringValue)\""
    @unknown default: return "\(error)"
    }
    let place = context.codingPath.map(\.stringValue).joined(separator: ".")
    return place.isEmpty ? context.debugDescription : "\(place): \(context.debugDescription)"
}
