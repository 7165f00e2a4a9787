import CKernels
import Foundation
import Testing

@Suite struct ElementwiseTests {
    /// Small, large, and what lies at the edges.
    private static let values: [Float] = {
        var noise = Noise(3)
        return noise.floats(40, 1) + noise.floats(40, 30) + [0, -0.0, 1e-40, -1e-30, 87, -87, 90, -104, 3e8]
    }()

    @Test(arguments: instructionSets, [1, 7, 16, 33])
    func snakeAgreesWithItsDefinition(isa: ck_isa, channels: Int) {
        var noise = Noise(channels)
        let (rows, stride) = (5, channels + 3)
        let x = noise.floats(rows * stride, 50)
        let alpha = noise.floats(channels).map { $0 + 1.25 }
        let inverse = alpha.map { 1 / ($0 + 1e-9) }
        var y = [Float](repeating: -7, count: x.count)
        on(isa) { ck_snake(x, stride, alpha, inverse, rows, channels, &y, stride) }
        for row in 0..<rows {
            let at = row * stride..<row * stride + channels
            // The angle itself is rounded, to 4·10⁻⁶ at 100 radians.
            expectClose(Array(y[at]), zip(x[at], alpha).map { snake(Double($0), $1) }, 6e-6)
            #expect(y[at.upperBound..<min(at.upperBound + 3, y.count)].allSatisfy { $0 == -7 }, "only its channels")
        }
    }

    @Test(arguments: instructionSets)
    func snakeStaysNearItsInputWhereTheAngleHasNoDigitsLeft(isa: ck_isa) {
        let x: [Float] = [1e7, -3e12, 1e30, .nan]
        let ones = [Float](repeating: 1, count: 4)
        var y = ones
        on(isa) { ck_snake(x, 4, ones, ones, 1, 4, &y, 4) }
        for (a, b) in zip(x, y).dropLast() { #expect(abs(b - a) <= 1 + abs(a) * 1e-6) }
        #expect(y[3].isNaN)
    }

    @Test(arguments: instructionSets)
    func activationsAgreeWithTheirDefinitions(isa: ck_isa) {
        for activation in [CK_IDENTITY, CK_GELU, CK_SILU] {
            var y = Self.values
            on(isa) { ck_activate(activation, Self.values, y.count, &y) }
            expectClose(
                y, Self.values.map { activated(activation, Double($0)) }, 1e-6, "activation \(activation.rawValue)")
        }
    }

    @Test(arguments: instructionSets)
    func activationsKeepNaN(isa: ck_isa) {
        for activation in [CK_IDENTITY, CK_GELU, CK_SILU] {
            var y: [Float] = [0, 0]
            on(isa) { ck_activate(activation, [.nan, 1], 2, &y) }
            #expect(y[0].isNaN && y[1].isFinite, "activation \(activation.rawValue)")
        }
    }

    @Test(arguments: instructionSets)
    func halvesRoundToEven(isa: ck_isa) {
        let x = Self.values.filter { abs($0) > 1e-37 || $0 == 0 } + [1.00390625, 1.01171875, .infinity, -.infinity]
        var halves = [UInt16](repeating: 0, count: x.count)
        on(isa) { ck_bf16_from_f32(x, x.count, &halves) }
        #expect(halves.map { Float(bitPattern: UInt32($0) << 16) } == x.map(bf16))
        var nan: [UInt16] = [0]
        on(isa) { ck_bf16_from_f32([Float(bitPattern: 0x7F80_0001)], 1, &nan) }
        #expect(Float(bitPattern: UInt32(nan[0]) << 16).isNaN, "a payload in the lower bits")
    }
}
