import ArgumentParser
import Audio
import Checkpoint
import Codec
import Datasets
import Metrics
import Phonemes
import Tokenizer
import Training

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Encode and decode clips and measure what is left of them.",
        discussion: """
            Prints bit rate, speed and quality, and with --output leaves each clip's original and decoded WAV and a picture of their \
            spectrograms.

            EXAMPLES
              allophone evaluate talk.wav --model model.safetensors --output out
              allophone evaluate --data .corpus/core --split dev --clips 50 --model model.safetensors --json
            """)

    @Argument(help: "Sound files; none, with --data.")
    var files: [String] = []

    @Option(help: ArgumentHelp("A dataset; `allophone data --help` says which there are.", valueName: "source"))
    var data: String?

    @Option(help: "The split of the dataset. Default: 'dev', 'validation' or 'test', the first that it has.")
    var split: String?

    @Option(help: "How many clips of the dataset, spread over it. Default: 16.")
    var clips: Int?

    @Option(help: ArgumentHelp("Where to leave sound files and pictures.", valueName: "folder"))
    var output: String?

    @OptionGroup var model: ModelOptions
    @OptionGroup var backend: BackendOptions
    @OptionGroup var searching: SearchOptions

    @Flag(help: "Print the figures as JSON.")
    var json = false

    func validate() throws {
        if files.isEmpty == (data == nil) { throw ValidationError("give either sound files or a dataset with --data") }
        if let clips, clips < 1 { throw ValidationError("--clips must be 1 or more") }
        if data == nil && (split != nil || clips != nil) {
            throw ValidationError("--split and --clips are of a dataset: give one with --data")
        }
    }

    func run() throws {
        let file = try model.load()
        let sampleRate = file.model.configuration.sampleRate
        let set =
            try files.isEmpty
            ? EvaluationSet(
                split.map { try openSource(data ?? ".", split: $0) } ?? openHeldOutSource(data ?? "."),
                count: clips ?? 16,
                sampleRate: sampleRate,
                labeler: file.model.configuration.phonemes.map(PhonemeLabeler.init))
            : EvaluationSet(files: files, sampleRate: sampleRate)
        // The rest can be measured all the same.
        if let reason = set.unlabeled { say("no phoneme error rate: \(reason)") }
        if let output { try Disk.createFolder(output) }
        let codec = try searching.codec(
            file, on: backend, for: [.encoding, .decoding, .decodingLevelOne])
        let interrupt = Interrupt()
        let bar = ProgressBar("evaluating", total: Double(set.count), unit: .items("clip"))
        var done = 0
        let result = try set.evaluate(codec, reader: file.phonemeReader, prior: file.prior) { clip in
            try interrupt.check()
            done += 1
            if let output { try keep(clip, in: output) }
            bar.update(Double(done))
        }
        bar.finish()
        if json { return try printJSON(result) }
        try printLine(result.table)
        if let output { say("sound files and spectrograms: \(output)") }
    }

    private static func base(_ path: String) -> String {
        URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    }

    /// What to call what is left of a clip: as its file, where that tells the files apart, or as its whole path or key.
    private func name(_ clip: Reconstruction) -> String {
        if files.isEmpty { return SampleFolder.name(of: clip.name) }
        return Set(files.map(Self.base)).count == Set(files).count
            ? Self.base(clip.name) : clip.name.split(separator: "/").joined(separator: "-")
    }

    private func keep(_ clip: Reconstruction, in folder: String) throws {
        let name = name(clip)
        try clip.original.write(to: "\(folder)/\(name).original.wav")
        try clip.decoded.write(to: "\(folder)/\(name).decoded.wav")
        try SpectrogramImage(panels: [
            .init(title: "original", waveform: clip.original), .init(title: "decoded", waveform: clip.decoded),
        ]).write(to: "\(folder)/\(name).svg")
    }
}

extension Evaluation {
    /// For people.
    var table: String {
        func row(_ name: String, _ value: Double?, _ digits: Int, _ unit: String = "") -> String? {
            value.map { name.leftAligned(in: 26) + $0.fixed(digits) + unit }
        }
        return [
            row("clips", Double(clips), 0), row("audio", seconds, 1, " s"),
            row("bit rate", bitRate, 0, " bit/s"), row("bit rate with the prior", codedBitRate, 0, " bit/s"),
            row("encoding", encodeSpeed, 1, " × real time"), row("decoding", decodeSpeed, 1, " × real time"),
            row("STOI", stoi, 3), row("mel distance", melDistance, 3),
            row("SI-SDR", scaleInvariantSDR, 1, " dB"),
            row("level-1 codes used", level1Used.map { $0 * 100 }, 0, " %"),
            row("level-1 perplexity", level1Perplexity, 1),
            row("phoneme error rate", phonemeErrorRate.map { $0 * 100 }, 1, " %"), phonemeErrorTable,
            row("blank frames", blankShare.map { $0 * 100 }, 0, " %"),
            row("STOI of level 1 alone", level1STOI, 3),
            row("lowest mean of a bit", bitMeans?.min(), 2), row("highest mean of a bit", bitMeans?.max(), 2),
        ].compactMap { $0 }.joined(separator: "\n")
    }

    /// Of which kinds the errors are, and in which languages, where there are several.
    private var phonemeErrorTable: String? {
        guard let phonemeErrors else { return nil }
        func line(_ name: String, _ share: Double) -> String {
            "  \(name)".leftAligned(in: 26) + (share * 100).fixed(1) + " %"
        }
        let all = PhonemeErrors(phonemeErrors.values)
        let kinds = [
            ("substitutions", all.substitutions), ("insertions", all.insertions), ("deletions", all.deletions),
        ].map { kind, count in line(kind, Double(count) / Double(max(1, all.total))) }
        let languages = phonemeErrors.sorted { $0.key < $1.key }.compactMap { language, errors in
            errors.rate.map { line("in \(language)", $0) }
        }
        return (kinds + (languages.count > 1 ? languages : [])).joined(separator: "\n")
    }
}
