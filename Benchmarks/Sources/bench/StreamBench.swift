import ArgumentParser
import Checkpoint
import Codec
import Foundation
import Native
import Tokenizer
import XLA

struct StreamBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stream",
        abstract:
            "One stream, one thread, a 20 ms frame at a time: latency and memory, against PyTorch, EnCodec and Mimi.")

    @Option(help: "The Python that has PyTorch and transformers.")
    var python = ".venv/bin/python"
    @Option(parsing: .upToNextOption, help: "Peers to compare with: torch, encodec, mimi. Default: none.")
    var peers: [String] = []
    @Option var precision = Precision.f32
    @Option(help: "The model: \(Alpha.Configuration.presets.keys.sorted().joined(separator: ", ")).")
    var model = "reference"
    @Option(help: "Frames of each round.")
    var frames = 250
    @Option(help: "How often ours and each peer run, in turn.")
    var rounds = 3
    @Option(help: "How many streams are stepped together.")
    var streams = 1
    @Flag(help: "Weights that are values of bf16, as a model that `convert --weights bf16` wrote has them.")
    var roundedWeights = false
    @Flag(help: "Print the steps and their microseconds.")
    var profile = false
    @Option(help: "Frames at once of the profile.")
    var profileFrames = 1

    func validate() throws {
        if frames < 20 || rounds < 1 || streams < 1 || profileFrames < 1 {
            throw ValidationError("--frames 20, --rounds 1, --streams 1, --profile-frames 1 at least")
        }
        if peers.contains("torch") && model != "reference" {
            throw ValidationError("PyTorch has the reference model alone: leave out --model or --peers torch")
        }
    }

    func run() throws {
        let codec = try makeCodec()
        if profile { return try printProfile(codec) }
        var ours = Frames()
        // Before the peers' weights are written, which takes memory of ours.
        HostMemory.giveBackFreed()
        try ours.run(codec, streams: streams, count: frames)
        let resident = residentMegabytes("VmRSS")
        ours = Frames()
        let weights = peers.contains("torch") ? try Self.writeWeights() : ""
        let running = try peers.map { name in
            try Peer(name, python: python, weights: weights, arguments: ["--threads", "1", "--warm-up", "stream"])
        }
        var theirs = [Frames](repeating: Frames(), count: running.count)
        for _ in 0..<rounds {
            try ours.run(codec, streams: streams, count: frames)
            for (index, peer) in running.enumerated() { try theirs[index].run(peer, count: max(20, frames / 5)) }
        }
        var extra: [String: Any] = ours.facts(
            frameSeconds: Double(codec.model.configuration.hop) / Double(codec.model.configuration.sampleRate))
        extra["model"] = model
        extra["precision"] = precision.rawValue
        extra["roundedWeights"] = roundedWeights
        extra["streams"] = streams
        extra["weightMB"] = rounded(Double(codec.weightByteCount) / 1e6)
        extra["residentMB"] = rounded(resident)
        extra["overWeightsMB"] = rounded(resident - Double(codec.weightByteCount) / 1e6)
        for (peer, frames) in zip(running, theirs) {
            let memory = try peer.answer("memory")
            var facts = frames.facts(frameSeconds: memory["frameSeconds"] as? Double ?? 0.02)
            for (name, value) in memory { facts[name] = (value as? Double).map(rounded) ?? value }
            facts["offlineRealTime"] = rounded(2 / median(try peer.run("infer", count: 3)))
            extra["\(peer.name)Facts"] = facts
        }
        try report(
            "bench-stream", ours: ours.total, peers: zip(running, theirs).map { ($0.name, $1.total) }, extra: extra)
    }

    /// The weights as they were given go with this call's end, as they would in a program.
    private func makeCodec() throws -> NativeCodec {
        let fresh = try NativeReference(preset: model)
        var arrays = fresh.arrays
        if roundedWeights { arrays = arrays.mapValues { $0.converted(to: .bf16).converted(to: .f32) } }
        return try NativeCodec(model: fresh.model, arrays: arrays, precision: precision)
    }

    /// What the reference model has in common with its peers: all but the quantizers.
    private static func writeWeights() throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("reference-stream.safetensors").path
        let arrays = try NativeReference().arrays.filter { !$0.key.hasPrefix("quantizer.") }
        try Safetensors.write(arrays, to: path)
        return path
    }

    private func printProfile(_ codec: NativeCodec) throws {
        for direction in [NativeCodec.Direction.encoding, .decoding] {
            var best: [(name: String, seconds: Double)] = []
            for _ in 0..<20 {
                let steps = try codec.profile(direction, frames: profileFrames)
                best = best.isEmpty ? steps : zip(best, steps).map { ($0.name, min($0.seconds, $1.seconds)) }
            }
            print("\(direction): \(rounded(best.reduce(0) { $0 + $1.seconds } * 1e3)) ms")
            for step in best { print(String(format: "%9.1f  ", step.seconds * 1e6) + step.name) }
        }
    }
}

/// The seconds that frames took.
private struct Frames {
    var encoding: [Double] = []
    var decoding: [Double] = []

    var total: [Double] { zip(encoding, decoding).map(+) }

    /// Begins new streams and leaves out their first frames, which find the caches cold.
    mutating func run(_ codec: NativeCodec, streams: Int, count: Int) throws {
        let hop = codec.model.configuration.hop
        let audio = NativeReference.noise(hop * count)
        var encoders = try (0..<streams).map { _ in try codec.makeEncoder() }
        var decoders = try (0..<streams).map { _ in try codec.makeDecoder() }
        for frame in 0..<count {
            let chunk = Array(audio[frame * hop..<(frame + 1) * hop])
            var times: (Double, Double)
            if streams == 1 {
                var tokens = TokenFrames(levelCount: 2)
                times.0 = try time { tokens = try encoders[0].push(chunk) }
                times.1 = try time { _ = try decoders[0].push(tokens) }
            } else {
                var tokens: [TokenFrames] = []
                let chunks = [[Float]](repeating: chunk, count: streams)
                times.0 = try time { tokens = try codec.push(chunks, to: &encoders) }
                times.1 = try time { _ = try codec.push(tokens, to: &decoders) }
            }
            if frame >= 10 {
                encoding.append(times.0)
                decoding.append(times.1)
            }
        }
    }

    mutating func run(_ peer: Peer, count: Int) throws {
        let answer = try peer.answer("stream", count: count)
        guard let encoder = answer["encoder"] as? [Double], let decoder = answer["decoder"] as? [Double] else {
            throw PeerError.unexpected(peer.name, "\(answer)")
        }
        encoding += encoder.dropFirst(10)
        decoding += decoder.dropFirst(10)
    }

    /// - Parameter frameSeconds: the sound of one frame.
    func facts(frameSeconds: Double) -> [String: Any] {
        let sorted = total.sorted()
        return [
            "encodeMilliseconds": rounded(median(encoding) * 1000),
            "decodeMilliseconds": rounded(median(decoding) * 1000),
            "medianMilliseconds": rounded(median(total) * 1000),
            "p99Milliseconds": rounded(sorted[sorted.count * 99 / 100] * 1000),
            "realTime": rounded(frameSeconds / median(total)),
        ]
    }
}

/// `VmRSS`, or the most it has been, `VmHWM`, of this process.
func residentMegabytes(_ name: String) -> Double {
    guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
        let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
        let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Double($0) })
    else { return .nan }
    return kilobytes * 1024 / 1e6
}
