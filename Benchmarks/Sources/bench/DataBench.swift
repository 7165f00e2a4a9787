import ArgumentParser
import Audio
import Datasets
import Foundation

/// A corpus of FLAC at mixed rates to left-padded batches at 24 kHz: real time per second, against Python.
struct DataBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data", abstract: "Decoding, resampling and batching of a corpus, against Python.")

    @Option(help: "The Python that has datasets, soundfile and soxr.")
    var python = ".venv/bin/python"

    @Option(help: "A folder with a manifest.jsonl.")
    var corpus = ".corpus/core"

    @Option(help: "Threads that decode, ours and the peer's.")
    var threads = 2

    @Option(help: "How often ours and the peer run, in turn.")
    var rounds = 3

    @Flag(help: "Only ours, for a profiler.")
    var alone = false

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
        let count = records / (Self.batchSize * Self.poolBatches) * Self.poolBatches
        var audio = 0.0
        let wall = try time {
            let pipeline = try Pipeline([WeightedSource(source)], options)
            for _ in 0..<count { _ = try pipeline.nextBatch() }
            audio = pipeline.position.seconds
        }
        return (wall, audio)
    }

    func run() throws {
        let source = try openSource(corpus)
        // Once for the page cache.
        _ = try pass(source, seed: 0)
        if alone {
            let (wall, audio) = try pass(source, seed: 1)
            print("\(audio / wall) × real time, \(audio / wall / Double(threads)) a thread")
            return
        }
        let peer = try Peer(
            "python", python: python, script: "data_loader.py",
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
            theirs += try peer.run("pass", count: 1)
        }
        try report(
            "data", ours: ours, peers: [("python", theirs)],
            extra: [
                "unit": "seconds for an hour of audio", "threads": threads,
                "realTime": rounded(3600 / median(ours)),
                "realTimePerThread": rounded(3600 / median(ours) / Double(threads)),
            ])
    }
}
