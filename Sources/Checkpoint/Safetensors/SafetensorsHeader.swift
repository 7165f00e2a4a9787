import Tensor

#if _endian(big)
    #error("safetensors is little-endian, and host arrays are copied to it as they are")
#endif

/// The table at the front of a safetensors file: `[length: u64][JSON, padded with spaces][data]`.
struct SafetensorsHeader {
    /// The reference implementation's limit on the JSON, in bytes.
    static let byteLimit = 100_000_000

    struct Entry {
        let type: TensorType
        /// Where the data lies, from the start of the file.
        let range: Range<Int>
    }

    let entries: [String: Entry]
    let metadata: [String: String]

    /// Reads and checks the header: every tensor has as many bytes as its type takes, and together they fill the file with
    /// neither gaps nor overlaps. What passes can be read without further checks.
    init(reading file: InputFile) throws {
        let path = file.name
        let fileByteCount = try file.byteCount
        let prefix = try file.bytes(at: 0, count: 8)
        guard prefix.count == 8 else {
            throw SafetensorsError.truncated(path: path, byteCount: fileByteCount, needed: 8)
        }
        let length = prefix.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= Self.byteLimit else { throw SafetensorsError.headerTooLarge(path: path, byteCount: length) }
        let dataStart = 8 + Int(length)
        guard dataStart <= fileByteCount else {
            throw SafetensorsError.truncated(path: path, byteCount: fileByteCount, needed: dataStart)
        }

        var parser = HeaderParser(try file.bytes(at: 8, count: Int(length)))
        let parsed: (entries: [String: HeaderParser.Entry], metadata: [String: String])
        do {
            parsed = try parser.header()
        } catch {
            throw SafetensorsError.malformedHeader(path: path, offset: 8 + error.offset, reason: error.reason)
        }

        metadata = parsed.metadata
        entries = try Dictionary(
            uniqueKeysWithValues: parsed.entries.map { name, entry in
                (name, try Self.checked(entry, name: name, dataStart: dataStart, path: path))
            })
        try checkCoverage(dataStart: dataStart, fileByteCount: fileByteCount, path: path)
    }

    private static func checked(
        _ entry: HeaderParser.Entry, name: String, dataStart: Int, path: String
    ) throws(SafetensorsError) -> Entry {
        guard let dtype = DType(safetensorsName: entry.dtype) else {
            throw .unsupportedDType(path: path, name: name, dtype: entry.dtype)
        }
        // An extent of zero counts as one here: shapes multiply their extents in any order, and none may overflow.
        var bound = dtype.byteCount
        for extent in entry.shape {
            let (product, overflow) = bound.multipliedReportingOverflow(by: max(extent, 1))
            guard !overflow else { throw .invalidTensor(path: path, name: name, reason: "has an impossible shape") }
            bound = product
        }
        let type = TensorType(dtype, Shape(entry.shape))
        guard entry.offsets.count == 2, entry.offsets[0] <= entry.offsets[1],
            case let (end, overflow) = dataStart.addingReportingOverflow(entry.offsets[1]), !overflow
        else {
            throw .invalidTensor(path: path, name: name, reason: "has impossible offsets \(entry.offsets)")
        }
        let range = dataStart + entry.offsets[0]..<end
        guard range.count == type.byteCount else {
            throw .invalidTensor(
                path: path, name: name,
                reason: "is \(type), \(type.byteCount) bytes, and \(range.count) are given to it")
        }
        return Entry(type: type, range: range)
    }

    private func checkCoverage(dataStart: Int, fileByteCount: Int, path: String) throws(SafetensorsError) {
        var covered = dataStart
        for (name, entry) in entries.sorted(by: {
            ($0.value.range.lowerBound, $0.value.range.upperBound) < (
                $1.value.range.lowerBound, $1.value.range.upperBound
            )
        }) {
            let range = entry.range
            guard range.upperBound <= fileByteCount else {
                throw .truncated(path: path, byteCount: fileByteCount, needed: range.upperBound)
            }
            if range.lowerBound > covered {
                throw .unusedBytes(path: path, offset: covered, count: range.lowerBound - covered)
            }
            guard range.lowerBound == covered else {
                throw .invalidTensor(path: path, name: name, reason: "shares bytes with another tensor")
            }
            covered = range.upperBound
        }
        guard covered == fileByteCount else {
            throw .unusedBytes(path: path, offset: covered, count: fileByteCount - covered)
        }
    }
}

extension SafetensorsHeader {
    static let dtypeNames = DType.allCases.map(\.safetensorsName)
}

extension DType {
    var safetensorsName: String { rawValue.uppercased() }

    init?(safetensorsName name: String) {
        guard name == name.uppercased() else { return nil }
        self.init(rawValue: name.lowercased())
    }
}
