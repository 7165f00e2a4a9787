import Foundation
import NN
import Tensor
import TestSupport
import Testing

@testable import Tokenizer

/// Levels of the residual quantizer against closed forms; their projections are the identity, so that inputs are seen.
@Suite struct QuantizerTests {
    /// `[1, frames, 2]`: directions at angles, of several lengths.
    private static func vectors(_ degrees: [Double]) -> HostArray {
        let values = degrees.enumerated().flatMap { index, angle in
            let length = 0.5 + Double(index)
            return [length * cos(angle * .pi / 180), length * sin(angle * .pi / 180)]
        }
        return HostArray(values, as: .f32, shape: [1, degrees.count, 2])
    }

    private static func identity(_ size: Int) -> HostArray {
        HostArray(
            (0..<size * size).map { $0 / size == $0 % size ? 1 : 0 }, as: .f32, shape: [size, size])
    }

    private static func projections(_ size: Int) -> [String: HostArray] {
        let zeros = HostArray(repeating: 0, type: TensorType(.f32, [size]))
        return [
            "project.weight": identity(size), "project.bias": zeros, "expand.weight": identity(size),
            "expand.bias": zeros,
        ]
    }

    /// Four entries, at 0°, 90°, 180° and 270°, not of length one.
    private static let codebook = HostArray([2, 0, 0, 3, -0.5, 0, 0, -1] as [Float], shape: [4, 2])

    private func run(
        _ quantizer: some Quantizer, _ values: [String: HostArray], _ x: HostArray, training: QuantizerTraining?,
        _ outputs: (Quantized, Tensor) throws -> [Tensor]
    ) throws -> [HostArray] {
        let input = Tensor.input(x.type, name: "x")
        let result = quantizer(input, training: training)
        let bound = BoundGraph(
            quantizer.parameters, values, inputs: [(input, x)], outputs: try outputs(result, input))
        let results = try bound.run(on: TestBackends.reference)
        for (a, b) in zip(try bound.run(on: TestBackends.xla), results) {
            expectClose(a, b, relative: 1e-5, absolute: 1e-6)
        }
        return results
    }

    private func vq(
        _ usage: [Float] = [0.25, 0.25, 0.25, 0.25], learning: VectorQuantizer.Learning = .gradient,
        sums: [Float] = [Float](repeating: 0, count: 8)
    ) -> (VectorQuantizer, [String: HostArray]) {
        let quantizer = VectorQuantizer(channels: 2, codebookSize: 4, dimension: 2, learning: learning)
        var values = Self.projections(2)
        values["codebook"] = Self.codebook
        values["usage"] = HostArray(usage)
        if learning == .movingAverage { values["sums"] = HostArray(sums, shape: [4, 2]) }
        return (quantizer, values)
    }

    private let training = QuantizerTraining(key: RandomKey(seed: 1))

    // MARK: - Vector quantizer

    @Test func theNearestDirectionIsChosen() throws {
        let (quantizer, values) = vq()
        let results = try run(quantizer, values, Self.vectors([10, 80, 100, 200, -50, 44, 46]), training: nil) {
            result, _ in
            [result.codes, result.embedding]
        }
        #expect(results[0] == HostArray([0, 1, 1, 2, 3, 0, 1] as [Int32], shape: [1, 7, 1]))
        // Entries as they are compared: of length one.
        let expected: [Float] = [1, 0, 0, 1, 0, 1, -1, 0, 0, -1, 1, 0, 0, 1]
        expectClose(results[1], HostArray(expected, shape: [1, 7, 2]))
    }

    /// The gradient of the direction, as if nothing had been quantised: `(w − d(d·w)) / ‖x‖`.
    @Test func theGradientPassesStraightThrough() throws {
        let (quantizer, values) = vq()
        let (angle, length) = (0.3, 2.0)
        let direction = [cos(angle), sin(angle)]
        let x = HostArray(direction.map { length * $0 }, as: .f32, shape: [1, 1, 2])
        let weights = [0.7, -1.1]
        for (name, part) in [
            ("vq", quantizer as any Quantizer), ("bsq", BinarySphericalQuantizer(channels: 2, bits: 2)),
        ] {
            func slope(_ level: some Quantizer) throws -> HostArray {
                let values = name == "vq" ? values : Self.projections(2)
                return try run(level, values, x, training: nil) { result, input in
                    let loss = (result.embedding * Tensor.constant(weights, .f32)).sum()
                    return gradient(of: loss, at: [input])
                }[0]
            }
            let along = zip(direction, weights).reduce(0) { $0 + $1.0 * $1.1 }
            let expected = zip(direction, weights).map { ($1 - $0 * along) / length }
            expectClose(
                try slope(part), HostArray(expected, as: .f32, shape: [1, 1, 2]), relative: 1e-5, absolute: 1e-6, name)
        }
    }

    @Test func lossesAreDistancesWithTheirOwnGradients() throws {
        let (quantizer, values) = vq()
        let degrees = [10.0, 100, 170]
        let distance = [10.0, 10, 10].map { 2 - 2 * cos($0 * .pi / 180) }.reduce(0, +) / 3
        let results = try run(quantizer, values, Self.vectors(degrees), training: training) { result, input in
            let (commitment, codebook) = (result.losses["commitment"]!, result.losses["codebook"]!)
            return [commitment, codebook] + gradient(of: commitment, at: [quantizer.codebook.tensor])
                + gradient(of: codebook, at: [input])
        }
        for loss in results[..<2] { expectClose(loss, HostArray(Float(distance)), relative: 1e-5, absolute: 1e-7) }
        // Each loss moves one side alone.
        #expect(results[2...].allSatisfy { $0.doubles.allSatisfy { $0 == 0 } })
    }

    @Test func paddedFramesDoNotCount() throws {
        let (quantizer, values) = vq()
        let x = Self.vectors([123, 45, 10, 100])
        var masked = training
        masked.mask = Tensor.constant([0, 0, 1, 1], .f32, shape: [1, 4])
        func parts(_ result: Quantized) -> [Tensor] {
            [
                result.losses["commitment"]!, result.losses["codebook"]!, result.metrics["perplexity"]!,
                result.updates[0].value,
            ]
        }
        let padded = try run(quantizer, values, x, training: masked) { result, _ in parts(result) }
        let alone = try run(quantizer, values, Self.vectors([10, 100]), training: training) { result, _ in parts(result)
        }
        for (a, b) in zip(padded, alone) { expectClose(a, b, relative: 1e-5, absolute: 1e-6) }
        expectClose(alone[2], HostArray(Float(2)), relative: 1e-5, absolute: 0)
    }

    /// An entry is dead below a tenth of its fair share, and moves to a frame of the batch.
    @Test func deadEntriesMoveToFrames() throws {
        // Of four entries a tenth of the fair share is 0.025; entry 1 is chosen now, and entry 3 is not.
        let (quantizer, values) = vq([0.6, 0.026, 0.37, 0.0252])
        let x = Self.vectors([10, 80, 200, 10])
        let results = try run(quantizer, values, x, training: training) { result, _ in
            let values = result.replacements[0].values
            let settled = quantizer.settled(usage: result.updates[0].value, sums: nil, replacements: values)
            return [settled.isDead, values, settled.usage, result.metrics["deadCodes"]!]
        }
        #expect(results[0] == HostArray([false, false, false, true], shape: [4, 1]))
        #expect(results[3] == HostArray(Float(1)))
        // 0.99 · usage + 0.01 · share; the moved entry begins at its fair share.
        let usage = [0.99 * 0.6 + 0.005, 0.99 * 0.026 + 0.0025, 0.99 * 0.37 + 0.0025, 0.25]
        expectClose(results[2], HostArray(usage, as: .f32, shape: [4]), relative: 1e-5, absolute: 0)
        let directions = [10.0, 80, 200].map { [cos($0 * .pi / 180), sin($0 * .pi / 180)] }
        let moved = Array(results[1].doubles[6...])
        #expect(directions.contains { abs($0[0] - moved[0]) + abs($0[1] - moved[1]) < 1e-5 }, "\(moved)")
        // Another key picks among the same frames, and the same key the same.
        let picks = try (0..<8 as Range<UInt64>).map { seed in
            try run(quantizer, values, x, training: QuantizerTraining(key: RandomKey(seed: seed))) { result, _ in
                [result.replacements[0].values]
            }[0].doubles
        }
        #expect(Set(picks).count > 1 && picks[1] == results[1].doubles)
    }

    @Test func aMovingAverageIsTheMeanOfWhatChoseIt() throws {
        let sums: [Float] = [0.2, 0.1, 0, 0, -0.3, 0, 0, 0]
        let (quantizer, values) = vq(learning: .movingAverage, sums: sums)
        #expect(quantizer.parameters["codebook"]?.kind == .statistic)
        let degrees = [10.0, -20, 170, 100]
        let results = try run(quantizer, values, Self.vectors(degrees), training: training) { result, _ in
            #expect(result.losses.keys.sorted() == ["commitment"])
            let settled = quantizer.settled(
                usage: result.updates[0].value, sums: result.updates[1].value,
                replacements: result.replacements[0].values)
            return try [settled.usage, #require(settled.moved).codebook, #require(settled.moved).sums]
        }
        // Usage, codebook, sums. What chose 0: 10° and −20°; 1: 100°; 2: 170°; 3: nothing, ever.
        var moving = sums.map { 0.99 * Double($0) }
        for (angle, entry) in zip(degrees, [0, 0, 2, 1]) {
            moving[2 * entry] += 0.01 * cos(angle * .pi / 180) / 4
            moving[2 * entry + 1] += 0.01 * sin(angle * .pi / 180) / 4
        }
        expectClose(results[2], HostArray(moving, as: .f32, shape: [4, 2]), relative: 1e-5, absolute: 1e-7)
        var entries = Self.codebook.doubles
        for entry in 0..<3 {
            let length = (moving[2 * entry] * moving[2 * entry] + moving[2 * entry + 1] * moving[2 * entry + 1])
                .squareRoot()
            for axis in 0..<2 { entries[2 * entry + axis] = moving[2 * entry + axis] / length }
        }
        expectClose(results[1], HostArray(entries, as: .f32, shape: [4, 2]), relative: 1e-4, absolute: 1e-6)
    }

    @Test func clipsThatPassAreNotQuantised() throws {
        let (quantizer, values) = vq()
        let x = HostArray([0.6, 0.8, 0.6, 0.8] as [Float], shape: [2, 1, 2])
        var passing = training
        passing.bypass = Tensor.constant([1, 0], .bool)
        let results = try run(quantizer, values, x, training: passing) { result, _ in [result.embedding] }
        expectClose(results[0], HostArray([0.6, 0.8, 0, 1] as [Float], shape: [2, 1, 2]))
    }

    // MARK: - Binary spherical quantizer

    @Test(arguments: [2, 5, 18, 36]) func theErrorIsBounded(bits: Int) throws {
        let quantizer = BinarySphericalQuantizer(channels: bits, bits: bits)
        var random = TestRandom(seed: UInt64(bits))
        // The last frame is the worst: along one axis.
        let frames =
            (0..<40).map { _ in (0..<bits).map { _ in random.next() } } + [
                [1] + [Double](repeating: 0, count: bits - 1)
            ]
        let x = HostArray(frames.flatMap { $0 }, as: .f32, shape: [1, frames.count, bits])
        let results = try run(quantizer, Self.projections(bits), x, training: nil) { result, _ in
            [result.embedding, result.codes]
        }
        let bound = (2 - 2 / Double(bits).squareRoot()).squareRoot()
        let corner = 1 / Double(bits).squareRoot()
        let errors = frames.enumerated().map { index, frame in
            let length = frame.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let quantized = results[0].doubles[index * bits..<(index + 1) * bits]
            let codes = results[1].doubles[index * bits..<(index + 1) * bits]
            #expect(zip(quantized, codes).allSatisfy { abs($0 - ($1 == 1 ? corner : -corner)) < 1e-6 })
            #expect(zip(frame, codes).allSatisfy { ($0 >= 0) == ($1 == 1) })
            return zip(frame, quantized).reduce(0) { $0 + ($1.0 / length - $1.1) * ($1.0 / length - $1.1) }.squareRoot()
        }
        #expect(errors.allSatisfy { $0 <= bound + 1e-6 })
        #expect(abs(errors.last! - bound) < 1e-6, "the bound is reached")
    }

    @Test func entropiesAreThoseOfTheBits() throws {
        let bits = 3
        let quantizer = BinarySphericalQuantizer(channels: bits, bits: bits)
        let frames = [[0.2, -0.1, 0.05], [-0.03, 0.3, 0.02], [0.1, 0.1, -0.4]]
        let x = HostArray(frames.flatMap { $0 }, as: .f32, shape: [1, 3, bits])
        let results = try run(quantizer, Self.projections(bits), x, training: training) { result, _ in
            [result.losses["entropy"]!, result.losses["commitment"]!]
        }
        let temperature = 10.0
        let units = frames.map { frame in
            let length = frame.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return frame.map { $0 / length }
        }
        func entropy(_ p: Double) -> Double { -p * log(p) - (1 - p) * log(1 - p) }
        let probabilities = units.map { unit in
            unit.map { 1 / (1 + exp(-4 * temperature * $0 / Double(bits).squareRoot())) }
        }
        let each = probabilities.map { $0.map(entropy).reduce(0, +) }.reduce(0, +) / 3
        let together = (0..<bits).map { bit in entropy(probabilities.map { $0[bit] }.reduce(0, +) / 3) }.reduce(0, +)
        expectClose(
            results[0], HostArray(Float((each - together) / temperature)), relative: 1e-4, absolute: 1e-6)
        let corner = 1 / Double(bits).squareRoot()
        let commitment =
            units.map { unit in
                unit.reduce(0) { $0 + ($1 - ($1 >= 0 ? corner : -corner)) * ($1 - ($1 >= 0 ? corner : -corner)) }
            }.reduce(0, +) / 3
        expectClose(results[1], HostArray(Float(commitment)), relative: 1e-5, absolute: 0)
    }

    // MARK: - Levels

    @Test func aLevelAnswersForItsOwnErrorAlone() throws {
        let quantizer = try Alpha(SmallAlpha.configuration).quantizer
        let values = SmallAlpha.values(quantizer.parameters)
        let x = Tensor.input(TensorType(.f32, [1, 6, 16]), name: "x")
        let result = quantizer(x, training: training)
        #expect(
            result.losses.keys.sorted() == [
                "levels.0.codebook", "levels.0.commitment", "levels.1.commitment", "levels.1.entropy",
                "levels.1.redundancy",
            ])
        let first = quantizer.parameters.filter { $0.key.hasPrefix("levels.0.") && $0.value.kind == .trainable }
        let of = ["commitment", "entropy", "redundancy"].map { result.losses["levels.1.\($0)"]! }.reduce(.scalar(0), +)
        let slopes = gradient(of: of, at: first.sorted { $0.key < $1.key }.map(\.value.tensor) + [x])
        var random = TestRandom(seed: 3)
        let results = try BoundGraph(
            quantizer.parameters, values, inputs: [(x, random.array([1, 6, 16], .f32))], outputs: slopes
        ).run(on: TestBackends.reference)
        #expect(results.dropLast().allSatisfy { $0.doubles.allSatisfy { $0 == 0 } })
        #expect(results.last?.doubles.contains { $0 != 0 } == true)
    }
}
