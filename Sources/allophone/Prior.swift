import ArgumentParser
import Audio
import Checkpoint
import Codec
import Datasets
import Metrics
import Tokenizer
import Training
import XLA

struct Prior: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Give a model a prior of its tokens, with which token files are smaller.",
        discussion: """
            Encodes clips, learns how likely each code is after the ones before it, and writes the model with what it learned. With such a \
            model `encode` writes files of fewer bits, from which `decode` has the very same tokens. The model stays the same one: it \
            decodes the files that it made without a prior. Those with a prior need this prior. It takes minutes.

            EXAMPLES
              allophone prior model.safetensors --data .corpus/core --output coded.safetensors
              allophone prior model.safetensors --data mine --data .corpus/full --clips 8000 --output coded.safetensors
            """)

    @Argument(help: "The model, a safetensors file.")
    var input: String

    @Option(
        help: ArgumentHelp(
            "A dataset, whose split 'train' is learned from; see `allophone data --help`. There may be several, each by a --data of its own.",
            valueName: "source"))
    var data: [String]

    @Option(
        help: ArgumentHelp(
            "A dataset to measure bits on: its split 'dev', 'validation' or 'test'. Default: the first --data.",
            valueName: "source"))
    var heldOut: String?

    @Option(name: .shortAndLong, help: "The model to write.")
    var output: String

    @Option(help: "How many clips of each dataset, spread over it.")
    var clips = 4000

    @Option(help: "Steps of learning.")
    var steps = PriorTrainer.Options().steps

    @Option(help: "Hidden units of the prior.")
    var width = PriorTrainer.Options().width

    @Option(help: "Frames that the prior looks back.")
    var past = PriorTrainer.Options().past

    @Option(help: ArgumentHelp("Threads of encoding. Default: one for each core, up to 4.", valueName: "count"))
    var threads: Int?

    @OptionGroup var device: DeviceOptions

    @Flag(help: "Print what was done as JSON.")
    var json = false

    /// What `--json` prints.
    private struct Report: Encodable {
        var input: String
        var output: String
        var clips: Int
        var frames: Int
        /// Of held-out clips: bits of a frame as numbers, and with the prior.
        var heldOutFrames: Int
        var bitsPerFrame: Double
        var bitsPerFrameWithPrior: Double
        var bitRate: Double
    }

    func validate() throws {
        if clips < 1 || steps < 1 { throw ValidationError("--clips and --steps must be 1 or more") }
        if !(1...TokenPrior.limits.width).contains(width) || !(1...TokenPrior.limits.past).contains(past) {
            throw ValidationError(
                "--width must be 1 to \(TokenPrior.limits.width), and --past 1 to \(TokenPrior.limits.past)")
        }
        if let threads, !(1...256).contains(threads) { throw ValidationError("--threads must be 1 to 256") }
    }

    func run() throws {
        try requireDistinct(input: input, output: output)
        let file = try ModelFile(path: input)
        let configuration = file.model.configuration
        var options = PriorTrainer.Options()
        (options.steps, options.width, options.past) = (steps, width, past)
        let layout = try configuration.tokenLayout
        do { try TokenPrior.requireRoom(for: layout) } catch {
            throw CommandError.noRoomForPrior(path: input, reason: error.reason)
        }
        let trainer = try PriorTrainer(configuration, options, on: device.engine())
        // Found out now, and not when all is done.
        try OutputFile(path: output).abandon()
        let codec = try NativeCodec(file, threads: threads ?? BackendOptions.usualThreads, directions: [.encoding])
        let sources = try data.map { try openSource($0, split: "train") }
        let heldOut = try tokens(of: [openHeldOutSource(heldOut ?? data[0])], codec, count: 64, "held out")
        let learned = try tokens(of: sources, codec, count: clips, "encoding")
        let interrupt = Interrupt()
        let bar = ProgressBar("learning", total: Double(steps), unit: .items("step"))
        let prior = try trainer.fit(learned) { step, bits in
            bar.update(Double(step), metrics: [("bits", bits)])
            try interrupt.check()
        }
        bar.finish()
        try file.write(with: prior, to: output)
        // Read again: so it has been used once before it is given away.
        _ = try ModelFile(path: output)

        let frames = heldOut.reduce(0) { $0 + $1.count }
        let bits = heldOut.reduce(0) { $0 + prior.bits(of: $1) } / Double(max(1, frames))
        let report = Report(
            input: input, output: output, clips: learned.count, frames: learned.reduce(0) { $0 + $1.count },
            heldOutFrames: frames, bitsPerFrame: Double(configuration.bitsPerFrame), bitsPerFrameWithPrior: bits,
            bitRate: bits * configuration.frameRate)
        if json { return try printJSON(report) }
        say(
            "\(input) → \(output): \(report.bitsPerFrame.fixed(0)) → \(bits.fixed(2)) bits a frame of \(heldOut.count) held-out clips, "
                + "\(report.bitRate.fixed(0)) bit/s")
    }

    private func tokens(
        of sources: [any Source], _ codec: NativeCodec, count: Int, _ label: String
    ) throws -> [TokenFrames] {
        let interrupt = Interrupt()
        let bar = ProgressBar(label, total: nil, unit: .audio)
        var tokens: [TokenFrames] = []
        var seconds = 0.0
        var all = SkipReport()
        for source in sources {
            let (number, before) = (min(count, source.recordCount ?? count), tokens.count)
            let skipped = try ClipSample.visit(
                source, count: number, preparation: ClipPreparation(sampleRate: codec.model.configuration.sampleRate)
            ) { _, waveform in
                try interrupt.check()
                tokens.append(try codec.encode(waveform.samples))
                seconds += waveform.duration
                bar.update(seconds)
            }
            if tokens.count == before { throw PipelineError.nothingUsable(skipped) }
            all.add(skipped)
        }
        bar.finish()
        sayWhatWasSkipped(all)
        return tokens
    }
}
