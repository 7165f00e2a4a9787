public import ArgumentParser
public import Audio
import Checkpoint
import Codec
import Metrics
public import Native
public import Tokenizer
import Training
import XLA

struct Encode: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turn a sound file into tokens.",
        discussion: """
            Reads WAV, FLAC, OGG, MP3 and Opus of any rate and channel count, chunk by chunk, so length is no matter. `-` reads a \
            sound file from standard input (but FLAC, which needs a file), or with --raw mono PCM, and ends the recording on Ctrl-C.

            EXAMPLES
              allophone encode talk.wav talk.allo --model model.safetensors
              allophone encode talk.flac talk.npy
              allophone encode talk.flac talk.allo --search 4
              arecord -t raw -f S16_LE -r 24000 | allophone encode --raw s16le - talk.allo
              arecord -t raw -f S16_LE -r 24000 | allophone encode --raw s16le - - | allophone decode - - | aplay -f S16_LE -r 24000
            """)

    @Argument(help: "The sound file, or - for standard input.")
    var input: String

    @Argument(help: "The token file to write, or - for standard output.")
    var output: String

    @OptionGroup var model: ModelOptions
    @OptionGroup var backend: BackendOptions
    @OptionGroup var searching: SearchOptions

    @Option(
        help: ArgumentHelp(
            "What to write. Default: what the output's extension says, .npy or .json, and else allo.",
            valueName: "format"))
    var format: TokenFormat?

    @Option(
        help: ArgumentHelp("Standard input is mono PCM without a header: \(RawPCM.names).", valueName: "kind"))
    var raw: RawPCM?

    @Option(help: ArgumentHelp("The rate of --raw input, if not the model's.", valueName: "Hz"))
    var rate: Int?

    @Flag(help: "Print what was done as JSON, on standard error if the tokens go to standard output.")
    var json = false

    func validate() throws {
        if raw != nil && input != "-" {
            throw ValidationError("--raw is for standard input: give - instead of \(input)")
        }
        if rate != nil && raw == nil { throw ValidationError("--rate is the rate of --raw input: give both") }
    }

    private var fileFormat: TokenFormat { format ?? TokenFormat(path: output) }

    func run() throws {
        let clock = ContinuousClock.now
        try requireDistinct(input: input, model: model.path, output: output)
        // Who hears a pipe live gets each frame by itself, which a prior makes no smaller.
        let usesPrior = output != "-" && fileFormat == .allo
        // The file's arrays go once the codec has them in its own form.
        let (codec, fingerprint, prior) = try {
            (try searching.codec($0, on: backend, for: [.encoding], weighsBits: usesPrior), $0.fingerprint, $0.prior)
        }(model.load())
        HostMemory.giveBackFreed()
        try run(codec, model: fingerprint, prior: usesPrior ? prior : nil, since: clock)
    }

    private func run(
        _ codec: some SpeechCodec, model: Fingerprint, prior: TokenPrior?, since clock: ContinuousClock.Instant
    ) throws {
        let configuration = codec.model.configuration
        let interrupt = Interrupt()
        if input == "-" && raw == nil { try endStandardInput(on: interrupt) }
        let source = try interrupt.orFailure {
            try openSource(sampleRate: configuration.sampleRate) { interrupt.isSet }
        }
        let header = try TokenHeader(
            sampleRate: configuration.sampleRate, hop: configuration.hop, model: model,
            layout: configuration.tokenLayout, prior: prior?.identity)
        let target = output == "-" ? OutputFile(descriptor: 1, name: "standard output") : try OutputFile(path: output)
        let sink = try fileFormat.sink(to: target, header: header, prior: prior)

        let bar = ProgressBar(
            "encoding", total: source.expectedFrames.map { Double($0) / Double(configuration.sampleRate) }, unit: .audio
        )
        var encoder = try codec.makeEncoder()
        var samples = 0
        var frames = 0
        func write(_ tokens: TokenFrames) throws {
            frames += tokens.count
            try sink.append(tokens)
            // Whoever reads a pipe may be playing it.
            if output == "-" && !tokens.isEmpty { try sink.flush() }
        }
        // What comes through a pipe may be live: a frame at a time.
        let chunkSize = input == "-" ? configuration.hop : codec.chunkSamples
        // Ctrl-C is how a recording ends, and what has been recorded is wanted.
        let isRecording = input == "-"
        func next() throws -> [Float] {
            do { return try source.read(maximumFrames: chunkSize) } catch  where isRecording && interrupt.isSet {
                return []
            }
        }
        while case let chunk = try next(), !chunk.isEmpty {
            samples += chunk.count
            try write(encoder.push(chunk))
            bar.update(Double(samples) / Double(configuration.sampleRate))
            if isRecording && interrupt.isSet { break }
            try interrupt.check()
        }
        try write(encoder.finish())
        if samples == 0 { throw AudioError.empty(path: input) }
        try sink.finish(sampleCount: samples)
        bar.finish()

        let report = ConversionReport(
            input: input, output: output, seconds: Double(samples) / Double(configuration.sampleRate), frames: frames,
            bitRate: header.bitRate(codeBytes: (sink as? TokenWriter)?.codeByteCount, frames: frames),
            elapsed: (ContinuousClock.now - clock).seconds)
        try report.show(json: json)
    }

    /// - Parameter isOver: whether not to wait for more of what is recorded live.
    private func openSource(sampleRate: Int, isOver: @escaping @Sendable () -> Bool) throws -> AudioSource {
        if input == "-", let raw {
            let reader = try RawPCMReader(format: raw, sampleRate: rate ?? sampleRate, isOver: isOver)
            return try AudioSource(reader, sampleRate: sampleRate)
        }
        return try AudioSource(path: input, sampleRate: sampleRate)
    }
}

extension Precision: ExpressibleByArgument {}
extension TokenFormat: ExpressibleByArgument {}
extension RawPCM: ExpressibleByArgument {
    static var names: String { allCases.map(\.rawValue).joined(separator: " or ") }
}
