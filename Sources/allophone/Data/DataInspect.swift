import ArgumentParser
import Datasets
import Metrics

struct DataInspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Say what a dataset holds, by decoding all of it.",
        discussion: """
            Hours, rates, true bandwidth, lengths, speakers, languages, text, and what cannot be used. The true bandwidth is the \
            highest frequency with sound, whatever the sample rate promises: speech that was once sampled at 16 kHz ends at 8 kHz.

            EXAMPLES
              allophone data inspect .corpus/core
              allophone data inspect hf://datasets/OWNER/NAME --split test --limit 500
              allophone data inspect 'shards/train-{0000..0012}.tar' --json
            """)

    @OptionGroup var source: SourceOptions

    @Option(help: "Look at no more than so many records.")
    var limit: Int?

    @Flag(help: "End at the first record that cannot be used.")
    var strict = false

    @Flag(help: "Print the figures as JSON.")
    var json = false

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more") }
    }

    func run() throws {
        let source = try source.open()
        let interrupt = Interrupt()
        let total = [source.recordCount, limit].compactMap { $0 }.min()
        let bar = ProgressBar("inspecting", total: total.map(Double.init), unit: .items("clip"))
        let inspection = try Inspection(of: source, limit: limit, isStrict: strict) { records, _ in
            try interrupt.check()
            bar.update(Double(records))
        }
        bar.finish()
        if json { return try printJSON(inspection) }
        try printLine(inspection.table)
        sayWhatWasSkipped(inspection.skipped)
    }
}

extension Inspection {
    /// For people.
    var table: String {
        func share(_ part: Double, _ whole: Double) -> String {
            whole > 0 ? "\((100 * part / whole).fixed(0)) %" : "-"
        }
        func row(_ name: String, _ value: String) -> String {
            name.leftAligned(in: 20) + value
        }
        func most(_ values: [String: Double]) -> String {
            let sorted = values.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            let listed = sorted.prefix(8).map { "\($0.key) \(share($0.value, seconds))" }.joined(separator: ", ")
            return sorted.count > 8 ? "\(listed), …" : listed
        }
        var rows = [
            row("clips", "\(clips)"), row("audio", "\((seconds / 3600).fixed(2)) h"),
            row(
                "sample rates",
                sampleRates.sorted { $0.key < $1.key }.map { "\($0.key) Hz \(share(Double($0.value), Double(clips)))" }
                    .joined(separator: ", ")),
            row(
                "channels",
                channels.sorted { $0.key < $1.key }.map { "\($0.key) in \(share(Double($0.value), Double(clips)))" }
                    .joined(separator: ", ")),
            row(
                "narrow band", "\(share(narrowSeconds, seconds)) ends below four fifths of what its rate can hold"),
            row(
                "speakers",
                speakers.isEmpty
                    ? "not stated" : "\(speakers.count)\(speakersAreAll ? "" : " and more"): \(most(speakers))"),
            row("languages", languages.isEmpty ? "not stated" : most(languages)),
            row("with text", "\(share(Double(clipsWithText), Double(clips))) of clips, \(characters) characters"),
            row("cannot be used", "\(skipped.total)"),
        ]
        if clips > 0 {
            rows.append(
                row(
                    "lengths",
                    "\((shortest ?? 0).fixed(2)) to \(longest.fixed(1)) s, half below \(length(quantile: 0.5).fixed(1)) s, "
                        + "95 % below \(length(quantile: 0.95).fixed(1)) s"))
            let bins = lengths.keys.min()!...lengths.keys.max()!
            rows += histogram(
                bins.map { ("\(Self.lengthBin($0).fixed(2).rightAligned(in: 7)) s", Double(lengths[$0] ?? 0)) },
                unit: "")
        }
        if let top = bandwidths.keys.max() {
            rows.append("true bandwidth")
            rows += histogram(
                (0...top).compactMap { kHz in
                    bandwidths[kHz].map { ("\(String(kHz).rightAligned(in: 5)) kHz", $0 / 60) }
                },
                unit: " min")
        }
        return rows.joined(separator: "\n")
    }

    /// A bar a line, the longest of 40 columns.
    private func histogram(_ bins: [(label: String, value: Double)], unit: String) -> [String] {
        let most = bins.map(\.value).max() ?? 0
        return bins.map { label, value in
            let eighths = most > 0 ? Int((value / most * 320).rounded()) : 0
            let bar = String(repeating: "█", count: eighths / 8) + ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
            return
                "  \(label)  \(bar) \(value == value.rounded() ? String(Int(value)) : value.fixed(1))\(unit)"
        }
    }
}
