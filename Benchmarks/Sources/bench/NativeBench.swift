import ArgumentParser
import Codec
import Foundation
import NN
import Native
import PJRT
import Tensor
import Tokenizer
import XLA

/// The reference codec with weights of a fresh model, without a plugin.
struct NativeReference {
    let model: Alpha
    let arrays: [String: HostArray]

    init(preset: String = "reference") throws {
        model = try Alpha(.preset(preset))
        var generator = SplitMix(state: 1)
        arrays = model.parameters.sorted { $0.key < $1.key }.reduce(into: [:]) { arrays, entry in
            let shape = entry.value.shape
            let isFactor = entry.key.hasSuffix("alpha") || entry.key.hasSuffix("Norm.scale")
            let bound =
                shape.rank == 1 ? 0.05 : 1.7 / Float(max(1, shape.dimensions.dropLast().reduce(1, *))).squareRoot()
            let scale: Float = entry.key.hasSuffix("pointwise.weight") ? 0.2 : 1
            arrays[entry.key] = HostArray(
                (0..<shape.elementCount).map { _ in
                    isFactor
                        ? Float.random(in: 0.5...1.5, using: &generator)
                        : Float.random(in: -bound...bound, using: &generator) * scale
                }, shape: shape)
        }
    }

    static func noise(_ count: Int) -> [Float] {
        var generator = SplitMix(state: 2)
        return (0..<count).map { _ in Float.random(in: -0.3...0.3, using: &generator) }
    }
}

struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

extension Precision: ExpressibleByArgument {}

struct NativeBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "native", abstract: "The native runtime on 2 s of audio, against PyTorch and our XLA path.")

    @OptionGroup var options: PeerOptions
    @Option var precision = Precision.f32
    @Option var threads = 2
    @Option var block = 16
    @Flag(help: "Only ours, without XLA and peers.")
    var alone = false

    func run() throws {
        let reference = try NativeReference()
        let codec = try NativeCodec(
            model: reference.model, arrays: reference.arrays, precision: precision, threads: threads, blockFrames: block
        )
        let audio = NativeReference.noise(48000)
        var frames = TokenFrames(levelCount: 2)
        func once() throws -> [Double] {
            var (encoder, decoder) = (try codec.makeEncoder(), try codec.makeDecoder())
            return [try time { frames = try encoder.push(audio) }, try time { _ = try decoder.push(frames) }]
        }
        for _ in 0..<2 { _ = try once() }
        if alone {
            let runs = try (0..<options.rounds).map { _ in try once() }
            return try report(
                "bench-native", ours: runs.map { $0[0] + $0[1] }, peers: [],
                extra: ["encoder": rounded(median(runs.map { $0[0] })), "decoder": rounded(median(runs.map { $0[1] }))])
        }
        let engine = try Engine(platform: .cpu)
        let codecXLA = ReferenceCodec()
        let parameters = try codecXLA.initialize(on: engine)
        let weights = try ReferenceCodec.writeWeights(parameters)
        let peers = try options.peers.map { try Peer($0, python: options.python, weights: weights) }
        let encode = Function("encode", on: engine, placeholders: codecXLA.placeholders) { arguments in
            var past = Past.offline()
            return .leaf(codecXLA.encoder(arguments["x"].value, &past))
        }
        let decode = Function("decode", on: engine, placeholders: codecXLA.placeholders) { arguments in
            var past = Past.offline()
            return .leaf(codecXLA.decoder(arguments["x"].value, &past))
        }
        let x = try engine.upload(HostArray(audio, shape: [1, 48000, 1]))
        let latent = try encode(["parameters": parameters, "x": .leaf(x)])
        func onceXLA() throws -> Double {
            try time {
                _ = try encode(["parameters": parameters, "x": .leaf(x)]).value.hostArray()
                _ = try decode(["parameters": parameters, "x": latent]).value.hostArray()
            }
        }
        for _ in 0..<2 { _ = try onceXLA() }
        var ours: [[Double]] = []
        var xla: [Double] = []
        var theirs = [[Double]](repeating: [], count: peers.count)
        for _ in 0..<options.rounds {
            // The first run after another program's finds none of its memory in the caches, and does not count.
            _ = try once()
            for _ in 0..<2 { ours.append(try once()) }
            _ = try onceXLA()
            xla.append(try onceXLA())
            for (index, peer) in peers.enumerated() { theirs[index] += try peer.run("infer", count: 3).dropFirst() }
        }
        try report(
            "bench-native", ours: ours.map { $0[0] + $0[1] },
            peers: zip(peers, theirs).map { ($0.name, $1) } + [("xla", xla)],
            extra: [
                "encoder": rounded(median(ours.map { $0[0] })), "decoder": rounded(median(ours.map { $0[1] })),
                "precision": precision.rawValue, "threads": threads,
            ])
    }
}

struct FreshModel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "Write a model of a preset that has learnt nothing, to measure programs with.")

    @Argument var preset: String
    @Argument var path: String

    func run() throws {
        let fresh = try NativeReference(preset: preset)
        try ModelFile.write(fresh.arrays, of: fresh.model, to: path)
    }
}
