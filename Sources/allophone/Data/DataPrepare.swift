import ArgumentParser
import Audio
import Datasets
import Metrics
import Tokenizer
import Training

struct DataPrepare: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prepare",
        abstract: "Decode, trim, resample and phonemise a dataset once, and pack it as WebDataset shards.",
        discussion: """
            OUTPUT becomes a folder of shards (tar) with a FLAC file and a JSON description a clip, and index.json, as Python's wids \
            reads it. Clips come in a random order, so that training does not hear one speaker after another. The same command, given \
            again after a stop of any kind, goes on where it was.

            EXAMPLES
              allophone data prepare .corpus/core prepared/train --split train --phonemes
              allophone data prepare .corpus/core prepared/dev --split dev --phonemes
              allophone train --config alpha-tiny --data prepared --run runs/tiny
              allophone data prepare .corpus/core aligned --split train --align weights/alpha-tiny-phonemes.safetensors
              allophone data prepare hf://datasets/OWNER/NAME prepared/train --split train --rate 48000 --loudness -23
            """)

    @OptionGroup var source: SourceOptions

    @Argument(help: ArgumentHelp("The folder to make.", valueName: "output"))
    var output: String

    @Option(help: ArgumentHelp("The sample rate of the clips.", valueName: "Hz"))
    var rate = 24000

    @Flag(inversion: .prefixedNo, help: "Cut silence before and after the speech.")
    var trim = true

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Bring clips to this loudness (EBU R128), such as -23.", valueName: "LUFS"))
    var loudness: Double?

    @Option(help: ArgumentHelp("Skip clips that are longer.", valueName: "seconds"))
    var longest = 120.0

    @Flag(
        help: """
            Write down the phonemes of transcripts, by espeak-ng, which is run as a program of its own; what it says is cached. \
            A clip needs a text and a language for it.
            """)
    var phonemes = false

    @Option(
        help: ArgumentHelp(
            """
            Find out when the phonemes of transcripts are said, by this model, and write that down as 'phones' where the dataset has \
            no such times. Implies --phonemes.
            """, valueName: "model"))
    var align: String?

    @Option(
        help: ArgumentHelp("The language of clips of which the dataset states none, such as en.", valueName: "code"))
    var language: String?

    @Option(help: "Clips in a shard.")
    var shardSize = 1000

    @Flag(help: "End at the first record that cannot be used.")
    var strict = false

    @Flag(help: "Print what was done as JSON.")
    var json = false

    func validate() throws {
        if !SampleRate.supported.contains(rate) {
            throw ValidationError("--rate must be in \(SampleRate.supported) Hz")
        }
        if !SampleRate.isPossibleInFLAC(rate) { throw ValidationError("--rate: FLAC cannot state \(rate) Hz") }
        if shardSize < 1 { throw ValidationError("--shard-size must be 1 or more") }
        if !(longest > 0 && longest <= 3600) {
            throw ValidationError("--longest must be more than 0 and at most 3600 s")
        }
        if let loudness, !(-70...0 ~= loudness) { throw ValidationError("--loudness must be between -70 and 0 LUFS") }
    }

    private struct Report: Codable {
        var source: String
        var output: String
        var clips: Int
        var clipsWithPhonemes: Int
        var clipsWithPhones: Int
        var seconds: Double
        var shards: Int
        var skipped: SkipReport
    }

    func run() throws {
        let source = try source.open()
        let model = try align.map { try ModelFile(path: $0) }
        if let model, model.model.configuration.phonemes == nil { throw CommandError.noInventory(path: model.path) }
        if let model, model.model.configuration.sampleRate != rate {
            throw ValidationError(
                "--align: this model hears \(model.model.configuration.sampleRate) Hz; give --rate \(model.model.configuration.sampleRate)"
            )
        }
        let writesPhonemes = phonemes || model != nil
        let clips = ClipPreparation(
            sampleRate: rate, level: loudness.map { .loudness($0) } ?? .none, trimming: trim ? SilenceTrimming() : nil,
            longest: longest)
        let preparation = try DatasetPreparation(
            source, in: output,
            .init(
                clips: clips, shardSize: shardSize, phonemes: writesPhonemes, split: self.source.split,
                language: language,
                aligner: model.map { "\($0.fingerprint)" }),
            transcriber: writesPhonemes ? EspeakTranscriber() : nil, aligner: model.map { try PhonemeAligner($0) })
        if preparation.records > 0 && !preparation.isFinished {
            say("\(output): going on after \(preparation.records) records")
        }
        let interrupt = Interrupt()
        let bar = ProgressBar(
            "preparing", total: source.recordCount.map(Double.init), unit: .items("clip"),
            startingAt: Double(preparation.records))
        try preparation.run(isStrict: strict) { records, seconds in
            try interrupt.check()
            bar.update(Double(records), metrics: [("hours", seconds / 3600)])
        }
        bar.finish()
        sayWhatWasSkipped(preparation.skipped)
        if json {
            return try printJSON(
                Report(
                    source: source.name, output: output, clips: preparation.clips,
                    clipsWithPhonemes: preparation.clipsWithPhonemes, clipsWithPhones: preparation.clipsWithPhones,
                    seconds: preparation.seconds,
                    shards: preparation.shards.count, skipped: preparation.skipped))
        }
        let hours = (preparation.seconds / 3600).fixed(2)
        let withPhonemes = writesPhonemes ? ", \(preparation.clipsWithPhonemes) with phonemes" : ""
        let aligned = model == nil ? "" : ", \(preparation.clipsWithPhones) with their times"
        say(
            "\(output): \(preparation.clips) clips\(withPhonemes)\(aligned), \(hours) h, \(preparation.shards.count) shards"
        )
    }
}
