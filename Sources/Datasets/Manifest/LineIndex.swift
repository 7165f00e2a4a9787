import Checkpoint

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where the lines of a file are, so that any one of them can be read; 16 bytes a line.
struct LineIndex: Sendable {
    struct Line: Sendable {
        let offset: Int
        let length: UInt32
        /// From 1, blank lines counted.
        let number: UInt32
    }

    private(set) var lines: [Line] = []
    private let path: String
    private let byteCount: Int
    /// Nil where it is opened for each line.
    private let file: InputFile?

    /// The longest line that is read; longer ones are in the index and cannot be read.
    static let maximumLength = 1 << 20

    /// Reads the file once and keeps the lines that `belongs` says so of. Blank lines are left out; a line that is too long
    /// is kept unseen, to be reported by who reads it.
    ///
    /// - Parameters:
    ///   - quoted: whether a line end between double quotes belongs to the line.
    ///   - start: where in the file to begin.
    ///   - keepsOpen: whether the file stays open, so that lines are those of the file that was indexed whatever takes its place;
    ///     else it is opened for each line, as a process may not have many files open.
    init(
        path: String, quoted: Bool = false, from start: Int = 0, keepsOpen: Bool = true,
        belongs: (UnsafeRawBufferPointer) -> Bool
    ) throws(FileError) {
        let file = try InputFile(path: path, ordinary: true)
        self.path = path
        self.file = keepsOpen ? file : nil
        byteCount = try file.byteCount
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.maximumLength * 2, alignment: 16)
        defer { buffer.deallocate() }
        var scan = LineScan(isQuoted: quoted, number: start > 0 ? 1 : 0)
        scan.lines.reserveCapacity(byteCount / 256)
        var (filled, offset) = (0, start)
        while true {
            let count = try file.read(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]), at: offset + filled)
            filled += count
            let rest = scan.take(
                UnsafeRawBufferPointer(rebasing: buffer[..<filled]), at: offset, isLast: count == 0, belongs)
            if count == 0 { break }
            // What is left is half a line; one that fills the buffer is given up, its length still counted.
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[(filled - rest)..<filled]))
            offset += filled - rest
            filled = rest
        }
        lines = scan.lines
    }

    var count: Int { lines.count }

    /// The bytes of a line, without its end.
    ///
    /// - Throws: `FileError`, with `ESTALE` where the file that is opened again has another length.
    func bytes(_ index: Int) throws(FileError) -> [UInt8] {
        let line = lines[index]
        if let file { return try file.bytes(at: line.offset, count: Int(line.length)) }
        let reopened = try InputFile(path: path, ordinary: true)
        guard try reopened.byteCount == byteCount else { throw FileError(path: path, action: .read, code: ESTALE) }
        return try reopened.bytes(at: line.offset, count: Int(line.length))
    }
}

/// Finds line ends in a file that is handed over piece by piece.
private struct LineScan {
    var lines: [LineIndex.Line] = []
    private let isQuoted: Bool
    private var number: UInt32
    /// Where a line began that does not fit into a piece.
    private var longStart: Int?

    init(isQuoted: Bool, number: UInt32) {
        self.isQuoted = isQuoted
        self.number = number
    }

    /// Takes the whole lines of a piece that starts at `offset`, and returns how many bytes at its end to show again.
    mutating func take(
        _ piece: UnsafeRawBufferPointer, at offset: Int, isLast: Bool, _ belongs: (UnsafeRawBufferPointer) -> Bool
    ) -> Int {
        var start = 0
        while start < piece.count, let end = newline(in: piece, from: start) {
            add(piece, start..<end, at: offset, belongs)
            start = end + 1
        }
        let rest = piece.count - start
        if isLast {
            if rest > 0 || longStart != nil { add(piece, start..<piece.count, at: offset, belongs) }
            return 0
        }
        guard rest > LineIndex.maximumLength else { return rest }
        if longStart == nil { longStart = offset + start }
        return 0
    }

    private mutating func add(
        _ piece: UnsafeRawBufferPointer, _ range: Range<Int>, at offset: Int,
        _ belongs: (UnsafeRawBufferPointer) -> Bool
    ) {
        number &+= 1
        let begin = longStart ?? offset + range.lowerBound
        let length = offset + range.upperBound - begin
        defer { longStart = nil }
        if length <= LineIndex.maximumLength {
            let line = UnsafeRawBufferPointer(rebasing: piece[range])
            guard line.contains(where: { $0 > 0x20 }), belongs(line) else { return }
        }
        lines.append(
            LineIndex.Line(offset: begin, length: UInt32(clamping: length), number: number))
    }

    private func newline(in piece: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let base = piece.baseAddress else { return nil }
        guard isQuoted else {
            return memchr(base + start, 0x0A, piece.count - start).map { UnsafeRawPointer($0) - base }
        }
        // As `CSVRows` reads fields: a quote opens one only where it begins, and is text elsewhere.
        var (isOpen, isEmpty) = (false, true)
        var position = start
        while position < piece.count {
            let byte = piece[position]
            position += 1
            switch (byte, isOpen) {
            case (UInt8(ascii: "\""), true):
                if position < piece.count, piece[position] == byte {
                    isEmpty = false
                    position += 1
                } else {
                    isOpen = false
                }
            case (UInt8(ascii: "\""), false) where isEmpty: isOpen = true
            case (UInt8(ascii: ","), false): isEmpty = true
            case (0x0A, false): return position - 1
            default: isEmpty = false
            }
        }
        return nil
    }
}
