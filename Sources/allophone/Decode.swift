import ArgumentParser
import Audio
import Checkpoint
import Codec
import Metrics
import Tokenizer
import Training
import XLA

struct Decode: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turn tokens back into sound.",
        discussion: """
            The output's format follows from its extension: wav, flac or ogg; `-` writes raw PCM to standard output. From pipe to \
            pipe every frame is heard at once (of xla, two seconds at a time), and the last one to its end.

            EXAMPLES
              allophone decode talk.allo talk.wav --model model.safetensors
              allophone decode talk.allo - --raw s16le | aplay -f S16_LE -r 24000
              allophone decode talk.allo phonemes.wav --level-1
              arecord -t raw -f S16_LE -r 24000 | allophone encode --raw s16le - - | allophone decode - - | aplay -f S16_LE -r 24000
            """)

    @Argument(help: "The token file, or - for standard input.")
    var input: String

    @Argument(help: "The sound file to write, or - for raw PCM on standard output.")
    var output: String

    @OptionGroup var model: ModelOptions
    @OptionGroup var backend: BackendOptions

    @Option(
        help: ArgumentHelp(
            "What PCM to write to standard output: \(RawPCM.names). Default: s16le.", valueName: "kind"))
    var raw: RawPCM?

    @Flag(
        name: .customLong("level-1"),
        help: "Let only level 1 be heard: what was said, without how, as far as the model has learned that.")
    var levelOne = false

    @Flag(help: "Write a WAV file's samples as 32-bit floats instead of 16-bit integers.")
    var float = false

    @Flag(help: "Print what was done as JSON, on standard error if the sound goes to standard output.")
    var json = false

    func validate() throws {
        if raw != nil && output != "-" {
            throw ValidationError("--raw is for standard output: give - instead of \(output)")
        }
        if float && output == "-" { throw ValidationError("--float is for WAV files; give --raw f32le instead") }
    }

    func run() throws {
        let clock = ContinuousClock.now
        try requireDistinct(input: input, model: model.path, output: output)
        let interrupt = Interrupt()
        if input == "-" { try endStandardInput(on: interrupt) }
        let reader = try interrupt.orFailure {
            try input == "-" ? TokenReader(InputFile(descriptor: 0, name: "standard input")) : TokenReader(path: input)
        }
        // The file's arrays go once the codec has them in its own form.
        let codec = try { file in
            try reader.require(model: file)
            return try backend.codec(file, for: [levelOne ? .decodingLevelOne : .decoding])
        }(model.load())
        HostMemory.giveBackFreed()
        try run(codec, reader, interrupt, since: clock)
    }

    private func run(
        _ codec: some SpeechCodec, _ reader: TokenReader, _ interrupt: Interrupt, since clock: ContinuousClock.Instant
    ) throws {
        let configuration = codec.model.configuration
        let sink: any SampleSink =
            try output == "-"
            ? RawPCMWriter(name: "standard output", format: raw ?? .s16le, sampleRate: configuration.sampleRate)
            : AudioWriter(path: output, sampleRate: configuration.sampleRate, encoding: float ? .float32 : .pcm16)

        let bar = ProgressBar("decoding", total: nil, unit: .audio)
        var decoder = try levelOne ? codec.makeLevelOneDecoder() : codec.makeDecoder()
        // The last frame may be longer than the sound. How long that is stands at the end of the file, so one hop is held back,
        // but for who listens live: there a frame of delay is worse than some silence at the end.
        let holdback = input == "-" && output == "-" ? 0 : configuration.hop
        var held: [Float] = []
        var written = 0
        var frames = 0
        func write(_ audio: [Float]) throws {
            held += audio
            let ready = held.count - holdback
            guard ready > 0 else { return }
            try sink.write(Array(held.prefix(ready)))
            held.removeFirst(ready)
            written += ready
            bar.update(Double(written) / Double(configuration.sampleRate))
        }
        while let tokens = try interrupt.orFailure({ try reader.next() }) {
            try interrupt.check()
            frames += tokens.count
            try write(decoder.push(tokens))
        }
        try write(decoder.finish())
        let total = reader.sampleCount ?? written + held.count
        if total == 0 { throw AudioError.empty(path: input) }
        try sink.write(Array(held.prefix(max(0, total - written))))
        try sink.finish()
        bar.finish()

        let report = ConversionReport(
            input: input, output: output, seconds: Double(total) / Double(configuration.sampleRate), frames: frames,
            bitRate: reader.header.bitRate(codeBytes: reader.codeByteCount, frames: frames),
            elapsed: (ContinuousClock.now - clock).seconds)
        try report.show(json: json)
    }
}
