#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The list of a checkpoint's files, written last: a checkpoint is whole if it has one and it is true.
struct Manifest: Codable {
    static let name = "manifest.json"
    static let currentFormat = 1

    struct Item: Codable {
        let bytes: Int
        /// Eight hexadecimal digits.
        let crc32: String
    }

    var format = Manifest.currentFormat
    let step: Int
    var files: [String: Item] = [:]

    private struct Format: Decodable {
        let format: Int
    }

    /// The manifest of the checkpoint at `path`, every file of which is present and unchanged.
    init(verifying path: String, step: Int) throws {
        let json = try reading(Manifest.name, of: path) { input throws(FileError) in
            Data(try input.bytes(at: 0, count: min(try input.byteCount, 1 << 20)))
        }
        do {
            let format = try JSONDecoder().decode(Format.self, from: json).format
            guard format <= Manifest.currentFormat else {
                throw CheckpointError.newerFormat(path: path, found: format, supported: Manifest.currentFormat)
            }
            self = try JSONDecoder().decode(Manifest.self, from: json)
        } catch is DecodingError {
            throw CheckpointError.damaged(path: path, file: Manifest.name, reason: "is not a manifest")
        }
        guard self.step == step else {
            throw CheckpointError.damaged(path: path, file: Manifest.name, reason: "is of step \(self.step)")
        }
        for (name, item) in files.sorted(by: { $0.key < $1.key }) { try item.verify(file: name, of: path) }
    }

    init(step: Int) { self.step = step }

    /// Adds what has been written to `file`, which must have been given a checksum at its start.
    mutating func add(_ name: String, _ file: OutputFile) {
        files[name] = Item(bytes: file.byteCount, crc32: hexadecimal(file.checksum?.value ?? 0))
    }
}

extension Manifest.Item {
    fileprivate func verify(file name: String, of path: String) throws {
        let (found, checksum) = try reading(name, of: path) { file throws(FileError) in
            let found = try file.byteCount
            var checksum = CRC32()
            var offset = 0
            while offset < bytes && found == bytes {
                let part = try file.bytes(at: offset, count: min(bytes - offset, 1 << 20))
                if part.isEmpty { break }
                part.withUnsafeBytes { checksum.update($0) }
                offset += part.count
            }
            return (found, checksum)
        }
        guard found == bytes else {
            throw CheckpointError.damaged(path: path, file: name, reason: "has \(found) bytes instead of \(bytes)")
        }
        guard hexadecimal(checksum.value) == crc32 else {
            throw CheckpointError.damaged(path: path, file: name, reason: "has changed since it was written")
        }
    }
}

/// What `body` gives of a file of the checkpoint at `path`. One that cannot be read is as bad as one that has changed, and an earlier
/// checkpoint may be better; what the process lacks itself is no fault of the checkpoint.
private func reading<Value>(
    _ name: String, of path: String, _ body: (InputFile) throws(FileError) -> Value
) throws -> Value {
    guard Disk.exists("\(path)/\(name)") else {
        throw CheckpointError.damaged(path: path, file: name, reason: "is missing")
    }
    do throws(FileError) {
        return try body(InputFile(path: "\(path)/\(name)", ordinary: true))
    } catch {
        if error.isOfTheProcess { throw error }
        throw CheckpointError.damaged(path: path, file: name, reason: "cannot be read: \(error.reason)")
    }
}
