import ArgumentParser
import Codec
import Foundation
import Native
import Tokenizer

/// How many streams one core serves at real time, by how many there are.
struct StreamsBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "streams",
        abstract: "Streams that one core serves at real time: stepped together, and each alone, on one set of weights.")

    @Option(help: "The model: \(Alpha.Configuration.presets.keys.sorted().joined(separator: ", ")).")
    var model = "reference"
    @Option var precision = Precision.f32
    @Option(help: "Steps of every number of streams; the median counts.")
    var rounds = 25
    @Option(help: "The folder of benchmarks.md, whose table is replaced, and of streams.svg.")
    var docs: String?

    private static let counts = [1, 2, 4, 8, 16, 32, 64]

    func run() throws {
        let reference = try NativeReference(preset: model)
        let codec = try NativeCodec(model: reference.model, arrays: reference.arrays, precision: precision)
        let frame = 1 / codec.model.configuration.frameRate
        var rows: [StreamsRow] = []
        for count in Self.counts {
            let seconds = try measure(codec, streams: count)
            rows.append(
                StreamsRow(streams: count, seconds: seconds, served: seconds.mapValues { Double(count) * frame / $0 }))
        }
        print(table(rows))
        let line: [String: Any] = [
            "benchmark": "bench-streams", "model": model, "precision": precision.rawValue,
            "frameMilliseconds": frame * 1000,
            "streamsPerCore": rows.map { row in
                row.served.reduce(into: ["streams": rounded(Double(row.streams))]) {
                    $0[$1.key.rawValue] = rounded($1.value)
                }
            },
        ]
        if let docs {
            let plot = StreamsPlot(
                title: "Streams per core at real time",
                subtitle: "\(model), \(precision.rawValue), one thread, frames of \(Int(frame * 1000)) ms", rows: rows)
            try plot.svg.write(toFile: "\(docs)/streams.svg", atomically: true, encoding: .utf8)
            try replaceTable(in: "\(docs)/benchmarks.md", by: table(rows))
        }
        print(String(decoding: try JSONSerialization.data(withJSONObject: line, options: [.sortedKeys]), as: UTF8.self))
    }

    /// Seconds of a step of all streams, the median of the rounds.
    private func measure(_ codec: NativeCodec, streams: Int) throws -> [StreamsSeries: Double] {
        let hop = codec.model.configuration.hop
        let audio = NativeReference.noise(hop * (rounds + 2))
        var (encoders, decoders) = (
            try (0..<streams).map { _ in try codec.makeEncoder() },
            try (0..<streams).map { _ in try codec.makeDecoder() }
        )
        var (aloneEncoders, aloneDecoders) = (encoders, decoders)
        var times: [StreamsSeries: [Double]] = [:]
        for round in 0..<rounds + 2 {
            let chunk = Array(audio[round * hop..<(round + 1) * hop])
            let chunks = [[Float]](repeating: chunk, count: streams)
            var tokens: [TokenFrames] = []
            // Each kind of step in turn, so that what else the machine does meets all of them.
            let seconds: [StreamsSeries: Double] = [
                .encodingTogether: try time { tokens = try codec.push(chunks, to: &encoders) },
                .decodingTogether: try time { _ = try codec.push(tokens, to: &decoders) },
                .encodingAlone: try time {
                    for index in aloneEncoders.indices { _ = try aloneEncoders[index].push(chunk) }
                },
                .decodingAlone: try time {
                    for index in aloneDecoders.indices { _ = try aloneDecoders[index].push(tokens[index]) }
                },
            ]
            // The first two make plans and find memory.
            if round >= 2 { for (series, value) in seconds { times[series, default: []].append(value) } }
        }
        return times.mapValues(median)
    }

    private func table(_ rows: [StreamsRow]) -> String {
        let head = """
            | streams | encoding, together | each alone | decoding, together | each alone | step of both, together |
            |---:|---:|---:|---:|---:|---:|
            """
        let lines = rows.map { row in
            let cells = StreamsSeries.allCases.map { String(format: "%.1f", row.served[$0] ?? .nan) }
            let step = (row.seconds[.encodingTogether] ?? .nan) + (row.seconds[.decodingTogether] ?? .nan)
            return "| \(row.streams) | \(cells.joined(separator: " | ")) | \(String(format: "%.1f ms", step * 1000)) |"
        }
        return ([head] + lines).joined(separator: "\n")
    }

    private func replaceTable(in path: String, by table: String) throws {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let (begin, end) = ("<!-- bench-streams -->", "\n<!-- /bench-streams -->")
        guard let start = text.range(of: begin), let stop = text.range(of: end, range: start.upperBound..<text.endIndex)
        else {
            throw ValidationError("\(path): has no lines \(begin) and \(end.dropFirst()) to write between")
        }
        let new = text[..<start.upperBound] + "\n" + table + text[stop.lowerBound...]
        try String(new).write(toFile: path, atomically: true, encoding: .utf8)
    }
}

/// What is measured, in the order of the table's columns.
enum StreamsSeries: String, CaseIterable {
    case encodingTogether, encodingAlone, decodingTogether, decodingAlone
}

/// The figures of one number of streams.
struct StreamsRow {
    var streams: Int
    /// Seconds of a step of all streams.
    var seconds: [StreamsSeries: Double]
    /// Streams that one core serves at that pace.
    var served: [StreamsSeries: Double]
}
