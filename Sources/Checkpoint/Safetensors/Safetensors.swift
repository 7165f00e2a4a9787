public import Tensor

/// Writing safetensors files.
public enum Safetensors {
    /// Writes `arrays` to a file at `path`, which appears complete or not at all.
    ///
    /// Equal input gives equal bytes: tensors stand in the reference implementation's order, wider element types first
    /// and then by name, so that every tensor is aligned to its element.
    ///
    /// - Throws: `FileError`, and then an earlier file at `path` is as it was.
    public static func write(
        _ arrays: [String: HostArray], metadata: [String: String] = [:], to path: String
    ) throws {
        let file = try OutputFile(path: path)
        try write(arrays, metadata: metadata, to: file)
        try file.commit()
    }

    /// Writes `arrays` to `file` and leaves it to the caller to commit.
    public static func write(
        _ arrays: [String: HostArray], metadata: [String: String] = [:], to file: OutputFile
    ) throws {
        let ordered = arrays.sorted { first, second in
            let (one, other) = (fileOrder[first.value.dtype] ?? 0, fileOrder[second.value.dtype] ?? 0)
            return one != other ? one < other : first.key.utf8.lexicographicallyPrecedes(second.key.utf8)
        }
        let json = try header(of: ordered.map { ($0.key, $0.value.type) }, metadata: metadata, path: file.name)
        try file.write(withUnsafeBytes(of: UInt64(json.count).littleEndian) { Array($0) } + json)
        for (_, array) in ordered { try file.write(array.bytes) }
    }

    private static let fileOrder = Dictionary(
        uniqueKeysWithValues: [
            DType.u64, .i64, .f64, .f32, .u32, .i32, .bf16, .f16, .u16, .i16, .i8, .u8, .bool,
        ].enumerated().map { ($1, $0) })

    /// The JSON, padded with spaces so that the data begins at a multiple of 8.
    private static func header(
        of tensors: [(name: String, type: TensorType)], metadata: [String: String], path: String
    ) throws(SafetensorsError) -> [UInt8] {
        var members: [String] = []
        if !metadata.isEmpty {
            let strings = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map {
                "\(quoted($0)):\(quoted($1))"
            }
            members.append("\"__metadata__\":{\(strings.joined(separator: ","))}")
        }
        var end = 0
        for (name, type) in tensors {
            guard name != "__metadata__" else {
                throw .invalidTensor(path: path, name: name, reason: "has a name that the format keeps for itself")
            }
            let start = end
            end += type.byteCount
            let shape = type.shape.map(String.init).joined(separator: ",")
            members.append(
                "\(quoted(name)):{\"dtype\":\"\(type.dtype.safetensorsName)\",\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(start),\(end)]}")
        }
        var json = Array("{\(members.joined(separator: ","))}".utf8)
        json.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - json.count % 8) % 8))
        guard json.count <= SafetensorsHeader.byteLimit else {
            throw .headerTooLarge(path: path, byteCount: UInt64(json.count))
        }
        return json
    }

    /// `string` as JSON, escaping no more than JSON demands.
    private static func quoted(_ string: String) -> String {
        var quoted = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\u{8}": quoted += "\\b"
            case "\u{C}": quoted += "\\f"
            case "\0"..<" ":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
