import Synchronization

/// Where the numbers of a run go.
public protocol MetricsLog: Sendable {
    /// Records `values` for a step of the run.
    ///
    /// - Throws: ``LogFileError``.
    func log(step: Int, _ values: [String: Double]) throws
    /// Forgets what was recorded of steps after `step`, which the run is about to repeat.
    ///
    /// - Throws: ``LogFileError``.
    func goBack(to step: Int) throws
}

/// A log of one JSON object a line: `{"step":10,"time":1767225600.25,"loss":0.5}`.
///
/// `time` is in seconds since 1970, the other keys are sorted, and values that JSON cannot spell are the strings
/// `"NaN"`, `"Infinity"` and `"-Infinity"`. Every line reaches the kernel before `log` returns. A line torn by a kill is
/// cut off when the log is opened again.
public final class JSONLinesLog: MetricsLog {
    public let path: String
    private let file: Mutex<AppendOnlyFile>
    private let now: @Sendable () -> Double

    /// Opens or creates the log.
    ///
    /// A run that resumes from the checkpoint of `lastStep` passes it, and lines of later steps, which it is about to
    /// repeat, are cut off.
    ///
    /// - Throws: ``LogFileError``.
    public convenience init(path: String, resumingAfter lastStep: Int? = nil) throws {
        try self.init(path: path, resumingAfter: lastStep, now: wallTime)
    }

    init(path: String, resumingAfter lastStep: Int?, now: @escaping @Sendable () -> Double) throws {
        self.path = path
        self.now = now
        let file = try AppendOnlyFile(path: path)
        try cutUnwanted(from: file, after: lastStep ?? .max)
        self.file = Mutex(file)
    }

    public func log(step: Int, _ values: [String: Double]) throws {
        var line = "{\"step\":\(step),\"time\":\(spelled(now()))"
        for (key, value) in values.sorted(by: { $0.key < $1.key }) { line += ",\(quoted(key)):\(spelled(value))" }
        let bytes = Array((line + "}\n").utf8)
        try file.withLock { try $0.append(bytes) }
    }

    public func goBack(to step: Int) throws { try file.withLock { try cutUnwanted(from: $0, after: step) } }
}

/// Cuts the file after its last whole line, or before the first line of a step after `lastStep`.
private func cutUnwanted(from file: AppendOnlyFile, after lastStep: Int) throws {
    var lineStart = 0
    var line: [UInt8] = []
    var offset = 0
    while case let chunk = try file.read(at: offset), !chunk.isEmpty {
        var rest = chunk[...]
        while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
            line += rest[rest.startIndex..<newline]
            if let step = step(of: line), step > lastStep {
                try file.truncate(to: lineStart)
                return
            }
            lineStart = offset + newline + 1
            line.removeAll(keepingCapacity: true)
            rest = rest[(newline + 1)...]
        }
        line += rest
        offset += chunk.count
    }
    if lineStart < offset { try file.truncate(to: lineStart) }
}

/// The step that a line of this log begins with.
private func step(of line: [UInt8]) -> Int? {
    let prefix = Array("{\"step\":".utf8)
    guard line.starts(with: prefix) else { return nil }
    let digits = line.dropFirst(prefix.count).prefix { $0 == UInt8(ascii: "-") || (48...57).contains($0) }
    return Int(String(decoding: digits, as: UTF8.self))
}

private func spelled(_ value: Double) -> String {
    if value.isNaN { return "\"NaN\"" }
    if value.isInfinite { return value > 0 ? "\"Infinity\"" : "\"-Infinity\"" }
    return value == value.rounded() && value.magnitude < 1e15 ? String(Int(value)) : String(value)
}

private func quoted(_ text: String) -> String {
    var output = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": output += "\\\(scalar)"
        case "\u{0}"..<"\u{20}":
            let hex = String(scalar.value, radix: 16)
            output += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        default: output.unicodeScalars.append(scalar)
        }
    }
    return output + "\""
}
