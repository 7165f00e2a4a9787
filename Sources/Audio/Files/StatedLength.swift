/// How many times as long a sound is, by its header, as what is there of it: more than 1 for a file that was cut short.
///
/// libsndfile quietly shortens WAV, RF64, W64, AIFF and AU files whose data is longer than the file, and refuses such CAF files
/// itself. Nil for whole files, for other formats, and where the length is a placeholder of a program that could not know it.
func statedShare(fileSize: Int, _ bytes: @escaping (_ offset: Int, _ count: Int) -> [UInt8]?) -> Double? {
    guard let data = Header(bytes: bytes).statedData(), data.offset < fileSize else { return nil }
    let present = fileSize - data.offset
    return data.size > present ? Double(data.size) / Double(present) : nil
}

/// Lengths from here on, in bytes, are put by programs that write into a pipe.
let placeholderLength = 0x7FFF_0000

private struct Header {
    let bytes: (_ offset: Int, _ count: Int) -> [UInt8]?

    /// Where the data begins, and how long it is said to be.
    func statedData() -> (offset: Int, size: Int)? {
        guard let start = bytes(0, 12) else { return nil }
        let form = String(decoding: start[8..<12], as: UTF8.self)
        switch String(decoding: start[0..<4], as: UTF8.self) {
        case "RIFF" where form == "WAVE":
            return known(Chunks(first: 12, dataTag: "data").data(bytes))
        case "RF64" where form == "WAVE":
            // The true length of the data chunk is in the one before all.
            guard let long = bytes(12, 24), long.starts(with: "ds64".utf8) else { return nil }
            return Chunks(first: 12, dataTag: "data").data(bytes).flatMap { data in
                integer(long[16..<24]).map { (data.offset, $0) }
            }
        case "FORM" where form == "AIFF" || form == "AIFC":
            return known(Chunks(first: 12, dataTag: "SSND", isBigEndian: true).data(bytes))
        case "riff":
            return Chunks(
                first: 40, dataTag: "data", tagLength: 16, sizeLength: 8, alignment: 8, countsItself: true
            ).data(bytes)
        case ".snd": return plain(start, isBigEndian: true)
        case "dns.": return plain(start, isBigEndian: false)
        default: return nil
        }
    }

    /// AU: the data's offset and length follow the name.
    private func plain(_ start: [UInt8], isBigEndian: Bool) -> (offset: Int, size: Int)? {
        guard let offset = integer(start[4..<8], isBigEndian: isBigEndian),
            let size = integer(start[8..<12], isBigEndian: isBigEndian)
        else { return nil }
        return known((offset, size))
    }

    private func known(_ data: (offset: Int, size: Int)?) -> (offset: Int, size: Int)? {
        data.flatMap { $0.size < placeholderLength ? $0 : nil }
    }
}

/// A file of named chunks, one after another.
private struct Chunks {
    var first: Int
    var dataTag: String
    var tagLength = 4
    var sizeLength = 4
    var isBigEndian = false
    var alignment = 2
    /// Whether a chunk's length is with its name and length.
    var countsItself = false

    func data(_ bytes: (_ offset: Int, _ count: Int) -> [UInt8]?) -> (offset: Int, size: Int)? {
        var offset = first
        let headerLength = tagLength + sizeLength
        // Real files have a handful of chunks; the limit keeps a hostile one from costing time.
        for _ in 0..<1024 {
            guard let header = bytes(offset, headerLength),
                let stated = integer(header[tagLength...], isBigEndian: isBigEndian),
                case let size = stated - (countsItself ? headerLength : 0), size >= 0
            else { return nil }
            if header.starts(with: dataTag.utf8) {
                return (offset + headerLength, size)
            }
            offset += headerLength + (size + alignment - 1) / alignment * alignment
        }
        return nil
    }
}

/// Nil for what is no length of a file: 2⁴⁸ or more, as -1 is.
private func integer(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool = false) -> Int? {
    let ordered = isBigEndian ? Array(bytes) : bytes.reversed()
    let value = ordered.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return value < 1 << 48 ? Int(value) : nil
}
