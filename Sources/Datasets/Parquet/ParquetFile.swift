/// A Parquet file open for reading, batch of rows by batch of rows. It belongs to one thread at a time.
final class ParquetFile {
    struct Failure: Error, Hashable {
        let reason: String
        /// How many rows are lost by it.
        var rowCount = 0
    }

    struct Column {
        enum Kind: Int32 {
            case other, scalar, bytes
            /// Hugging Face's `{bytes, path}`.
            case bytesAndPath
        }
        let name: String
        let kind: Kind
    }

    enum Part: Int32 { case value, path }

    let columns: [Column]

    private let library: ParquetLibrary
    private let handle: UnsafeMutableRawPointer

    init(path: String, _ library: ParquetLibrary) throws(Failure) {
        let result = message { library.open(path, $0, $1) }
        guard let handle = result.value else { throw Failure(reason: result.message) }
        self.library = library
        self.handle = handle
        columns = (0..<library.columnCount(handle)).map { index in
            Column(
                name: library.columnName(handle, index).map { String(cString: $0) } ?? "",
                kind: Column.Kind(rawValue: library.columnKind(handle, index)) ?? .other)
        }
    }

    deinit { library.close(handle) }

    /// Reads these columns from now on, from the given row.
    func start(columns: [Int], row: Int) throws(Failure) {
        let columns = columns.map(Int32.init)
        let result = message { library.start(handle, columns, Int32(columns.count), Int64(row), $0, $1) }
        guard result.value == 1 else { throw Failure(reason: result.message) }
    }

    /// Loads the next rows, and returns how many; 0 at the end. After a failure the next call goes on behind it.
    func next() throws(Failure) -> Int {
        var lost: Int64 = 0
        let result = message { library.next(handle, &lost, $0, $1) }
        guard result.value >= 0 else { throw Failure(reason: result.message, rowCount: Int(lost)) }
        return Int(result.value)
    }

    /// A value of the loaded rows, by the place of its column among those started with; nil for null.
    func bytes(_ column: Int, row: Int) -> [UInt8]? {
        value(column, row, .value) { [UInt8]($0) }
    }

    /// The same, as text; nil also where it is not UTF-8.
    func text(_ column: Int, row: Int, _ part: Part = .value) -> String? {
        value(column, row, part) { String(validating: $0, as: UTF8.self) } ?? nil
    }

    private func value<Value>(_ column: Int, _ row: Int, _ part: Part, _ body: (UnsafeRawBufferPointer) -> Value)
        -> Value?
    {
        var (start, length): (UnsafePointer<UInt8>?, Int64) = (nil, 0)
        guard library.value(handle, Int32(column), Int64(row), part.rawValue, &start, &length) == 1 else { return nil }
        return body(UnsafeRawBufferPointer(start: start, count: Int(length)))
    }
}

/// Calls a function that writes a message where it fails.
private func message<Value>(_ call: (UnsafeMutablePointer<CChar>, Int) -> Value) -> (value: Value, message: String) {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1024) { buffer in
        buffer.initialize(repeating: 0)
        let value = call(buffer.baseAddress!, buffer.count)
        return (value, String(cString: buffer.baseAddress!))
    }
}
