import ArgumentParser
import Datasets

struct DataCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data",
        abstract: "Look at datasets and prepare them for training.",
        discussion: """
            A SOURCE is a folder with manifest.jsonl, metadata.csv, .jsonl or .parquet, sound files, Parquet files or WebDataset \
            .tar shards; such files themselves, as 'shards/train-{0000..0012}.tar'; or hf://datasets/OWNER/NAME@REVISION.

            EXAMPLES
              allophone data inspect .corpus/core
              allophone data preview .corpus/core --output preview
              allophone data prepare .corpus/core prepared/train --split train
              allophone data prepare .corpus/core prepared/dev --split dev
            """,
        subcommands: [DataInspect.self, DataPrepare.self, DataPreview.self])
}

/// Which records of which dataset.
struct SourceOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("The dataset; see `allophone data --help`.", valueName: "source"))
    var locator: String

    @Option(help: "The split to read; all of them by default.")
    var split: String?

    func open() throws -> any Source { try openSource(locator, split: split) }
}

/// Says how many records a command could not use, and why.
func sayWhatWasSkipped(_ report: SkipReport) {
    guard report.total > 0 else { return }
    say("skipped \(report.total) records:")
    for (reason, count) in report.counts.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
        say("  \(count)  \(reason)")
    }
    for example in report.examples.prefix(3) { say("  e.g. \(example)") }
}
