import ArgumentParser
import Codec
import Foundation
import Native
import Tokenizer

/// How long a `SearchingCodec` takes beside the encoder alone; what it gains is `bench-quality`'s to say.
struct SearchBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Seconds of sound that are encoded in a second, plainly and by search.")

    @Option(help: "A model with bits.")
    var model = "weights/alpha-tiny-pitch.safetensors"
    @Option(help: "How many paths.")
    var paths = [1, 4]
    @Option(help: "Seconds of sound; what it is does not matter to the time.")
    var seconds = 4.0
    @Option(help: "How often each is measured, in turn; the median counts.")
    var rounds = 5

    private struct Way: Hashable {
        var threads: Int
        /// None for the encoder alone.
        var paths: Int?

        var name: String { (paths.map { "\($0) paths" } ?? "plain") + ", \(threads) threads" }
    }

    func run() throws {
        let file = try ModelFile(path: model)
        let rate = file.model.configuration.sampleRate
        let audio = NativeReference.noise(Int(seconds * Double(rate)))
        var ways: [(Way, any SpeechCodec)] = []
        for threads in [1, 2] {
            let codec = try NativeCodec(file, threads: threads, directions: [.encoding, .searching, .decoding])
            ways.append((Way(threads: threads), codec))
            for paths in paths {
                let searching = try SearchingCodec(codec, paths: paths, prior: file.prior)
                ways.append((Way(threads: threads, paths: paths), searching))
            }
        }
        var times: [Way: [Double]] = [:]
        for round in 0...rounds {
            for (way, codec) in ways {
                let taken = try time { _ = try codec.encode(audio) }
                // The first makes plans and finds memory.
                if round > 0 { times[way, default: []].append(taken) }
            }
        }
        let speeds = ways.map { way, _ in (way.name, seconds / median(times[way] ?? [])) }
        print("| | × real time |\n|---|---:|")
        for (name, speed) in speeds { print(String(format: "| \(name) | %.2f |", speed)) }
        let line: [String: Any] = [
            "benchmark": "bench-search", "seconds": seconds,
            "realTimes": Dictionary(uniqueKeysWithValues: speeds.map { ($0.0, rounded($0.1)) }),
        ]
        print(String(decoding: try JSONSerialization.data(withJSONObject: line, options: [.sortedKeys]), as: UTF8.self))
    }
}
