import CKernels
import Foundation
import Testing

@Suite struct RowTests {
    private static let widths = [1, 5, 16, 17, 64, 100]

    @Test(arguments: instructionSets, widths)
    func normsDivideByTheRootMeanSquare(isa: ck_isa, channels: Int) {
        var noise = Noise(channels)
        let (rows, stride) = (3, channels + 2)
        let (x, scale) = (noise.floats(rows * stride, 4), noise.floats(channels))
        var (scaled, plain) = (x, x)
        on(isa) {
            ck_rms_norm(x, stride, scale, 1e-3, rows, channels, &scaled, stride)
            ck_rms_norm(x, stride, nil, 1e-3, rows, channels, &plain, stride)
        }
        for row in 0..<rows {
            let at = row * stride..<row * stride + channels
            let squares = x[at].reduce(0) { $0 + Double($1) * Double($1) }
            let normal = x[at].map { Double($0) / (squares / Double(channels) + 1e-3).squareRoot() }
            expectClose(Array(plain[at]), normal, 1e-6)
            expectClose(Array(scaled[at]), zip(normal, scale).map { $0 * Double($1) }, 1e-6)
        }
    }

    @Test(arguments: instructionSets, widths)
    func quantizedRowsAreWithinHalfAStep(isa: ck_isa, channels: Int) {
        var noise = Noise(channels)
        var x = noise.floats(3 * channels, 4)
        for c in 0..<channels { x[channels + c] = 0 }
        var (bytes, scales) = ([UInt8](repeating: 0, count: x.count), [Float](repeating: 0, count: 3))
        on(isa) { ck_quantize_rows(x, channels, 3, channels, &bytes, channels, &scales) }
        for row in 0..<3 {
            let at = row * channels..<(row + 1) * channels
            #expect(scales[row] == x[at].map(abs).max()! / 127)
            for i in at { #expect(abs((Float(bytes[i]) - 128) * scales[row] - x[i]) <= scales[row] * 0.5001) }
        }
    }

    @Test(arguments: instructionSets, [Float.nan, .infinity, -.infinity])
    func aRowThatIsNotFiniteHasAScaleThatSaysSo(isa: ck_isa, value: Float) {
        for place in [0, 15, 16, 20] {
            var x = [Float](repeating: 1, count: 42)
            x[21 + place] = value
            var (bytes, scales) = ([UInt8](repeating: 0, count: 42), [Float](repeating: 0, count: 2))
            on(isa) { ck_quantize_rows(x, 21, 2, 21, &bytes, 21, &scales) }
            #expect(scales[0] == 1 / 127 && scales[1].isNaN)
        }
    }
}
