import ArgumentParser
import Checkpoint
import Foundation
import NN
import PJRT
import Tensor
import Tokenizer
import XLA

/// The reference codec's encoder and decoder with random weights, shared with the peers through a file.
struct ReferenceCodec: Module {
    let encoder: RawEncoder
    let decoder: RawDecoder

    init() {
        encoder = RawEncoder(.reference)
        decoder = RawDecoder(.reference)
    }

    var placeholders: [String: Tensor] {
        Dictionary(uniqueKeysWithValues: parameters.map { ("parameters.\($0)", $1.tensor) })
    }

    func initialize(on engine: Engine) throws -> Tree<Buffer> {
        let codec = self
        let key = try engine.upload(RandomKey.words(seed: 1))
        return try Function("initialize", on: engine, compilation: .quick) { arguments in
            Tree(codec.initialization(key: RandomKey(words: arguments["key"].value)))
        }(["key": .leaf(key)])
    }

    /// Writes the weights where a peer can read them.
    static func writeWeights(_ parameters: Tree<Buffer>) throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("reference-codec.safetensors").path
        try Safetensors.write(parameters.hostArrays().values, metadata: [:], to: path)
        return path
    }
}

struct CodecBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "codec", abstract: "Encoder and decoder of the reference codec on 2 s of audio, f32.")

    @OptionGroup var options: PeerOptions

    func run() throws {
        let engine = try CompileProgram.trainingEngine()
        let codec = ReferenceCodec()
        let parameters = try codec.initialize(on: engine)
        let weights = try ReferenceCodec.writeWeights(parameters)
        let encode = Function("encode", on: engine, placeholders: codec.placeholders) { arguments in
            var past = Past.offline()
            return .leaf(codec.encoder(arguments["x"].value, &past))
        }
        let decode = Function("decode", on: engine, placeholders: codec.placeholders) { arguments in
            var past = Past.offline()
            return .leaf(codec.decoder(arguments["x"].value, &past))
        }
        var generator = SystemRandomNumberGenerator()
        let noise = (0..<48000).map { _ in Float.random(in: -0.3...0.3, using: &generator) }
        let audio = try engine.upload(HostArray(noise, shape: [1, 48000, 1]))
        let latent = try encode(["parameters": parameters, "x": .leaf(audio)])

        func once() throws -> [Double] {
            [
                try time { _ = try encode(["parameters": parameters, "x": .leaf(audio)]).value.hostArray() },
                try time { _ = try decode(["parameters": parameters, "x": latent]).value.hostArray() },
            ]
        }
        let peers = try options.peers.map { try Peer($0, python: options.python, weights: weights) }
        for _ in 0..<3 { _ = try once() }
        var ours: [[Double]] = []
        var theirs = [[Double]](repeating: [], count: peers.count)
        for _ in 0..<options.rounds {
            for _ in 0..<3 { ours.append(try once()) }
            for (index, peer) in peers.enumerated() { theirs[index] += try peer.run("infer", count: 3) }
        }
        try report(
            "bench-codec", ours: ours.map { $0.reduce(0, +) },
            peers: zip(peers, theirs).map { ($0.name, $1) },
            extra: ["encoder": rounded(median(ours.map { $0[0] })), "decoder": rounded(median(ours.map { $0[1] }))])
    }
}

struct TrainBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Forward, backward and AdamW of the reference codec on 1 s of audio, f32.")

    @OptionGroup var options: PeerOptions

    func run() throws {
        let engine = try CompileProgram.trainingEngine()
        let codec = ReferenceCodec()
        let parameters = try codec.initialize(on: engine)
        let weights = try ReferenceCodec.writeWeights(parameters)
        let placeholders = Dictionary(
            uniqueKeysWithValues: codec.parameters.map { ("state.parameters.\($0)", $1.tensor) })
        let step = Function("train", on: engine, placeholders: placeholders, donating: ["state"]) { arguments in
            let state = arguments["state"]
            let x = arguments["x"].value
            var past = Past.offline()
            let y = codec.decoder(codec.encoder(x, &past), &past)
            let loss = (y - x).squared.mean()
            let current = state["parameters"].values
            let paths = current.keys.sorted()
            let gradients = gradient(of: loss, at: paths.map { current[$0]! })
            let adam = AdamW(learningRate: .constant(1e-4), weightDecay: 0.01)
            let (updated, moments) = adam.update(
                gradients: Dictionary(uniqueKeysWithValues: zip(paths, gradients)), parameters: current,
                state: state["moments"].values, step: state["step"].value)
            return [
                "loss": .leaf(loss),
                "state": [
                    "parameters": Tree(updated), "moments": Tree(moments), "step": .leaf(state["step"].value + 1),
                ],
            ]
        }
        var generator = SystemRandomNumberGenerator()
        let noise = (0..<24000).map { _ in Float.random(in: -0.3...0.3, using: &generator) }
        let audio = try engine.upload(HostArray(noise, shape: [1, 24000, 1]))
        let zeros = try Function("zeros", on: engine) { _ in
            let types = AdamW(learningRate: .constant(0)).stateTypes(for: codec.parameters.mapValues(\.type))
            return Tree(types.mapValues { Tensor.zeros($0) })
        }
        var state: Tree<Buffer> = [
            "parameters": parameters, "moments": try zeros([:]),
            "step": .leaf(try engine.upload(HostArray(0 as Int32))),
        ]
        func once() throws -> Double {
            try time {
                let result = try step(["state": state, "x": .leaf(audio)])
                state = result["state"]
                _ = try result["loss"].value.hostArray()
            }
        }
        let peers = try options.peers.map { try Peer($0, python: options.python, weights: weights) }
        for _ in 0..<2 { _ = try once() }
        var ours: [Double] = []
        var theirs = [[Double]](repeating: [], count: peers.count)
        for _ in 0..<options.rounds {
            for _ in 0..<2 { ours.append(try once()) }
            for (index, peer) in peers.enumerated() { theirs[index] += try peer.run("train", count: 2) }
        }
        try report("bench-train", ours: ours, peers: zip(peers, theirs).map { ($0.name, $1) })
    }
}
