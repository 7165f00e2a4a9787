public import Checkpoint

/// Writes tokens as JSON: the header's fields, `frames` as a list of lists of codes, and the totals.
public final class JSONTokenWriter: TokenSink {
    private let output: OutputFile
    private let header: TokenHeader
    private var frameCount = 0

    /// - Throws: `FileError`.
    public init(to output: OutputFile, header: TokenHeader) throws {
        self.output = output
        self.header = header
        let levels = header.layout.levels.map { level in
            switch level {
            case .vq(let codebookSize): #"{"kind": "vq", "bits": \#(level.bits), "codebookSize": \#(codebookSize)}"#
            case .bsq: #"{"kind": "bsq", "bits": \#(level.bits)}"#
            }
        }
        try write(
            """
            {
              "format": "allophone-tokens",
              "version": 1,
              "sampleRate": \(header.sampleRate),
              "hop": \(header.hop),
              "model": "\(header.model)",
              "levels": [\(levels.joined(separator: ", "))],
              "frames": [
            """)
    }

    public func append(_ frames: TokenFrames) throws {
        try header.layout.check(frames, name: output.name)
        var text = ""
        for frame in 0..<frames.count {
            let codes = (0..<frames.levelCount).map { String(frames[frame, $0]) }
            text += "\(frameCount == 0 ? "" : ",")\n    [\(codes.joined(separator: ", "))]"
            frameCount += 1
        }
        try write(text)
    }

    public func flush() {}

    public func finish(sampleCount: Int) throws {
        try write(
            """

              ],
              "frameCount": \(frameCount),
              "sampleCount": \(sampleCount)
            }

            """)
        try output.commit()
    }

    private func write(_ text: String) throws { try output.write(Array(text.utf8)) }
}
