import Checkpoint

/// Writes a tar archive (POSIX ustar) that appears whole or not at all.
struct TarWriter {
    private let output: OutputFile

    init(path: String) throws(FileError) { output = try OutputFile(path: path) }

    /// - Parameter name: ASCII, at most 100 bytes.
    func add(_ name: String, _ contents: [UInt8]) throws(FileError) {
        precondition(name.utf8.count <= 100, "'\(name)' is too long a name for an archive member")
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) { header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8) }
        func octal(_ value: Int, width: Int) -> String {
            let digits = String(value, radix: 8)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        put(name, at: 0)
        put("0000644", at: 100)
        put("0000000", at: 108)
        put("0000000", at: 116)
        put(octal(contents.count, width: 11), at: 124)
        // Always the same time, so that the same clips give the same archive.
        put("00000000000", at: 136)
        put("        ", at: 148)
        put("0", at: 156)
        put("ustar", at: 257)
        put("00", at: 263)
        put(octal(header.reduce(0) { $0 + Int($1) }, width: 6), at: 148)
        header[154] = 0
        try output.write(header)
        try output.write(contents)
        try output.write([UInt8](repeating: 0, count: (512 - contents.count % 512) % 512))
    }

    /// Ends the archive and gives it its name.
    func commit() throws(FileError) {
        try output.write([UInt8](repeating: 0, count: 1024))
        try output.commit()
    }
}
