import ArgumentParser
import Audio
import Checkpoint
import Datasets

struct DataPreview: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preview",
        abstract: "Leave a few clips of a dataset as WAV files with pictures of their spectrograms.",
        discussion: """
            The clips are spread over the dataset where it can be read in any order, and are the first ones else: the same ones each \
            time.

            EXAMPLES
              allophone data preview .corpus/core --output preview
              allophone data preview shards/train-0000.tar --output preview --clips 20 --png
            """)

    @OptionGroup var source: SourceOptions

    @Option(help: ArgumentHelp("Where to leave the files.", valueName: "folder"))
    var output: String

    @Option(help: "How many clips.")
    var clips = 8

    @Option(help: ArgumentHelp("The sample rate to bring them to.", valueName: "Hz"))
    var rate = 24000

    @Flag(help: "Pictures as PNG, without axes, instead of SVG.")
    var png = false

    func validate() throws {
        if clips < 1 { throw ValidationError("--clips must be 1 or more") }
        if !SampleRate.supported.contains(rate) {
            throw ValidationError("--rate must be in \(SampleRate.supported) Hz")
        }
    }

    func run() throws {
        let preparation = ClipPreparation(sampleRate: rate, measuresBandwidth: true)
        let sample = try ClipSample(try source.open(), count: clips, preparation: preparation)
        guard !sample.clips.isEmpty else { throw PipelineError.nothingUsable(sample.skipped) }
        try Disk.createFolder(output)
        let files = sample.clips.indices.map { "\(output)/\(String($0).rightAligned(in: 3, padding: "0"))" }
        let ending = png ? "png" : "svg"
        // They may be the dataset's own.
        if let present = files.flatMap({ ["\($0).wav", "\($0).\(ending)"] }).first(where: Disk.exists) {
            throw CommandError.exists(path: present)
        }
        for (file, (clip, waveform)) in zip(files, sample.clips) {
            try waveform.write(to: "\(file).wav")
            try SpectrogramImage(panels: [.init(title: clip.key, waveform: waveform)]).write(to: "\(file).\(ending)")
            let facts = [
                "\(waveform.duration.fixed(2)) s", "up to \((clip.bandwidth / 1000).fixed(1)) kHz",
                clip.speaker, clip.language, clip.text,
            ]
            try printLine("\(file).wav  \(clip.key)  \(facts.compactMap { $0 }.joined(separator: "  "))")
        }
        sayWhatWasSkipped(sample.skipped)
    }
}
