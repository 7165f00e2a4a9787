import ArgumentParser
import Audio
import Checkpoint
import Codec
import Metrics
import Native
import Phonemes
import Tokenizer
import Training

/// `allophone phonemes`; the module of that name is in the way of calling it so.
struct Transcribe: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "phonemes",
        abstract: "Say which phonemes are in a sound file, and when.",
        discussion: """
            Prints the level-1 tokens as IPA, a line each: start, end and symbol, apart by tabs, in seconds. A phoneme lasts as \
            long as the model goes on saying it, but for slips of a frame; between phonemes it says <blank>, which is not \
            printed. With --text the phonemes are \
            known, by espeak-ng, and the model finds when each is said (forced alignment).

            EXAMPLES
              allophone phonemes talk.wav --model model.safetensors
              allophone phonemes talk.wav --text "One small step." --language en --textgrid talk.TextGrid
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

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("What is said, to be aligned with the sound; needs --language.", valueName: "text"))
    var text: String?

    @Option(help: ArgumentHelp("The language of the text, such as en.", valueName: "code"))
    var language: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if json && textGrid != nil { throw ValidationError("give either --json or --textgrid") }
        if (text == nil) != (language == nil) { throw ValidationError("--text and --language go together") }
        if let text, text.allSatisfy(\.isWhitespace) { throw ValidationError("--text is empty") }
        if text != nil && (backend.usesXLA || (backend.precision ?? .f32) != .f32) {
            throw ValidationError("--text is aligned by the native backend in f32: leave out the options of others")
        }
    }

    /// What `--json` prints.
    private struct Report: Encodable {
        var input: String
        /// Seconds of audio.
        var duration: Double
        var frameRate: Double
        var phonemes: [PhonemeSegment]
        /// Of a text: nats a frame by which it is less likely than what the model hears without one.
        var mismatch: Double?
    }

    private struct Heard {
        var segments: [PhonemeSegment]
        var mismatch: Double?
    }

    func run() throws {
        if let textGrid { try requireDistinct(input: input, model: model.path, output: textGrid) }
        let file = try model.load()
        let configuration = file.model.configuration
        guard let reader = file.phonemeReader else { throw CommandError.noInventory(path: file.path) }
        let interrupt = Interrupt()
        if input == "-" { try endStandardInput(on: interrupt) }
        let source = try interrupt.orFailure { try AudioSource(path: input, sampleRate: configuration.sampleRate) }
        // Before listening, which may take long.
        let grid = try textGrid.map {
            $0 == "-" ? OutputFile(descriptor: 1, name: "standard output") : try OutputFile(path: $0)
        }
        let (heard, samples) =
            if let text, let language {
                try align(text, language: language, source, file, interrupt)
            } else {
                try recognise(source, file, reader, interrupt)
            }
        let segments = heard.segments
        let rate = Double(configuration.sampleRate)
        let duration = Double(samples) / rate
        if json {
            return try printJSON(
                Report(
                    input: input, duration: duration, frameRate: configuration.frameRate, phonemes: segments,
                    mismatch: heard.mismatch))
        }
        if let grid {
            let text = TextGrid(tiers: [.init(name: "phonemes", segments: segments)], duration: duration).text
            try grid.write(Array(text.utf8))
            return try grid.commit()
        }
        for segment in segments {
            try printLine("\(segment.start.fixed(3))\t\(segment.end.fixed(3))\t\(segment.ipa)")
        }
    }

    /// What the model hears, and of how many samples.
    private func recognise(
        _ source: AudioSource, _ file: ModelFile, _ reader: PhonemeReader, _ interrupt: Interrupt
    ) throws -> (Heard, Int) {
        let codec = try backend.codec(file, for: [.encoding])
        var encoder = try codec.makeEncoder()
        var codes: [Int] = []
        let samples = try listen(source, in: codec.chunkSamples, interrupt) {
            codes += try encoder.push($0).level(0).map(Int.init)
        }
        codes += try encoder.finish().level(0).map(Int.init)
        let segments = try reader.segments(codes)
        return (Heard(segments: segments), samples)
    }

    /// When the text is said, and in how many samples.
    private func align(
        _ text: String, language: String, _ source: AudioSource, _ file: ModelFile, _ interrupt: Interrupt
    ) throws -> (Heard, Int) {
        let ipa = try Phonemizer(program: Espeak()).transcripts(of: [text], language: language)[0]
        let aligner = try PhonemeAligner(file, threads: backend.threadCount)
        let reading = IPAReader(aligner.inventory).read(ipa)
        if reading.indices.isEmpty { throw ValidationError("--text: there is nothing to say in '\(text)'") }
        if !reading.unknown.isEmpty {
            say("warning: the model has no phonemes for \(reading.unknown.joined(separator: " "))")
        }
        var listener = try aligner.codec.makeListener()
        var scores: [Float] = []
        let samples = try listen(source, in: aligner.codec.chunkSamples, interrupt) { scores += try listener.push($0) }
        scores += try listener.finish()
        do throws(AlignmentError) {
            let aligned = try aligner.align(ipa, scores: scores)
            if aligned.mismatch > PhonemeAligner.largestMismatch {
                say("warning: \(input): this is hardly what is said, or the model does not know such speech")
            }
            return (Heard(segments: aligned.segments, mismatch: aligned.mismatch), samples)
        } catch {
            throw CommandError.unalignable(path: input, reason: error)
        }
    }

    /// Reads the sound to its end, and tells how many samples it had.
    private func listen(
        _ source: AudioSource, in pieces: Int, _ interrupt: Interrupt, _ body: ([Float]) throws -> Void
    ) throws -> Int {
        let rate = Double(source.sampleRate)
        let bar = ProgressBar("listening", total: source.expectedFrames.map { Double($0) / rate }, unit: .audio)
        var samples = 0
        while case let chunk = try interrupt.orFailure({ try source.read(maximumFrames: pieces) }), !chunk.isEmpty {
            samples += chunk.count
            try body(chunk)
            bar.update(Double(samples) / rate)
            try interrupt.check()
        }
        try interrupt.check()
        if samples == 0 { throw AudioError.empty(path: input) }
        bar.finish()
        return samples
    }
}
