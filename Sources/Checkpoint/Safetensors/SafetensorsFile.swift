public import Tensor

/// A safetensors file open for reading, tensor by tensor.
///
/// Opening reads and checks the header only. The file stays open, so what is read later belongs to the header even when
/// another file has taken its name meanwhile.
public final class SafetensorsFile: Sendable {
    /// The tensors by name.
    public let types: [String: TensorType]
    /// The strings stored beside the tensors.
    public let metadata: [String: String]

    private let file: InputFile
    private let ranges: [String: Range<Int>]

    /// Opens the file at `path`.
    ///
    /// - Throws: `FileError`, or `SafetensorsError` for anything that departs from the format.
    public init(path: String) throws {
        file = try InputFile(path: path, ordinary: true)
        let header = try SafetensorsHeader(reading: file)
        types = header.entries.mapValues(\.type)
        ranges = header.entries.mapValues(\.range)
        metadata = header.metadata
    }

    public var path: String { file.name }

    /// The names of the tensors, sorted.
    public var names: [String] { types.keys.sorted() }

    /// Reads one tensor, and no more of the file than that.
    ///
    /// - Throws: `FileError`, or `SafetensorsError` when there is no such tensor, the file has been cut since it was
    ///   opened, or an element of a boolean tensor is neither 0 nor 1.
    public func array(named name: String) throws -> HostArray {
        guard let type = types[name], let range = ranges[name] else {
            throw SafetensorsError.noSuchTensor(path: path, name: name, nearest: nearest(to: name))
        }
        let bytes = try file.bytes(at: range.lowerBound, count: range.count)
        guard bytes.count == range.count else {
            throw SafetensorsError.truncated(path: path, byteCount: try file.byteCount, needed: range.upperBound)
        }
        // Any other bit pattern in a Bool is undefined behaviour in Swift.
        if type.dtype == .bool, let invalid = bytes.first(where: { $0 > 1 }) {
            throw SafetensorsError.invalidTensor(path: path, name: name, reason: "holds \(invalid) as a truth value")
        }
        return HostArray(type: type, bytes: bytes)
    }

    /// Reads all tensors.
    public func arrays() throws -> [String: HostArray] {
        try Dictionary(uniqueKeysWithValues: types.keys.map { ($0, try array(named: $0)) })
    }

    /// The few names that begin most like `name`.
    private func nearest(to name: String) -> [String] {
        let likeness = names.map { (name: $0, length: $0.commonPrefix(with: name).count) }
        return likeness.sorted { $0.length > $1.length }.prefix(3).map(\.name)
    }
}

extension String {
    fileprivate func commonPrefix(with other: String) -> Substring {
        prefix(zip(self, other).prefix { $0 == $1 }.count)
    }
}
