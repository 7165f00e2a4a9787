import ArgumentParser
import Checkpoint
import Tokenizer
import Training

struct Average: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the mean of several models' weights.",
        discussion: """
            Of runs that went on from one another (`train --from`) the mean is often better than the last, and so is that of many \
            checkpoints of one run whose learning rate is still high (`checkpoints.keep` says how many a run keeps). It is a model of its \
            own, in f32, which decodes no tokens but those that it made. Evaluate it before you use it. A file given twice counts twice, and \
            of a single checkpoint the mean is the model that the run had there.

            EXAMPLES
              allophone average runs/3/model.safetensors runs/4/model.safetensors --output mean.safetensors
              allophone average runs/4/checkpoints/step-* --output mean.safetensors
              allophone average runs/4/checkpoints/step-00001000 --output then.safetensors
              allophone evaluate --data .corpus/core --model mean.safetensors
            """)

    @Argument(help: "The models, safetensors files or runs' checkpoints (folders), of one architecture.")
    var inputs: [String]

    @Option(name: .shortAndLong, help: "The model to write.")
    var output: String

    @Flag(help: "Print what was done as JSON.")
    var json = false

    private struct Report: Encodable {
        var inputs: [String]
        var output: String
        var fingerprint: String
    }

    private func model(_ path: String) throws -> ModelFile {
        Disk.isFolder(path) ? try ModelFile(checkpoint: path) : try ModelFile(path: path)
    }

    func run() throws {
        for input in inputs { try requireDistinct(input: input, output: output) }
        // One after another: a run's checkpoints may be many.
        var mean = MeanModel(of: try model(inputs[0]))
        for input in inputs.dropFirst() { try mean.add(model(input)) }
        try mean.write(to: output)
        // Read again: so it has been used once before it is given away.
        let report = Report(
            inputs: inputs, output: output, fingerprint: try ModelFile(path: output).fingerprint.description)
        if json { return try printJSON(report) }
        say("\(inputs.count == 1 ? inputs[0] : "the mean of \(inputs.count) models") → \(output)")
    }
}
