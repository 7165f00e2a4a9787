import CKernels
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

    @Test(arguments: instructionSets)
    func aBlockIsTheSameInAnySplit(isa: ck_isa) throws {
        for (dilation, outputs) in [(1, 64), (3, 50), (9, 130)] {
            var convolution = Convolution(
                taps: 7, inputs: 20, outputs: outputs, dilation: dilation, rows: 100, blockRows: 20)
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

    @Test func otherShapesHaveNone() {
        for (taps, type) in [(4, CK_F32), (9, CK_F32), (7, CK_BF16), (7, CK_INT8)] {
            var shape = ck_conv(taps: taps, inputs: 32, outputs: 32, dilation: 1, type: type, block_rows: 48)
            #expect(ck_conv_packed_size(&shape) == 0)
            #expect(ck_conv_scratch(&shape) == 0)
        }
    }
}
