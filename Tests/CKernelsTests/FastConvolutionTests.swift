import CKernels
import Foundation
import Testing

/// Convolutions whose taps are taken in tiles, with fewer multiplications.
@Suite struct FastConvolutionTests {
    @Test(arguments: instructionSets)
    func agreesWithTheDefinition(isa: ck_isa) throws {
        for taps in 5...8 {
            for (rows, block) in [(1, 1), (3, 4), (4, 4), (13, 13), (24, 12), (29, 12), (60, 60)] {
                for dilation in [1, 3, 9] {
                    var convolution = Convolution(
                        taps: taps, inputs: 20 + taps, outputs: 33, dilation: dilation, rows: rows, blockRows: block)
                    convolution.decorated = rows % 2 == 0
                    try expectAgreement(convolution, isa, tolerance: 1e-4)
                }
            }
        }
    }

    @Test(arguments: instructionSets)
    func layersOfTheCodecAgreeWithTheDefinition(isa: ck_isa) throws {
        for (channels, rows) in [(32, 48), (64, 60), (128, 60)] {
            let convolution = Convolution(
                taps: 7, inputs: channels, outputs: channels, dilation: 9, rows: rows, blockRows: rows)
            try expectAgreement(convolution, isa, tolerance: 1e-4)
        }
    }

    /// Values at the points are rounded, so errors are measured together: of noise they are 42 dB below the sums.
    @Test(arguments: instructionSets)
    func inBF16ItComesNear(isa: ck_isa) throws {
        for taps in 5...8 {
            for (rows, block) in [(1, 1), (3, 4), (13, 13), (29, 12), (60, 60)] {
                for dilation in [1, 3, 9] {
                    var convolution = Convolution(
                        taps: taps, inputs: 14 + 2 * taps, outputs: 70, dilation: dilation, rows: rows, type: CK_BF16,
                        blockRows: block)
                    convolution.bias = convolution.bias.map { _ in 0 }
                    let (result, wanted) = try on(isa) {
                        (try #require(convolution.run()).y, convolution.reference().y)
                    }
                    let noise = zip(result, wanted).reduce(0) { $0 + pow(Double($1.0) - $1.1, 2) }
                    let signal = wanted.reduce(0) { $0 + $1 * $1 }
                    #expect(10 * log10(signal / noise) > 38, "\(taps) taps, dilation \(dilation), \(rows) rows")
                }
            }
        }
    }

    @Test(arguments: instructionSets, [CK_F32, CK_BF16])
    func aBlockIsTheSameInAnySplit(isa: ck_isa, type: ck_type) throws {
        for (dilation, outputs) in [(1, 64), (3, 50), (9, 130)] {
            var convolution = Convolution(
                taps: 7, inputs: 20, outputs: outputs, dilation: dilation, rows: 100, type: type, blockRows: 20)
            convolution.decorated = true
            try on(isa) {
                let whole = try #require(convolution.run())
                for blocks in 1...4 { #expect(convolution.run(rowsAtOnce: 20 * blocks) == whole) }
                #expect(convolution.run(outputsAtOnce: 32) == whole)
                #expect(convolution.run(rowsAtOnce: 40, outputsAtOnce: 32) == whole)
            }
        }
    }

    /// What comes after a block must not be read: it is not there yet in a stream.
    @Test(arguments: instructionSets)
    func aBlockKnowsNothingOfTheNext(isa: ck_isa) throws {
        for dilation in [1, 3, 9] {
            let two = Convolution(taps: 7, inputs: 16, outputs: 32, dilation: dilation, rows: 62, blockRows: 31)
            var one = two
            one.rows = 31
            one.x = Array(two.x.prefix((31 + 6 * dilation - 1) * 16 + 16))
            try on(isa) {
                let whole = try #require(two.run())
                let first = try #require(one.run())
                #expect(Array(whole.y.prefix(31 * 32)) == first.y)
            }
        }
    }

    @Test(arguments: instructionSets)
    func theGradientByTheWeightsAgreesWithItsDefinition(isa: ck_isa) throws {
        for (taps, inputs, outputs) in [(5, 20, 33), (7, 37, 32), (8, 9, 70), (7, 16, 16)] {
            for (dilation, rows, block) in [(1, 1, 1), (1, 29, 12), (3, 50, 24), (9, 40, 40), (1, 150, 0), (2, 9, 0)] {
                try expectGradient(
                    ck_conv(
                        taps: taps, inputs: inputs, outputs: outputs, dilation: dilation, type: CK_F32,
                        block_rows: block), rows: rows, isa)
            }
        }
    }

    private func expectGradient(_ shape: ck_conv, rows: Int, batch: Int = 2, _ isa: ck_isa) throws {
        var (shape, noise) = (shape, Noise(3))
        let (taps, inputs, outputs) = (shape.taps, shape.inputs, shape.outputs)
        let inputRows = rows + (taps - 1) * shape.dilation
        let x = noise.floats(batch * inputRows * inputs)
        let y = noise.floats(batch * rows * outputs)
        var wanted = [Double](repeating: 0, count: taps * inputs * outputs)
        for b in 0..<batch {
            for k in 0..<taps {
                for t in 0..<rows {
                    for i in 0..<inputs {
                        let factor = Double(x[(b * inputRows + t + k * shape.dilation) * inputs + i])
                        for o in 0..<outputs {
                            wanted[(k * inputs + i) * outputs + o] += factor * Double(y[(b * rows + t) * outputs + o])
                        }
                    }
                }
            }
        }
        func found(inputsAtOnce: Int) throws -> [Float] {
            let weight = Memory([Float](repeating: .nan, count: wanted.count))
            let size = ck_conv_gradient_scratch(&shape, inputsAtOnce)
            let scratch = UnsafeMutableRawPointer.allocate(byteCount: 4 * size, alignment: 64)
            defer { scratch.deallocate() }
            let floats = scratch.initializeMemory(as: Float.self, repeating: .nan, count: size)
            for first in stride(from: 0, to: inputs, by: inputsAtOnce) {
                ck_conv_gradient(
                    &shape, x, y, batch, rows, first, min(first + inputsAtOnce, inputs), floats, weight.start)
            }
            return weight.array
        }
        try on(isa) {
            let whole = try found(inputsAtOnce: inputs)
            expectClose(whole, wanted, 2e-4, "\(shape)")
            #expect(try found(inputsAtOnce: 8) == whole, "a part is the same alone")
        }
    }

    @Test func otherShapesHaveNone() {
        for (taps, type) in [(4, CK_F32), (9, CK_F32), (4, CK_BF16), (7, CK_INT8)] {
            var shape = ck_conv(taps: taps, inputs: 32, outputs: 32, dilation: 1, type: type, block_rows: 48)
            #expect(ck_conv_packed_size(&shape) == 0)
            #expect(ck_conv_scratch(&shape) == 0)
            #expect(ck_conv_gradient_scratch(&shape, 32) == 0)
        }
    }
}
