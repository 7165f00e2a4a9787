import Checkpoint

/// The bytes of a token file in pieces, each followed by the checksum of everything up to it.
struct SealedInput {
    let input: InputFile
    /// Frames read so far, for the error when the file ends.
    var frameCount = 0

    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    private var available = 0..<0
    private var checksum = CRC32()

    init(_ input: InputFile) { self.input = input }

    var name: String { input.name }

    /// The next `count` bytes, which count for the next checksum.
    ///
    /// - Throws: `TokenFileError.truncated` when there are not as many, or `FileError`.
    mutating func bytes(_ count: Int) throws -> [UInt8] {
        let bytes = try raw(count)
        checksum.update(bytes)
        return bytes
    }

    /// Checks the checksum that is next.
    ///
    /// - Parameter block: What it seals, for the error.
    mutating func checkSeal(block: Int?) throws {
        guard try raw(4).littleEndian(UInt32.self, at: 0) == checksum.value else {
            throw TokenFileError.corrupted(name: name, block: block, reason: "its checksum is wrong")
        }
    }

    /// Whether nothing follows; waits for the writer's end of a pipe to close.
    mutating func isAtEnd() throws -> Bool {
        if available.isEmpty { try fill() }
        return available.isEmpty
    }

    /// As many of the next `count` bytes as there are before the end.
    mutating func prefix(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            if available.isEmpty { try fill() }
            if available.isEmpty { break }
            let part = available.prefix(count - bytes.count)
            bytes += buffer[part]
            available = part.upperBound..<available.upperBound
        }
        return bytes
    }

    private mutating func raw(_ count: Int) throws -> [UInt8] {
        let bytes = try prefix(count)
        guard bytes.count == count else { throw TokenFileError.truncated(name: name, frames: frameCount) }
        return bytes
    }

    /// Reads what there is, so that a block that has arrived is never kept waiting for the next.
    private mutating func fill() throws {
        let input = input
        available = 0..<(try buffer.withUnsafeMutableBytes { try input.read(into: $0) })
    }
}

extension SealedInput {
    /// The header at the front.
    mutating func header() throws -> TokenHeader {
        var bytes = try prefix(TokenHeader.magic.count)
        guard bytes == TokenHeader.magic else {
            if !bytes.isEmpty && TokenHeader.magic.starts(with: bytes) {
                throw TokenFileError.truncated(name: name, frames: 0)
            }
            throw TokenFileError.notATokenFile(name: name)
        }
        checksum.update(bytes)

        bytes += try self.bytes(2)
        let version = Int(bytes.littleEndian(UInt16.self, at: 8))
        if version > TokenHeader.version {
            throw TokenFileError.newerVersion(name: name, found: version, supported: TokenHeader.version)
        }
        bytes += try self.bytes(TokenHeader.fixedByteCount - bytes.count)
        bytes += try self.bytes(Int(bytes[11]) * TokenHeader.levelByteCount)
        if version >= 2 { bytes += try self.bytes(TokenHeader.priorByteCount) }
        try checkSeal(block: nil)
        guard version >= 1 else {
            throw TokenFileError.corrupted(name: name, block: nil, reason: "there is no version \(version)")
        }
        return try TokenHeader(bytes: bytes, name: name)
    }
}
