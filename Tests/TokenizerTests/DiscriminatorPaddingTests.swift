import NN
import Tensor
import TestSupport
import Testing
import XLA

@testable import Tokenizer

/// What discriminators make of a padded batch, and every loss of it, is what they make of each clip alone, in the frames that count.
///
/// Where a discriminator is asked by itself, padding is a multiple of its stride: otherwise its frames would begin at other samples
/// of a clip.
@Suite struct DiscriminatorPaddingTests {
    /// Samples of a frame of the last layer, and of a row that is longer than the receptive field.
    static let shapes = [
        "stft": (16, 640), "period.2": (162, 1620), "period.7": (567, 3969), "scale.1": (256, 3584),
        "scale.2": (512, 6656), "band": (16, 640),
    ]

    private struct Rows {
        var random: TestRandom
        /// Clips at the end of rows of `count` samples, noise before them.
        mutating func padded(_ clips: [[Float]], to count: Int) -> HostArray {
            let rows = clips.flatMap { clip in
                random.array([max(1, count - clip.count)], .f32, low: -3, high: 3).floats.prefix(count - clip.count)
                    + clip
            }
            return HostArray(rows, shape: [clips.count, count])
        }

        mutating func clip(_ count: Int) -> [Float] { random.array([count], .f32).floats }
    }

    private func mask(_ clips: [[Float]], _ count: Int) -> Tensor {
        let rows = clips.flatMap { clip in (0..<count).map { $0 >= count - clip.count ? 1 as Float : 0 } }
        return .constant(HostArray(rows, shape: [clips.count, count]))
    }

    private func run(
        _ discriminator: any Discriminator, _ values: [String: Tensor], _ inputs: [HostArray],
        _ body: ([Tensor]) -> [Tensor]
    ) throws -> [HostArray] {
        let arguments = inputs.enumerated().map { Tensor.input($1.type, name: "x\($0)") }
        let pairs = discriminator.parameters.map { ($1.tensor, values[$0]!) }
        return try XLABackend(compilation: .quick).run(
            Graph(inputs: arguments, outputs: body(arguments).replacing(pairs)), inputs)
    }

    @Test(arguments: DiscriminatorTests.cases.map(\.name))
    func framesThatCountAreThoseOfTheClipAlone(name: String) throws {
        let discriminator = try #require(DiscriminatorTests.cases.first { $0.name == name }).make()
        let values = discriminator.initialization(key: RandomKey(seed: 2))
        let (stride, count) = try #require(Self.shapes[name])
        var rows = Rows(random: TestRandom(seed: 5))
        let clips = [count, count - stride, count - 2 * stride].map { rows.clip($0) }
        func maps(_ x: Tensor, _ padding: LeftPadding) -> [Tensor] {
            let judgement = discriminator(x, padding: padding, as: .f32)
            let maps = judgement.features + [judgement.logits]
            return maps.flatMap { map in
                let frames = map.values.shape[1]
                return [
                    map.values.reshaped([map.values.shape[0], frames, -1]),
                    map.padding.weights(frames: frames, as: .f32)
                        ?? Tensor.ones(TensorType(.f32, [map.values.shape[0], frames])),
                ]
            }
        }
        let batch = try run(discriminator, values, [rows.padded(clips, to: count)]) {
            maps($0[0], LeftPadding(mask: mask(clips, count)))
        }
        for (row, clip) in clips.enumerated() {
            let alone = try run(discriminator, values, [HostArray(clip, shape: [1, clip.count])]) { maps($0[0], .none) }
            for index in Swift.stride(from: 0, to: batch.count, by: 2) {
                // Those of a discriminator of periods are as many rows as the period has phases.
                let (phases, ownFrames) = (alone[index].shape[0], alone[index].shape[1])
                let (frames, width) = (batch[index].shape[1], batch[index].shape[2])
                let (own, all, weights) = (alone[index].floats, batch[index].floats, batch[index + 1].floats)
                var (counted, expected): ([Float], [Float]) = ([], [])
                for phase in 0..<phases {
                    let line = row * phases + phase
                    let count = weights[line * frames..<(line + 1) * frames].count { $0 == 1 }
                    #expect(count > 0 && weights[(line + 1) * frames - count] == 1, "\(name) map \(index / 2)")
                    counted += all[((line + 1) * frames - count) * width..<(line + 1) * frames * width]
                    expected += own[((phase + 1) * ownFrames - count) * width..<(phase + 1) * ownFrames * width]
                }
                expectClose(
                    HostArray(counted), HostArray(expected), relative: 1e-5, absolute: 1e-6,
                    "\(name), row \(row), map \(index / 2)")
            }
        }
    }

    /// Together, discriminators count frames from the end, so that padding may have any length.
    @Test func paddingOfAnyLengthMovesNoFrame() throws {
        var configuration = Discriminators.Configuration()
        configuration.stft = .init(windows: [64, 128], width: 4)
        configuration.period = .init(periods: [2, 7], width: 2, maximumWidth: 12)
        configuration.scale = .init(factors: [1, 2], width: 4, maximumWidth: 8)
        configuration.band = .init(windows: [64], width: 2)
        let discriminators = Discriminators(configuration)
        let values = discriminators.initialization(key: RandomKey(seed: 4))
        let count = 6000
        var rows = Rows(random: TestRandom(seed: 7))
        let clips = [count, count - 480, count - 961].map { rows.clip($0) }
        func maps(_ inputs: HostArray, _ mask: Tensor) throws -> [HostArray] {
            let x = Tensor.input(inputs.type, name: "x")
            let found = discriminators(x, mask: mask).flatMap { judgement in
                (judgement.features + [judgement.logits]).flatMap { map in
                    let (lines, frames) = (map.values.shape[0], map.values.shape[1])
                    return [
                        map.values.reshaped([lines, frames, -1]), map.padding.weights(frames: frames, as: .f32)!,
                    ]
                }
            }
            let pairs = discriminators.parameters.map { ($1.tensor, values[$0]!) }
            return try TestBackends.xla.run(Graph(inputs: [x], outputs: found.replacing(pairs)), [inputs])
        }
        let batch = try maps(rows.padded(clips, to: count), mask(clips, count))
        var judged = 0
        for (row, clip) in clips.enumerated() {
            let alone = try maps(HostArray(clip, shape: [1, clip.count]), mask([clip], clip.count))
            for index in Swift.stride(from: 0, to: batch.count, by: 2) {
                let (phases, ownFrames) = (alone[index].shape[0], alone[index].shape[1])
                let (frames, width) = (batch[index].shape[1], batch[index].shape[2])
                let (own, all, weights) = (alone[index].floats, batch[index].floats, batch[index + 1].floats)
                for phase in 0..<phases {
                    let line = row * phases + phase
                    let count = weights[line * frames..<(line + 1) * frames].count { $0 == 1 }
                    judged += count
                    // Where zeros before a clip are no padding, those of a longer row are no more of them.
                    let same = min(count, ownFrames)
                    let (end, ownEnd) = ((line + 1) * frames, (phase + 1) * ownFrames)
                    expectClose(
                        HostArray(Array(all[(end - same) * width..<end * width])),
                        HostArray(Array(own[(ownEnd - same) * width..<ownEnd * width])),
                        relative: 1e-5, absolute: 1e-6, "row \(row), map \(index / 2)")
                }
            }
        }
        #expect(judged > 10_000)
    }

    @Test(arguments: ["stft", "period.2", "scale.1", "band"])
    func everyLossAndItsGradientAreTheMeansOfTheClipsAlone(name: String) throws {
        let discriminator = try #require(DiscriminatorTests.cases.first { $0.name == name }).make()
        let values = discriminator.initialization(key: RandomKey(seed: 3))
        let (stride, count) = try #require(Self.shapes[name])
        var rows = Rows(random: TestRandom(seed: 6))
        // Of one length, so that each weighs half.
        let real = (0..<2).map { _ in rows.clip(count - 2 * stride) }
        let fake = (0..<2).map { _ in rows.clip(count - 2 * stride) }
        func losses(_ real: [[Float]], _ fake: [[Float]], _ count: Int) throws -> [HostArray] {
            let padding = LeftPadding(mask: mask(real, count))
            let inputs = [rows.padded(real, to: count), rows.padded(fake, to: count)]
            return try run(discriminator, values, inputs) { inputs in
                let (x, y) = (
                    [discriminator(inputs[0], padding: padding, as: .f32)],
                    [discriminator(inputs[1], padding: padding, as: .f32)]
                )
                let terms =
                    AdversarialLoss.allCases.flatMap { loss in
                        [
                            adversarialLoss(y, loss, .sum), discriminatorLoss(real: x, fake: y, loss, .sum),
                            discriminatorAccuracy(real: x, fake: y, loss),
                        ]
                    } + [featureMatchingLoss(real: x, fake: y, layers: .mean, discriminators: .sum)]
                let total = adversarialLoss(y, .leastSquares, .sum) + terms[terms.count - 1]
                return terms + gradient(of: total, at: [inputs[1]])
            }
        }
        let batch = try losses(real, fake, count)
        let alone = try (0..<2).map { try losses([real[$0]], [fake[$0]], count - stride) }
        for index in 0..<batch.count - 1 {
            let mean = (alone[0][index].doubles[0] + alone[1][index].doubles[0]) / 2
            #expect(mean != 0, "\(name) loss \(index)")
            expectClose(
                batch[index], HostArray([mean], as: .f32, shape: []), relative: 1e-5, absolute: 1e-6,
                "\(name) loss \(index)")
        }
        let gradients = batch[batch.count - 1].floats
        for row in 0..<2 {
            let one = gradients[row * count..<(row + 1) * count]
            #expect(one.prefix(2 * stride).allSatisfy { $0 == 0 }, "\(name): padding has a gradient")
            let own = alone[row][alone[row].count - 1].floats.dropFirst(stride)
            #expect(own.contains { $0 != 0 })
            expectClose(
                HostArray(one.dropFirst(2 * stride).map { $0 * 2 }), HostArray(Array(own)), relative: 1e-4,
                absolute: 1e-6, "\(name): gradient of row \(row)")
        }
    }
}
