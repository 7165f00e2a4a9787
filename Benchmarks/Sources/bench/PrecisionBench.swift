import ArgumentParser
import Codec
import Datasets
import Foundation
import Native
import Tokenizer
import Training
import XLA

struct PrecisionBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "precision",
        abstract:
            "What bf16 and int8 cost on speech that a model has not heard, and how far the native runtime is from XLA.")

    @Option(help: "A trained model.")
    var model = "runs/small/model.safetensors"
    @Option(help: "A dataset's folder, with a manifest.jsonl.")
    var data = ".corpus/core"
    @Option(help: "The split of the dataset.")
    var split = "dev"
    @Option(help: "How many clips, spread over it.")
    var clips = 24
    @Option var threads = 2

    func run() throws {
        let file = try ModelFile(path: model)
        let set = try EvaluationSet(
            openSource(data, split: split), count: clips, sampleRate: file.model.configuration.sampleRate)
        let directions: Set<NativeCodec.Direction> = [.encoding, .decoding, .decodingLevelOne]
        let plain = try Measured(NativeCodec(file, threads: threads, directions: directions), on: set, against: nil)
        var rows = [("f32", plain)]
        for precision in [Precision.bf16, .int8] {
            let codec = try NativeCodec(
                file, precision: precision, threads: threads, directions: directions)
            rows.append((precision.rawValue, try Measured(codec, on: set, against: plain)))
        }
        rows.append(("f32 on XLA", try Measured(XLACodec(file, on: Engine(platform: .cpu)), on: set, against: plain)))
        print("| | STOI | mel distance | codes that differ | frames that differ | waveform, at most |")
        print("|---|---:|---:|---:|---:|---:|")
        for (name, row) in rows {
            print(
                "| \(name) "
                    + String(
                        format: "| %.4f | %.4f | %.3f %% | %.3f %% | %.1e |", row.quality.stoi,
                        row.quality.melDistance, row.codeDifferences * 100, row.frameDifferences * 100,
                        row.waveformDifference))
        }
        var line: [String: Any] = [
            "benchmark": "bench-precision", "clips": plain.quality.clips, "seconds": rounded(plain.quality.seconds),
        ]
        for (name, row) in rows { line[name] = row.facts }
        print(String(decoding: try JSONSerialization.data(withJSONObject: line, options: [.sortedKeys]), as: UTF8.self))
    }
}

/// How a codec does on clips, and how it differs from another of the same model.
private struct Measured {
    var quality: Evaluation
    var tokens: [TokenFrames] = []
    /// What it makes of the other codec's tokens, or of its own where there is no other.
    var audio: [[Float]] = []
    /// Shares of the codes, and of the frames with any code, that the other codec has otherwise.
    var codeDifferences = 0.0
    var frameDifferences = 0.0
    /// The greatest difference of a sample, of the same tokens.
    var waveformDifference: Float = 0

    init(_ codec: some SpeechCodec, on set: EvaluationSet, against other: Measured?) throws {
        var tokens: [TokenFrames] = []
        quality = try set.evaluate(codec) { tokens.append($0.tokens) }
        audio = try (other?.tokens ?? tokens).map { tokens in
            var decoder = try codec.makeDecoder()
            return try decoder.push(tokens) + decoder.finish()
        }
        self.tokens = tokens
        if let other { compare(with: other) }
    }

    private mutating func compare(with other: Measured) {
        var (frames, differentFrames, codes, differentCodes) = (0, 0, 0, 0)
        for (ours, theirs) in zip(tokens, other.tokens) {
            for frame in 0..<min(ours.count, theirs.count) {
                let different = (0..<ours.levelCount).count { ours[frame, $0] != theirs[frame, $0] }
                frames += 1
                codes += ours.levelCount
                differentCodes += different
                differentFrames += different > 0 ? 1 : 0
            }
        }
        codeDifferences = Double(differentCodes) / Double(max(1, codes))
        frameDifferences = Double(differentFrames) / Double(max(1, frames))
        for (ours, theirs) in zip(audio, other.audio) {
            for (one, another) in zip(ours, theirs) { waveformDifference = max(waveformDifference, abs(one - another)) }
        }
    }

    var facts: [String: Any] {
        [
            "stoi": rounded(quality.stoi), "melDistance": rounded(quality.melDistance),
            "codesThatDiffer": codeDifferences, "framesThatDiffer": frameDifferences,
            "waveformDifference": Double(waveformDifference), "encodeSpeed": rounded(quality.encodeSpeed),
            "decodeSpeed": rounded(quality.decodeSpeed),
        ]
    }
}
