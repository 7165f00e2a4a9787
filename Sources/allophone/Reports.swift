import Checkpoint

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What a conversion did.
struct ConversionReport: Codable {
    var input: String
    var output: String
    /// Seconds of audio.
    var seconds: Double
    var frames: Int
    /// Bits per second.
    var bitRate: Double
    /// Seconds it took, start to end.
    var elapsed: Double

    /// For people, or with `json` on standard output for scripts; where that carries the output itself, on standard error.
    func show(json: Bool) throws {
        if json { return output == "-" ? say(try jsonLine(self)) : try printJSON(self) }
        say(
            "\(input) → \(output): \(seconds.fixed(2)) s, \(frames) frames at "
                + "\(bitRate.fixed(0)) bit/s, \((seconds / elapsed).fixed(1)) × real time")
    }
}

/// A line on standard error, for people.
func say(_ text: String) {
    // There is nobody left to tell of an error here.
    try? OutputFile(descriptor: 2, name: "standard error").write(Array("\(text)\n".utf8))
}

/// A line on standard output; unlike Swift's `print` it does not pass over a full disk or a closed pipe.
///
/// - Throws: `FileError`.
func printLine(_ text: String) throws {
    try OutputFile(descriptor: 1, name: "standard output").write(Array("\(text)\n".utf8))
}

/// A value as one line of JSON on standard output, for scripts.
func printJSON(_ value: some Encodable) throws { try printLine(jsonLine(value)) }

private func jsonLine(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
