/// Why a safetensors file cannot be used.
public enum SafetensorsError: Error, Hashable, CustomStringConvertible {
    /// The file ends before what it announces.
    case truncated(path: String, byteCount: Int, needed: Int)
    /// The header is longer than the format allows.
    case headerTooLarge(path: String, byteCount: UInt64)
    /// The header is not the JSON that the format prescribes; `offset` is counted from the start of the file.
    case malformedHeader(path: String, offset: Int, reason: String)
    /// What the header says of one tensor cannot be true.
    case invalidTensor(path: String, name: String, reason: String)
    /// An element type that this package has no use for, such as an 8-bit float.
    case unsupportedDType(path: String, name: String, dtype: String)
    /// Bytes that belong to no tensor.
    case unusedBytes(path: String, offset: Int, count: Int)
    case noSuchTensor(path: String, name: String, nearest: [String])

    public var description: String {
        switch self {
        case .truncated(let path, let byteCount, let needed):
            "\(path): the file has \(byteCount) bytes where its header announces \(needed). "
                + "It was cut short or is no safetensors file; copy or download it again."
        case .headerTooLarge(let path, let byteCount):
            "\(path): the header would be \(byteCount) bytes long, and the limit is \(SafetensorsHeader.byteLimit). "
                + "This is probably not a safetensors file."
        case .malformedHeader(let path, let offset, let reason):
            "\(path): the header is malformed at byte \(offset): \(reason). "
                + "The file is damaged or no safetensors file; copy or download it again."
        case .invalidTensor(let path, let name, let reason):
            "\(path): tensor \"\(name)\" \(reason). The file is damaged; copy or download it again."
        case .unsupportedDType(let path, let name, let dtype):
            "\(path): tensor \"\(name)\" has elements of type \(dtype), which are not supported. "
                + "Convert it to one of \(SafetensorsHeader.dtypeNames.joined(separator: ", "))."
        case .unusedBytes(let path, let offset, let count):
            "\(path): the \(count) bytes from byte \(offset) on belong to no tensor. "
                + "The file is damaged; copy or download it again."
        case .noSuchTensor(let path, let name, let nearest):
            "\(path): there is no tensor \"\(name)\""
                + (nearest.isEmpty ? "." : "; it has \(nearest.map { "\"\($0)\"" }.joined(separator: ", ")), …")
        }
    }
}
