import ArgumentParser
import Audio
import Checkpoint
import Codec
import Datasets
import Foundation
import Metrics
import Phonemes
import Tokenizer
import Training

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

    @Option(help: ArgumentHelp("A dataset's folder, with a manifest.jsonl.", valueName: "folder"))
    var data: String?

    @Option(help: "The split of the dataset.")
    var split = "dev"

    @Option(help: "How many clips of the dataset, spread over it.")
    var clips = 16

    @Option(help: ArgumentHelp("Where to leave sound files and pictures.", valueName: "folder"))
    var output: String?

    @OptionGroup var model: ModelOptions
    @OptionGroup var backend: BackendOptions

    @Flag(help: "Print the figures as JSON.")
    var json = false

    func validate() throws {
        if files.isEmpty == (data == nil) { throw ValidationError("give either sound files or a dataset with --data") }
        if clips < 1 { throw ValidationError("--clips must be 1 or more") }
    }

    func run() throws {
        let file = try model.load()
        let sampleRate = file.model.configuration.sampleRate
        let set =
            try files.isEmpty
            ? EvaluationSet(
                openSource(data ?? ".", split: split), count: clips, sampleRate: sampleRate,
                labeler: labeler(file.model.configuration))
            : EvaluationSet(clips: files.map { ($0, try Waveform.load(path: $0, sampleRate: sampleRate)) })
        if let output { try Disk.createFolder(output) }
        let codec = try backend.codec(file)
        let interrupt = Interrupt()
        let bar = ProgressBar("evaluating", total: Double(set.clips.count), unit: .items("clip"))
        var done = 0
        let result = try set.evaluate(codec) { clip in
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

    /// Without espeak-ng there is no phoneme error rate, and the rest can still be measured.
    private func labeler(_ configuration: Alpha.Configuration) -> PhonemeLabeler? {
        guard let inventory = configuration.phonemes else { return nil }
        do {
            _ = try Espeak()
            return PhonemeLabeler(inventory: inventory)
        } catch {
            say("no phoneme error rate: \(error)")
            return nil
        }
    }

    private func keep(_ clip: Reconstruction, in folder: String) throws {
        let name = URL(fileURLWithPath: clip.name).deletingPathExtension().lastPathComponent
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
        func row(_ name: String, _ format: String, _ value: Double?) -> String? {
            value.map { name.padding(toLength: 26, withPad: " ", startingAt: 0) + String(format: format, $0) }
        }
        return [
            row("clips", "%.0f", Double(clips)), row("audio", "%.1f s", seconds),
            row("bit rate", "%.0f bit/s", bitRate),
            row("encoding", "%.1f × real time", encodeSpeed), row("decoding", "%.1f × real time", decodeSpeed),
            row("STOI", "%.3f", stoi), row("mel distance", "%.3f", melDistance),
            row("SI-SDR", "%.1f dB", scaleInvariantSDR),
            row("level-1 codes used", "%.0f %%", level1Used.map { $0 * 100 }),
            row("level-1 perplexity", "%.1f", level1Perplexity),
            row("phoneme error rate", "%.1f %%", phonemeErrorRate.map { $0 * 100 }),
            row("blank frames", "%.0f %%", blankShare.map { $0 * 100 }),
            row("STOI of level 1 alone", "%.3f", level1STOI),
            row("lowest mean of a bit", "%.2f", bitMeans?.min()), row("highest mean of a bit", "%.2f", bitMeans?.max()),
        ].compactMap { $0 }.joined(separator: "\n")
    }
}
