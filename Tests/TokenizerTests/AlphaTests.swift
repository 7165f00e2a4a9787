import Foundation
import NN
import Tensor
import TestSupport
import Testing
import Tokenizer
import XLA

@Suite struct AlphaTests {
    private let model: Alpha
    private let values: [String: HostArray]
    private let hop = SmallAlpha.configuration.hop

    init() throws {
        model = try Alpha(SmallAlpha.configuration)
        values = SmallAlpha.values(model.parameters)
    }

    private func audio(frames: Int, batch: Int = 1, dtype: DType = .f32) -> HostArray {
        var random = TestRandom(seed: 4)
        return random.array([batch, frames * hop, 1], .f32, low: -0.7, high: 0.7).converted(to: dtype)
    }

    @Test(arguments: Alpha.Configuration.presets.keys.sorted())
    func shapesFollowTheConfiguration(_ name: String) throws {
        let model = try Alpha(.preset(name))
        let hop = model.configuration.hop
        var past = Past.offline()
        let latent = model.encoder(.input(TensorType(.f32, [2, 3 * hop, 1]), name: "x"), &past)
        #expect(latent.type == TensorType(.f32, [2, 3, model.configuration.latentDimension]))
        let quantized = model.quantizer(latent)
        #expect(quantized.embedding.type == latent.type)
        #expect(quantized.codes.type == TensorType(.i32, [2, 3, model.configuration.codeWidth]))
        #expect(model.quantizer.codeWidth == model.configuration.codeWidth)
        past = .offline()
        #expect(model.decode(quantized.codes, &past).type == TensorType(.f32, [2, 3 * hop, 1]))
        past = .offline()
        let half = model.decoder(latent.cast(to: .bf16), &past)
        #expect(half.dtype == .bf16)
    }

    /// A codec that is a stream: state from chunk to chunk, for the encoder's latents and the decoder's samples.
    private struct Stream {
        let run: (Tensor, inout Past) -> Tensor
        let parameters: [String: Parameter]
        let values: [String: HostArray]

        func whole(_ x: HostArray) throws -> HostArray {
            let input = Tensor.input(x.type, name: "x")
            var past = Past.offline()
            let bound = BoundGraph(parameters, values, inputs: [(input, x)], outputs: [run(input, &past)])
            return try bound.run(on: TestBackends.xla)[0]
        }

        func inChunks(_ x: HostArray, _ chunks: [Int]) throws -> [Double] {
            let (dtype, channels) = (x.dtype, x.shape[2])
            func piece(_ start: Int, _ count: Int) -> HostArray {
                let elements = Array(x.doubles[start * channels..<(start + count) * channels])
                return HostArray(elements, as: dtype, shape: [1, count, channels])
            }
            let types = Past.initialState { past in
                _ = run(Tensor.input(piece(0, chunks[0]).type, name: "x"), &past)
            }
            let names = types.keys.sorted()
            var state = types.mapValues { HostArray(repeating: 0, type: $0) }
            var (result, start): ([Double], Int) = ([], 0)
            for count in chunks {
                let input = Tensor.input(TensorType(dtype, [1, count, channels]), name: "chunk")
                let carried = types.mapValues { Tensor.input($0, name: "state") }
                var past = Past(streaming: carried)
                let y = run(input, &past)
                let bound = BoundGraph(
                    parameters, values,
                    inputs: [(input, piece(start, count))] + names.map { (carried[$0]!, state[$0]!) },
                    outputs: [y] + names.map { past.nextState[$0]! })
                let outputs = try bound.run(on: TestBackends.xla)
                result += outputs[0].doubles
                for (name, value) in zip(names, outputs.dropFirst()) { state[name] = value }
                start += count
            }
            return result
        }
    }

    private func worst(_ a: [Double], _ b: [Double]) -> Double {
        a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
    }

    /// Frames in each chunk. A window is five frames, and the widest convolution reaches over more than two.
    private static let chunkings = [[1, 1, 2, 3, 1, 20, 12], [13, 1, 26], [39, 1]]

    /// In f64, where what rounding does is out of sight: a stream is the whole to thirteen digits, so the state is right.
    @Test(arguments: chunkings) func aStreamIsTheWholeForEveryChunking(_ chunks: [Int]) throws {
        let encoder = Stream(
            run: { model.encoder($0, &$1) }, parameters: model.encoder.parameters, values: named("encoder"))
        let x = audio(frames: 40, dtype: .f64)
        let latent = try encoder.whole(x)
        #expect(try worst(encoder.inChunks(x, chunks.map { $0 * hop }), latent.doubles) < 1e-11)
        let decoder = Stream(
            run: { model.decoder($0, &$1) }, parameters: model.decoder.parameters, values: named("decoder"))
        let sound = try decoder.whole(latent)
        #expect(sound.doubles.contains { abs($0) > 0.1 }, "there is something to hear")
        #expect(try worst(decoder.inChunks(latent, chunks), sound.doubles) < 1e-11)
    }

    @Test func codesOfAStreamAreThoseOfTheWhole() throws {
        let codec = Stream(run: { model.encode($0, &$1).cast(to: .f32) }, parameters: model.parameters, values: values)
        let x = audio(frames: 40)
        let whole = try codec.whole(x)
        #expect(Set(whole.doubles).count > 4, "the codes are not all alike")
        #expect(try codec.inChunks(x, Self.chunkings[0].map { $0 * hop }) == whole.doubles)
    }

    private func named(_ part: String) -> [String: HostArray] {
        values.reduce(into: [:]) { found, entry in
            if entry.key.hasPrefix("\(part).") { found[String(entry.key.dropFirst(part.count + 1))] = entry.value }
        }
    }

    /// The first of `width` embeddings is what the decoder was trained on; codes must lead to it again.
    @Test func codesLeadToTheEmbeddingTheyCameFrom() throws {
        let x = Tensor.input(TensorType(.f32, [2, 12, 16]), name: "x")
        let quantized = model.quantizer(x)
        let again = model.quantizer.embedding(quantized.codes)
        let first = model.quantizer.embedding(quantized.codes, levelCount: 1)
        var random = TestRandom(seed: 9)
        let bound = BoundGraph(
            model.quantizer.parameters, named("quantizer"), inputs: [(x, random.array([2, 12, 16], .f32))],
            outputs: [quantized.embedding, again, first])
        for backend in TestBackends.all {
            let results = try bound.run(on: backend)
            expectClose(results[0], results[1], relative: 1e-5, absolute: 1e-5, backend.name)
            #expect(results[2] != results[1])
        }
    }

    @Test func aClipOfABatchGetsTheCodesItGetsAlone() throws {
        let x = audio(frames: 12, batch: 3)
        func codes(_ x: HostArray) throws -> [Double] {
            let input = Tensor.input(x.type, name: "x")
            var past = Past.offline()
            return try BoundGraph(
                model.parameters, values, inputs: [(input, x)], outputs: [model.encode(input, &past)]
            ).run(on: TestBackends.xla)[0].doubles
        }
        let together = try codes(x)
        let alone = try (0..<3).flatMap { row in
            try codes(HostArray(Array(x.floats[row * 12 * hop..<(row + 1) * 12 * hop]), shape: [1, 12 * hop, 1]))
        }
        #expect(together == alone)
    }

    @Test func foldedWeightNormGivesThePlainModel() throws {
        var configuration = SmallAlpha.configuration
        configuration.weightNormalization = true
        let normalized = try Alpha(configuration)
        let placeholders = normalized.parameters.mapValues(\.tensor)
        let folded = foldingWeightNorm(placeholders)
        #expect(folded.mapValues(\.type) == model.parameters.mapValues(\.type))
    }
}
