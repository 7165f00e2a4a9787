import ArgumentParser
import Datasets
import Foundation

/// Reading of datasets, against the libraries that wrote them, for the same bytes: every record's sound and metadata.
@main
struct SourceBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Parquet against pyarrow, WebDataset against webdataset, and a manifest of a million lines.")

    @Option(help: "The Python that has pyarrow and webdataset.")
    var python = ".venv/bin/python"

    @Option(help: "How often ours and each peer run, in turn.")
    var rounds = 7

    @Option(help: "Lines of the manifest.")
    var lines = 1_000_000

    func run() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "allophone-bench-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // First, while the process has used no memory for anything else.
        var line = try manifest(folder)
        let peer = try SourcePeer(python: python, folder: folder)
        var ratios: [Double] = []
        for (name, locator) in [
            ("parquet", "\(folder)/table.parquet"), ("webdataset", "\(folder)/shard-{0000..0003}.tar"),
        ] {
            var (ours, theirs, arrays): ([Double], [Double], [Double]) = ([], [], [])
            for round in 0...rounds {
                let (count, seconds) = try read(locator)
                let answer = try peer.run(name)
                guard count == Int(answer["bytes"] ?? 0) else {
                    throw ValidationError("\(name): \(count) bytes, \(answer)")
                }
                // The first round warms the caches.
                guard round > 0 else { continue }
                ours.append(seconds)
                theirs.append(answer["seconds"] ?? .nan)
                if let seconds = answer["arrays"] { arrays.append(seconds) }
            }
            ratios.append(median(theirs) / median(ours))
            line[name] = [
                "ours": rounded(median(ours)), "peer": rounded(median(theirs)),
                "ratio": rounded(median(theirs) / median(ours)),
            ]
            // Arrow's own arrays, of which no record's bytes have been taken out.
            if !arrays.isEmpty { line["\(name)_arrays"] = rounded(median(arrays)) }
        }
        line["benchmark"] = "sources"
        line["ratio"] = rounded(ratios.min() ?? .nan)
        print(String(decoding: try JSONSerialization.data(withJSONObject: line, options: .sortedKeys), as: UTF8.self))
    }

    /// Bytes of sound and text that a dataset's records have, and the seconds that reading them took.
    private func read(_ locator: String) throws -> (bytes: Int, seconds: Double) {
        var bytes = 0
        let elapsed = try time {
            let source = try openSource(locator)
            for shard in source.shards.indices {
                let reader = try source.open(shard: shard)
                while let record = try reader.next()?.get() {
                    if case .bytes(let sound, _) = record.sound { bytes += sound.count }
                    bytes += record.metadata.text?.utf8.count ?? 0
                }
            }
        }
        return (bytes, elapsed)
    }

    private func manifest(_ folder: String) throws -> [String: Any] {
        let path = "\(folder)/manifest.jsonl"
        FileManager.default.createFile(atPath: path, contents: nil)
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        for start in stride(from: 0, to: lines, by: 1000) {
            let text = (start..<min(lines, start + 1000)).map { number in
                #"{"path": "audio/speaker-\#(number % 977)/utterance-\#(number).flac", "seconds": \#(Double(number % 1500) / 100 + 1), "#
                    + #""speaker": "speaker-\#(number % 977)", "language": "en", "text": "a sentence of the usual length, number \#(number)", "#
                    + #""split": "\#(number % 100 == 0 ? "test" : "train")"}"#
            }
            try file.write(contentsOf: Data((text.joined(separator: "\n") + "\n").utf8))
        }
        try file.close()
        let before = peakMemory()
        var counts: [Int] = []
        let split = try time { counts.append(try ManifestSource(folder: folder, split: "train").recordCount ?? 0) }
        let whole = try time { counts.append(try openSource(folder).recordCount ?? 0) }
        guard counts == [lines - (lines + 99) / 100, lines] else {
            throw ValidationError("the manifest has \(counts) lines")
        }
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        try FileManager.default.removeItem(atPath: path)
        return [
            "manifest": [
                "lines": lines, "megabytes": size / 1_000_000, "open": rounded(whole), "open_split": rounded(split),
                "peak_megabytes": rounded(peakMemory()), "peak_megabytes_before": rounded(before),
            ]
        ]
    }

    /// The most memory that this process has had, in MB.
    private func peakMemory() -> Double {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line.flatMap { Double($0.filter(\.isNumber)) }.map { $0 * 1024 / 1e6 } ?? .nan
    }
}

/// `Benchmarks/peers/sources.py`, kept running: a line with a name is answered by a line of JSON.
final class SourcePeer {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    init(python: String, folder: String) throws {
        process.executableURL = URL(filePath: python)
        process.arguments = ["Benchmarks/peers/sources.py", folder]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        _ = try answer()
    }

    deinit { process.terminate() }

    func run(_ name: String) throws -> [String: Double] {
        try input.fileHandleForWriting.write(contentsOf: Data("\(name)\n".utf8))
        return try answer()
    }

    private func answer() throws -> [String: Double] {
        var line = Data()
        while line.last != UInt8(ascii: "\n") {
            let byte = try output.fileHandleForReading.read(upToCount: 1) ?? Data()
            guard !byte.isEmpty else { throw ValidationError("the peer ended; `make peers` installs what it needs") }
            line += byte
        }
        return try JSONDecoder().decode([String: Double].self, from: line)
    }
}

func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? .nan : sorted[sorted.count / 2]
}

func time(_ body: () throws -> Void) rethrows -> Double {
    let elapsed = try ContinuousClock().measure(body).components
    return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
}

func rounded(_ value: Double) -> Double { (value * 1e4).rounded() / 1e4 }
