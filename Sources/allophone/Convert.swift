public import ArgumentParser
import Checkpoint
public import Tokenizer

struct Convert: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a model with its weights in another type.",
        discussion: """
            In bf16 a model is half as large, and every command reads it. Rounding changes the weights a little and makes a model of \
            its own, which decodes no tokens but those that it made. Quantizers, biases and scales stay f32. From bf16 to f32 nothing \
            changes but the size.

            EXAMPLES
              allophone convert model.safetensors small.safetensors --weights bf16
              allophone convert small.safetensors wide.safetensors --weights f32 --json
            """)

    @Argument(help: "The model, a safetensors file.")
    var input: String

    @Argument(help: "The model to write.")
    var output: String

    @Option(help: "The type of the weights.")
    var weights: ModelFile.Weights

    @Flag(help: "Print what was done as JSON.")
    var json = false

    /// What `--json` prints; sizes in bytes.
    private struct Report: Encodable {
        var input: String
        var output: String
        var weights: String
        var inputBytes: Int
        var outputBytes: Int
        var fingerprint: String
        /// Whether the output has the input's fingerprint, and can decode its tokens.
        var isSameModel: Bool
    }

    func run() throws {
        try requireDistinct(input: input, output: output)
        let file = try ModelFile(path: input)
        try file.write(as: weights, to: output)
        // Read again: so it has been used once before it is given away.
        let written = try ModelFile(path: output)
        let report = Report(
            input: input, output: output, weights: weights.rawValue, inputBytes: try byteCount(of: input),
            outputBytes: try byteCount(of: output), fingerprint: written.fingerprint.description,
            isSameModel: written.fingerprint == file.fingerprint)
        if json { return try printJSON(report) }
        let sizes = [report.inputBytes, report.outputBytes].map { "\((Double($0) / 1e6).fixed(1)) MB" }
        let kinship = report.isSameModel ? "the same model" : "a model of its own, which decodes no tokens of the other"
        say("\(input) → \(output): \(sizes[0]) → \(sizes[1]), \(kinship)")
    }
}

/// The size of the file at `path`.
///
/// - Throws: `FileError`.
func byteCount(of path: String) throws -> Int { try InputFile(path: path, ordinary: true).byteCount }

extension ModelFile.Weights: ExpressibleByArgument {}
