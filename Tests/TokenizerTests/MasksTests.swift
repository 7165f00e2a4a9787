import Audio
import Foundation
import NN
import Tensor
import TestSupport
import Testing

@testable import Tokenizer

/// A batch of left-padded clips gives what each clip gives alone.
@Suite struct MasksTests {
    private static let configuration = Alpha.Configuration(
        sampleRate: 8000, width: 2, strides: [2, 4], dilations: [1, 3], latentDimension: 8,
        transformer: .init(layers: 1, heads: 2, window: 5, expansion: 2),
        quantizer: [.vq(codebookSize: 8, dimension: 4), .bsq(bits: 6)])
    private static let hop = 8
    /// Frames of each clip.
    private let frames = [12, 3, 7]

    let model: Alpha
    let values: [String: HostArray]
    /// `[3, 96, 1]`, what stands in padding being far from silence.
    let audio: HostArray
    let lengths: HostArray

    init() throws {
        model = try Alpha(Self.configuration)
        let initial = model.initialization(key: RandomKey(seed: 4))
        let paths = initial.keys.sorted()
        let graph = Graph(inputs: [], outputs: paths.map { initial[$0]! })
        values = Dictionary(uniqueKeysWithValues: zip(paths, try TestBackends.reference.run(graph, [])))
        var random = TestRandom(seed: 6)
        audio = random.array([3, 96, 1], .f32, low: -0.9, high: 0.9)
        lengths = HostArray(frames.map { Int32($0 * Self.hop) })
    }

    /// Runs what `body` makes of audio and masks on the reference evaluator, with the model's values.
    private func run(_ audio: HostArray, _ lengths: HostArray?, _ body: (Tensor, Masks?) -> [Tensor]) throws
        -> [HostArray]
    {
        let input = Tensor.input(audio.type, name: "audio")
        let masks = lengths.map {
            Masks(lengths: .constant($0), sampleCount: audio.shape[1], hop: Self.hop)
        }
        let parameters = model.parameters
        let paths = parameters.keys.sorted()
        let graph = Graph(inputs: [input] + paths.map { parameters[$0]!.tensor }, outputs: body(input, masks))
        return try TestBackends.reference.run(graph, [audio] + paths.map { values[$0]! })
    }

    /// The clip of a row, without its padding.
    private func clip(_ row: Int, of array: HostArray, rate: Int) -> HostArray {
        let width = array.shape.dropFirst(2).reduce(1, *)
        let time = array.shape[1]
        let count = frames[row] * rate
        let all = array.doubles
        return HostArray(
            Array(all[((row + 1) * time - count) * width..<(row + 1) * time * width]), as: array.dtype,
            shape: Shape([1, count] + array.shape.dropFirst(2)))
    }

    @Test func masksAreWhatTheirDefinitionsSay() throws {
        let masks = Masks(lengths: .constant(lengths), sampleCount: 96, hop: Self.hop)
        let samples = frames.flatMap { count in (0..<96).map { $0 >= 96 - count * 8 } }
        let frameMask = frames.flatMap { count in (0..<12).map { $0 >= 12 - count } }
        #expect(try evaluate(masks.samples) == HostArray(samples, shape: [3, 96]))
        #expect(try evaluate(masks.frames) == HostArray(frameMask, shape: [3, 12]))
        let causal = frames.flatMap { count in
            (0..<12).flatMap { query in
                (0..<12).map { key in key >= 12 - count && key <= query && query - key < 4 }
            }
        }
        #expect(try evaluate(masks.causal(window: 4)) == HostArray(causal, shape: [3, 12, 12]))
        // Layers work the frame mask out from that of samples.
        let past = Past.offline(mask: masks.samples)
        #expect(try evaluate(past.mask(12)!) == evaluate(masks.frames))
    }

    @Test func encoderQuantizerAndDecoderGiveWhatEachClipGivesAlone() throws {
        func body(_ audio: Tensor, _ masks: Masks?) -> [Tensor] {
            var past = masks.map { Past.offline(mask: $0.samples) } ?? .offline()
            let latents = model.encoder(audio, &past)
            let (signal, quantized) = model.reconstruct(audio, training: nil, masks: masks)
            return [latents, quantized.codes, signal]
        }
        let batch = try run(audio, lengths, body)
        for row in frames.indices {
            let alone = try run(clip(row, of: audio, rate: Self.hop), nil, body)
            for (index, rate) in [(0, 1), (1, 1), (2, Self.hop)] {
                expectClose(
                    clip(row, of: batch[index], rate: rate), alone[index], relative: 1e-6, absolute: 1e-6,
                    "output \(index) of row \(row)")
            }
        }
    }

    /// All losses of a batch in which each row is a clip, and the gradients of their sum.
    private func losses(_ audio: Tensor, _ masks: Masks?) -> [Tensor] {
        let (estimate, quantized) = model.reconstruct(
            audio, training: QuantizerTraining(key: RandomKey(seed: 1)), masks: masks)
        let (x, y) = (audio.squeezed(2), estimate.squeezed(2))
        let mel = MultiScaleMelLoss(sampleRate: 8000, windows: [16, 32], bands: [3, 6])
        let stft = MultiResolutionSTFTLoss(sampleRate: 8000, windows: [16, 64])
        let parts =
            [mel(x, y, masks: masks), stft(x, y, masks: masks), waveformLoss(x, y, masks: masks)]
            + quantized.losses.sorted { $0.key < $1.key }.map(\.value)
        let total = parts.dropFirst().reduce(parts[0], +)
        let trainable = model.parameters.filter { $0.value.kind == .trainable }.sorted { $0.key < $1.key }
        let updates = quantized.updates.map(\.value) + quantized.replacements.map(\.values)
        return parts + updates + gradient(of: total, at: trainable.map { $0.value.tensor })
    }

    @Test func everyLossAndItsGradientsAreThoseOfTheClipAlone() throws {
        for row in frames.indices {
            let padded = HostArray(
                Array(audio.doubles[row * 96..<(row + 1) * 96]), as: .f32, shape: [1, 96, 1])
            let length = HostArray([lengths.values(as: Int32.self)[row]])
            let batch = try run(padded, length, losses)
            let alone = try run(clip(row, of: audio, rate: Self.hop), nil, losses)
            let whole = try run(
                clip(row, of: audio, rate: Self.hop), HostArray([Int32(frames[row] * Self.hop)]), losses)
            #expect(alone.prefix(8).allSatisfy { $0.doubles.allSatisfy { $0.isFinite } })
            for (index, (one, other)) in zip(batch, alone).enumerated() {
                // Codes for dead entries are drawn among other counts; all else agrees.
                expectClose(whole[index], one, relative: 2e-5, absolute: 2e-6, "row \(row), output \(index)")
                if index < 8 { expectClose(one, other, relative: 1e-6, absolute: 1e-6, "row \(row), loss \(index)") }
            }
        }
    }

    @Test func quantizerLossesPoolTheClipsFrames() throws {
        var random = TestRandom(seed: 8)
        let latents = random.array([3, 12, 8], .f32, low: -2, high: 2)
        func run(_ x: HostArray, _ mask: HostArray?) throws -> [HostArray] {
            let input = Tensor.input(x.type, name: "x")
            let result = model.quantizer(
                input, training: QuantizerTraining(key: RandomKey(seed: 2), mask: mask.map { .constant($0) }))
            // Redundancy is also of a frame with the one before, which the first of a clip does not have.
            let losses = result.losses.filter { !$0.key.hasSuffix("redundancy") }
            let named = (losses.sorted { $0.key < $1.key } + result.metrics.sorted { $0.key < $1.key }).map(\.value)
            let parameters = model.parameters.filter { $0.key.hasPrefix("quantizer") }
            let paths = parameters.keys.sorted()
            let graph = Graph(
                inputs: [input] + paths.map { parameters[$0]!.tensor },
                outputs: named + result.updates.map(\.value) + result.replacements.map(\.values))
            return try TestBackends.reference.run(graph, [x] + paths.map { values[$0]! })
        }
        let mask = frames.flatMap { count in (0..<12).map { Float($0 >= 12 - count ? 1 : 0) } }
        let pooled = frames.indices.flatMap { clip($0, of: latents, rate: 1).doubles }
        let batch = try run(latents, HostArray(mask, shape: [3, 12]))
        let together = try run(
            HostArray(pooled, as: .f32, shape: [1, 22, 8]),
            HostArray([Float](repeating: 1, count: 22), shape: [1, 22]))
        #expect(batch.count > 6)
        for (index, (one, other)) in zip(batch, together).enumerated() {
            expectClose(one, other, relative: 1e-6, absolute: 1e-6, "value \(index)")
        }
    }

    @Test func lossesAreTheMeansOverTheClipsOwnFrames() throws {
        let fixture = try Fixture("tokenizer_losses")
        let (x, y) = (try fixture.array("x"), try fixture.array("y"))
        let floor = try fixture.array("quietest").doubles[0]
        let results = try evaluate([x, y, try fixture.array("lengths")]) { inputs in
            let masks = Masks(lengths: inputs[2], sampleCount: 1920, hop: 480)
            func spectral(quietest: Double?) -> [Tensor] {
                let mel = MultiScaleMelLoss(
                    sampleRate: 24000, windows: [64, 256], bands: [8, 20], quietest: quietest)
                let stft = MultiResolutionSTFTLoss(sampleRate: 24000, windows: [128, 512], quietest: quietest)
                return [mel(inputs[0], inputs[1], masks: masks), stft(inputs[0], inputs[1], masks: masks)]
            }
            return spectral(quietest: nil) + spectral(quietest: floor)
                + [waveformLoss(inputs[0], inputs[1], masks: masks)]
        }
        for (name, result) in zip(["mel", "stft", "floored/mel", "floored/stft", "waveform"], results) {
            // librosa's filters are f32 inside.
            expectClose(result, try fixture.array(name), relative: 2e-6, absolute: 1e-7, name)
        }
    }

    @Test func whatLiesAboveAClipsBandDoesNotCount() throws {
        let rate = 8000
        func tone(_ frequency: Double) -> [Double] {
            // Faded in and out: an edge has every frequency.
            (0..<1024).map { index in
                let place = Double(index) / 1024
                return 0.3 * sin(.pi * place) * sin(.pi * place)
                    * sin(2 * .pi * frequency * place * 1024 / Double(rate))
            }
        }
        let low = tone(500)
        let high = zip(low, tone(3500)).map { $0 + $1 }
        let x = HostArray(low + low, shape: [2, 1024])
        let y = HostArray(high + high, shape: [2, 1024])
        func losses(_ bandwidth: [Double]?) throws -> [Double] {
            try evaluate([x, y]) { inputs in
                let limit = bandwidth.map { Tensor.constant($0, .f64) }
                return [
                    MultiScaleMelLoss(sampleRate: rate, windows: [256], bands: [40])(
                        inputs[0], inputs[1], bandwidth: limit),
                    MultiResolutionSTFTLoss(sampleRate: rate, windows: [256])(inputs[0], inputs[1], bandwidth: limit),
                ]
            }.map { $0.doubles[0] }
        }
        let (all, full, half, none) = try (
            losses(nil), losses([4000, 4000]), losses([2000, 4000]), losses([2000, 2000])
        )
        for index in all.indices {
            #expect(abs(full[index] - all[index]) < 1e-12)
            #expect(none[index] < 0.02 * all[index], "the band's edge leaks a little")
            #expect(half[index] > none[index] && half[index] < all[index])
        }
    }
}
