import Foundation
import NN
import Tensor
import TestSupport
import Testing

@testable import Tokenizer

/// The entropy loss of BSQ and what is watched of its bits.
struct BitStatisticsTests {
    private let bits = 6

    /// Losses and metrics on directions, computed by Allophone: entropy loss, bit entropy, lowest and highest mean bit.
    private func measured(_ x: HostArray, mask: HostArray? = nil, temperature: Double?) throws -> [Double] {
        let quantizer = BinarySphericalQuantizer(channels: bits, bits: bits)
        var training = QuantizerTraining(key: RandomKey(words: .constant(RandomKey.words(seed: 1))))
        training.mask = mask.map { .constant($0) }
        training.temperature = temperature.map { .scalar($0) }
        let input = Tensor.input(x.type, name: "x")
        let result = quantizer(input, training: training)
        let parameters = quantizer.parameters.sorted { $0.key < $1.key }
        let identity = (0..<bits * bits).map { Float($0 % (bits + 1) == 0 ? 1 : 0) }
        let values = parameters.map { parameter -> HostArray in
            parameter.key.hasSuffix("weight")
                ? HostArray(identity, shape: parameter.value.shape)
                : HostArray(repeating: 0, type: parameter.value.type)
        }
        let outputs = try [
            result.losses["entropy"], result.metrics["bitEntropy"], result.metrics["lowestBit"],
            result.metrics["highestBit"],
        ]
        .map { try #require($0) }
        return try TestBackends.reference.run(
            Graph(inputs: [input] + parameters.map(\.value.tensor), outputs: outputs), [x] + values
        ).map { $0.doubles[0] }
    }

    /// By the formulas of Zhao et al., 2024, in plain Swift and f64.
    private func expected(_ x: HostArray, real: [Bool], temperature: Double) -> [Double] {
        func entropy(_ p: Double) -> Double { -(p * log(p) + (1 - p) * log(1 - p)) }
        let root = Double(bits).squareRoot()
        var each = 0.0
        var sums = [Double](repeating: 0, count: bits)
        var set = [Double](repeating: 0, count: bits)
        let rows = real.indices.filter { real[$0] }
        for row in rows {
            let z = Array(x.doubles[row * bits..<(row + 1) * bits])
            let norm = z.reduce(0) { $0 + $1 * $1 }.squareRoot()
            for (bit, value) in z.enumerated() {
                let p = 1 / (1 + exp(-4 * temperature * value / norm / root))
                each += entropy(p)
                sums[bit] += p
                set[bit] += value >= 0 ? 1 : 0
            }
        }
        let count = Double(rows.count)
        let together = sums.reduce(0) { $0 + entropy($1 / count) }
        return [
            (each / count - together) / temperature, together / (Double(bits) * log(2)), set.min()! / count,
            set.max()! / count,
        ]
    }

    @Test(arguments: [1.0, 4.0, 10.0]) func entropiesAreThoseOfTheFormula(temperature: Double) throws {
        var random = TestRandom(seed: 8)
        let x = random.array([2, 7, 6], .f32)
        let expected = expected(x, real: [Bool](repeating: true, count: 14), temperature: temperature)
        for (found, wanted) in zip(try measured(x, temperature: temperature), expected) {
            #expect(abs(found - wanted) < 2e-5, "\(found) for \(wanted)")
        }
    }

    @Test func paddingCountsForNothing() throws {
        var random = TestRandom(seed: 9)
        let x = random.array([2, 7, 6], .f32)
        let real = (0..<14).map { $0 >= 3 && $0 != 7 }
        let mask = HostArray(real.map { $0 ? 1 : 0 } as [Float], shape: [2, 7])
        for (found, wanted) in zip(
            try measured(x, mask: mask, temperature: nil), expected(x, real: real, temperature: 10))
        {
            #expect(abs(found - wanted) < 2e-5, "\(found) for \(wanted)")
        }
    }
}
