import ArgumentParser
import Audio
import Datasets
import Foundation

/// A corpus of FLAC at mixed rates to left-padded batches at 24 kHz: real time per second, against Python.
@main
struct DataBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-data", abstract: "Decoding, resampling and batching of a corpus, against Python.")

    @Option(help: "The Python that has datasets, soundfile and soxr.")
    var python = ".venv/bin/python"

    @Option(help: "A folder with a manifest.jsonl.")
    var corpus = ".corpus/core"

    @Option(help: "Threads that decode, ours and the peer's.")
    var threads = 2

    @Option(help: "How often ours and the peer run, in turn.")
    var rounds = 3

    @Flag(help: "Only ours, for a profiler and for the memory that it takes.")
    var alone = false

    @Option(help: "Batches of a pass, where a corpus does not say how many records it has, or has too many.")
    var batches: Int?

    static let (batchSize, poolBatches, hop, longest) = (16, 16, 480, 500)

    /// One pass over the corpus, as far as whole pools go.
    private func pass(_ source: any Source, seed: UInt64) throws -> (wall: Double, audio: Double) {
        let records = source.recordCount ?? 0
        var options = Pipeline.Options(
            preparation: ClipPreparation(sampleRate: 24000), hop: Self.hop,
            length: .utterances(LengthBuckets(shortest: 50, longest: Self.longest)), batchSize: Self.batchSize)
        options.poolBatches = Self.poolBatches
        options.threads = threads
        options.seed = seed
        let count = batches ?? records / (Self.batchSize * Self.poolBatches) * Self.poolBatches
        var audio = 0.0
        let wall = try ContinuousClock().measure {
            let pipeline = try Pipeline([WeightedSource(source)], options)
            for _ in 0..<count { _ = try pipeline.nextBatch() }
            audio = pipeline.position.seconds
        }
        return (wall / .seconds(1), audio)
    }

    func run() throws {
        let source = try openSource(corpus)
        // Once for the page cache.
        _ = try pass(source, seed: 0)
        if alone {
            let (wall, audio) = try pass(source, seed: 1)
            print("\(audio / wall) × real time, \(audio / wall / Double(threads)) a thread")
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM") }?.split(separator: " ")
            print("\(Int(audio)) s of audio, at most \(peak?[1] ?? "?") kB resident")
            return
        }
        let peer = try LoaderPeer(
            python: python,
            arguments: [
                "--corpus", corpus, "--threads", "\(threads)", "--batch", "\(Self.batchSize)", "--pool",
                "\(Self.poolBatches)", "--hop", "\(Self.hop)", "--longest", "\(Self.longest)",
            ])
        var ours: [Double] = []
        var theirs: [Double] = []
        for round in 1...rounds {
            let (wall, audio) = try pass(source, seed: UInt64(round))
            // Seconds for an hour of audio: the passes leave out different clips.
            ours.append(wall / audio * 3600)
            theirs.append(try peer.run())
        }
        let (mine, other) = (median(ours), median(theirs))
        let line: [String: Any] = [
            "benchmark": "data", "unit": "seconds for an hour of audio", "threads": threads, "ours": rounded(mine),
            "peer": rounded(other), "ratio": rounded(other / mine), "realTime": rounded(3600 / mine),
            "realTimePerThread": rounded(3600 / mine / Double(threads)),
        ]
        print(String(decoding: try JSONSerialization.data(withJSONObject: line, options: .sortedKeys), as: UTF8.self))
    }
}

/// `Benchmarks/peers/data_loader.py`, kept running and asked for one pass at a time.
private final class LoaderPeer {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    init(python: String, arguments: [String]) throws {
        process.executableURL = URL(filePath: python)
        process.arguments = ["Benchmarks/peers/data_loader.py"] + arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        guard try answer()["ready"] as? Bool == true else { throw ValidationError("the peer does not start") }
    }

    deinit { process.terminate() }

    /// Seconds for an hour of audio.
    func run() throws -> Double {
        try input.fileHandleForWriting.write(contentsOf: Data("{\"run\": \"pass\", \"repeat\": 1}\n".utf8))
        let answer = try answer()
        guard let seconds = (answer["seconds"] as? [Double])?.first else {
            throw ValidationError("the peer: \(answer)")
        }
        return seconds
    }

    private func answer() throws -> [String: Any] {
        var line = Data()
        while line.last != UInt8(ascii: "\n") {
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { throw ValidationError("the peer ended; `make peers` installs what it needs") }
            line += more
        }
        return try JSONSerialization.jsonObject(with: line) as? [String: Any] ?? [:]
    }
}

private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
private func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
