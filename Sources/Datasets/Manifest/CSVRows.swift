import Checkpoint

/// Comma-separated values (RFC 4180): a header row, fields in quotes where they hold commas, quotes or line ends.
struct CSVRows: RowFormat {
    let firstRow: Int
    private let header: [String]
    private let columns: ColumnNames

    /// Reads the header.
    init(path: String, _ columns: ColumnNames) throws(SourceError) {
        let start: [UInt8]
        do throws(FileError) {
            start = try InputFile(path: path, ordinary: true).bytes(at: 0, count: LineIndex.maximumLength)
        } catch { throw .file(error) }
        let bom: [UInt8] = [0xEF, 0xBB, 0xBF]
        let skipped = start.starts(with: bom) ? bom.count : 0
        let end = start[skipped...].firstIndex(of: 0x0A) ?? start.count
        let row = Array(start[skipped..<end])
        do throws(RowFault) {
            header = try row.withBytes { bytes throws(RowFault) in try Self.fields(bytes) }
        } catch {
            throw .malformed(path: path, reason: "line 1, the header, has \(error.reason); save it as CSV in UTF-8")
        }
        firstRow = min(end + 1, start.count)
        self.columns = columns
    }

    func row(_ bytes: UnsafeRawBufferPointer) throws(RowFault) -> Row {
        let fields = try Self.fields(bytes)
        guard fields.count == header.count else {
            throw RowFault(reason: "\(fields.count) fields where the header names \(header.count)")
        }
        var row = Row(columns)
        // As an empty field is how CSV writes that there is no value.
        for (name, field) in zip(header, fields) where !field.isEmpty { row.set(column: name, to: field) }
        return row
    }

    static func fields(_ bytes: UnsafeRawBufferPointer) throws(RowFault) -> [String] {
        var fields: [String] = []
        var field: [UInt8] = []
        var isQuoted = false
        var position = 0
        var end = bytes.count
        if end > 0, bytes[end - 1] == 0x0D { end -= 1 }
        func text() throws(RowFault) -> String {
            guard let text = String(validating: field, as: UTF8.self) else {
                throw RowFault(reason: "a field that is not UTF-8")
            }
            return text
        }
        while position < end {
            let byte = bytes[position]
            position += 1
            switch (byte, isQuoted) {
            case (UInt8(ascii: "\""), true):
                if position < end, bytes[position] == byte {
                    field.append(byte)
                    position += 1
                } else {
                    isQuoted = false
                }
            case (UInt8(ascii: "\""), false) where field.isEmpty: isQuoted = true
            case (UInt8(ascii: ","), false):
                fields.append(try text())
                field.removeAll(keepingCapacity: true)
            default: field.append(byte)
            }
        }
        if isQuoted { throw RowFault(reason: "a quoted field that does not end") }
        fields.append(try text())
        return fields
    }
}
