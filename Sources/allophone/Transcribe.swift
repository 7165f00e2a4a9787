import ArgumentParser
import Audio
import Checkpoint
import Codec
import Metrics
import Phonemes
import Tokenizer

/// `allophone phonemes`; the module of that name is in the way of calling it so.
struct Transcribe: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "phonemes",
        abstract: "Say which phonemes are in a sound file, and when.",
        discussion: """
            Prints the level-1 tokens as IPA, a line each: start, end and symbol, apart by tabs, in seconds. A phoneme lasts as \
            long as the model goes on saying it; between phonemes it says <blank>, which is not printed.

            EXAMPLES
              allophone phonemes talk.wav --model model.safetensors
              allophone phonemes talk.wav --textgrid talk.TextGrid
              allophone phonemes talk.wav --json | jq -r '.phonemes[].ipa'
            """)

    @Argument(help: "The sound file, or - for standard input.")
    var input: String

    @OptionGroup var model: ModelOptions
    @OptionGroup var backend: BackendOptions

    @Option(
        name: .customLong("textgrid"),
        help: ArgumentHelp("Write a Praat TextGrid to this file instead, or - for standard output.", valueName: "file"))
    var textGrid: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if json && textGrid != nil { throw ValidationError("give either --json or --textgrid") }
    }

    /// What `--json` prints.
    private struct Report: Encodable {
        var input: String
        /// Seconds of audio.
        var duration: Double
        var frameRate: Double
        var phonemes: [PhonemeSegment]
    }

    func run() throws {
        if let textGrid { try requireDistinct(input: input, output: textGrid) }
        let file = try model.load()
        let configuration = file.model.configuration
        guard let inventory = configuration.phonemes else { throw CommandError.noInventory(path: file.path) }
        let source = try AudioSource(path: input, sampleRate: configuration.sampleRate)
        let codec = try backend.codec(file, for: [.encoding])
        let interrupt = Interrupt()
        let rate = Double(configuration.sampleRate)
        let bar = ProgressBar("listening", total: source.expectedFrames.map { Double($0) / rate }, unit: .audio)
        var encoder = try codec.makeEncoder()
        var codes: [Int] = []
        var samples = 0
        while case let chunk = try source.read(maximumFrames: codec.chunkSamples), !chunk.isEmpty {
            samples += chunk.count
            codes += try encoder.push(chunk).level(0).map(Int.init)
            bar.update(Double(samples) / rate)
            try interrupt.check()
        }
        codes += try encoder.finish().level(0).map(Int.init)
        if samples == 0 { throw AudioError.empty(path: input) }
        bar.finish()

        let segments = try inventory.segments(
            codes, frameRate: configuration.frameRate,
            shortest: PhonemeInventory.shortestRun(frameRate: configuration.frameRate),
            delay: configuration.phonemeDelay ?? 0)
        let duration = Double(samples) / rate
        if json {
            return try printJSON(
                Report(input: input, duration: duration, frameRate: configuration.frameRate, phonemes: segments))
        }
        if let textGrid {
            let grid = TextGrid(tiers: [.init(name: "phonemes", segments: segments)], duration: duration)
            let output =
                textGrid == "-" ? OutputFile(descriptor: 1, name: "standard output") : try OutputFile(path: textGrid)
            try output.write(Array(grid.text.utf8))
            return try output.commit()
        }
        for segment in segments {
            try printLine("\(segment.start.fixed(3))\t\(segment.end.fixed(3))\t\(segment.ipa)")
        }
    }
}
