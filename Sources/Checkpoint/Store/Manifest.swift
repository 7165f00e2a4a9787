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
        let input = try open(Manifest.name, of: path)
        let json = Data(try input.bytes(at: 0, count: min(try input.byteCount, 1 << 20)))
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
        let file = try open(name, of: path)
        let found = try file.byteCount
        guard found == bytes else {
            throw CheckpointError.damaged(path: path, file: name, reason: "has \(found) bytes instead of \(bytes)")
        }
        var checksum = CRC32()
        var offset = 0
        while offset < bytes {
            let part = try file.bytes(at: offset, count: min(bytes - offset, 1 << 20))
            if part.isEmpty { break }
            part.withUnsafeBytes { checksum.update($0) }
            offset += part.count
        }
        guard hexadecimal(checksum.value) == crc32 else {
            throw CheckpointError.damaged(path: path, file: name, reason: "has changed since it was written")
        }
    }
}

private func open(_ name: String, of path: String) throws -> InputFile {
    guard Disk.exists("\(path)/\(name)") else {
        throw CheckpointError.damaged(path: path, file: name, reason: "is missing")
    }
    return try InputFile(path: "\(path)/\(name)", ordinary: true)
}
