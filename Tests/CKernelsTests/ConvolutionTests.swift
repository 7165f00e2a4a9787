import CKernels
import Testing

@Suite struct ConvolutionTests {
    static let shapes: [Convolution] = {
        var all: [Convolution] = []
        // Tails of outputs and rows, in every combination of tile sizes.
        for outputs in [1, 2, 4, 5, 15, 16, 17, 31, 32, 33, 48, 64, 100, 160] {
            for rows in [1, 2, 3, 5, 6, 7, 12, 13, 27] {
                all.append(
                    Convolution(
                        taps: 1 + rows % 3, inputs: 1 + outputs % 9, outputs: outputs, dilation: 1 + rows % 2,
                        rows: rows))
            }
        }
        for rows in 1...26 { all.append(Convolution(taps: 2, inputs: 8, outputs: 72, rows: rows)) }
        // The codec's ends, a residual unit's two, a downsampling, a matrix product.
        all.append(Convolution(taps: 7, inputs: 1, outputs: 32, rows: 50))
        all.append(Convolution(taps: 7, inputs: 32, outputs: 1, rows: 50))
        all.append(Convolution(taps: 7, inputs: 1, outputs: 1, dilation: 2, rows: 9))
        all.append(Convolution(taps: 7, inputs: 32, outputs: 32, dilation: 9, rows: 30))
        all.append(Convolution(taps: 1, inputs: 64, outputs: 64, rows: 15))
        all.append(Convolution(taps: 2, inputs: 128, outputs: 64, rows: 4))
        all.append(Convolution(taps: 1, inputs: 300, outputs: 130, rows: 1))
        // Rows that lie apart.
        all.append(Convolution(taps: 3, inputs: 5, outputs: 40, dilation: 2, rows: 14, rowStride: 11))
        all.append(Convolution(taps: 3, inputs: 16, outputs: 1, rows: 14, rowStride: 19))
        return all
    }()

    @Test(arguments: instructionSets)
    func agreesWithTheDefinition(isa: ck_isa) throws {
        for var convolution in Self.shapes {
            convolution.decorated = convolution.rows % 2 == 0
            try expectAgreement(convolution, isa, tolerance: 2e-5)
        }
    }

    @Test(arguments: instructionSets)
    func halvesAgreeWithTheDefinitionOfRoundedOperands(isa: ck_isa) throws {
        for outputs in [1, 16, 32, 33, 64, 130] {
            for rows in [1, 3, 6, 11, 13, 25] {
                var convolution = Convolution(
                    taps: 1 + rows % 3, inputs: 2 + 2 * (rows % 5), outputs: outputs, dilation: 1 + rows % 2,
                    rows: rows,
                    type: CK_BF16)
                convolution.decorated = rows == 6
                try expectAgreement(convolution, isa, tolerance: 2e-5)
            }
        }
    }

    @Test(arguments: instructionSets)
    func bytesAgreeWithTheDefinitionOfRoundedOperands(isa: ck_isa) throws {
        for outputs in [1, 16, 32, 33, 64, 130] {
            for rows in [1, 3, 6, 11, 13, 25] {
                var convolution = Convolution(
                    taps: 1 + rows % 3, inputs: 4 + 4 * (rows % 5), outputs: outputs, dilation: 1 + rows % 2,
                    rows: rows,
                    type: CK_INT8)
                convolution.decorated = rows == 6
                try expectAgreement(convolution, isa, tolerance: 2e-5)
            }
        }
    }

    @Test(arguments: instructionSets)
    func narrowWeightsGiveWhatTheSameWideOnesGive(isa: ck_isa) throws {
        for var wide in Self.shapes where wide.shape.outputs > Int(CK_FEW_OUTPUTS) {
            wide.decorated = wide.rows % 2 == 0
            wide.weight = wide.weight.map(bf16)
            var narrow = wide
            narrow.shape.type = CK_F32_BF16
            #expect(ck_conv_packed_size(&narrow.shape) * 2 == ck_conv_packed_size(&wide.shape))
            let (expected, result) = on(isa) { (wide.run(), narrow.run()) }
            #expect(result == expected, "\(wide.shape) \(wide.rows) rows")
        }
    }

    @Test(arguments: instructionSets)
    func activationsFollowTheSums(isa: ck_isa) throws {
        for activation in [CK_GELU, CK_SILU] {
            var convolution = Convolution(taps: 1, inputs: 24, outputs: 40, rows: 3)
            convolution.activation = activation
            try expectAgreement(convolution, isa, tolerance: 2e-5)
        }
    }

    @Test(arguments: instructionSets)
    func aRowIsTheSameInAnySplit(isa: ck_isa) throws {
        for type in [CK_F32, CK_BF16, CK_INT8, CK_F32_BF16] {
            for outputs in [1, 32, 50, 130, 288] {
                var convolution = Convolution(taps: 3, inputs: 20, outputs: outputs, dilation: 2, rows: 29, type: type)
                convolution.decorated = true
                try on(isa) {
                    let whole = try #require(convolution.run())
                    for rows in [1, 2, 3, 4, 5, 7, 11, 12, 13, 28] {
                        #expect(
                            convolution.run(rowsAtOnce: rows) == whole,
                            "\(rows) rows of \(outputs) outputs, type \(type.rawValue)")
                    }
                    #expect(convolution.run(outputsAtOnce: 32) == whole)
                    #expect(convolution.run(rowsAtOnce: 6, outputsAtOnce: 96) == whole)
                }
            }
        }
    }

    @Test(arguments: instructionSets)
    func aRowIsTheSameWhereverRowsLie(isa: ck_isa) throws {
        for type in [CK_F32, CK_BF16, CK_INT8, CK_F32_BF16] {
            for (inputs, outputs) in [(20, 1), (16, 1), (20, 40)] {
                let together = Convolution(taps: 3, inputs: inputs, outputs: outputs, rows: 15, type: type)
                var apart = together
                apart.rowStride = inputs + 9
                let gap = [Float](repeating: .nan, count: 9)
                apart.x = Array(
                    (0..<together.inputRows).map { together.x[$0 * inputs..<($0 + 1) * inputs] }.joined(separator: gap))
                let (expected, result) = on(isa) { (together.run(), apart.run()) }
                #expect(result == expected, "\(inputs) inputs, \(outputs) outputs, type \(type.rawValue)")
            }
        }
    }

    @Test func vectorInstructionSetsSumInTheSameOrder() throws {
        let fused = instructionSets.filter { $0 != CK_ISA_PORTABLE }
        guard let first = fused.first else { return }
        for outputs in [1, 40] {
            let convolution = Convolution(taps: 3, inputs: 16, outputs: outputs, rows: 20)
            let expected = try on(first) { try #require(convolution.run()) }
            for isa in fused {
                let result = on(isa) { convolution.run() }
                #expect(result == expected)
            }
        }
    }

    @Test(arguments: instructionSets)
    func whatIsNotFiniteReachesTheRowsThatSeeItAndNoOthers(isa: ck_isa) throws {
        for type in [CK_F32, CK_BF16, CK_INT8, CK_F32_BF16] {
            for outputs in [1, 40] {
                for value in [Float.nan, .infinity] {
                    var convolution = Convolution(
                        taps: 2, inputs: 16, outputs: outputs, dilation: 3, rows: 20, type: type)
                    convolution.decorated = true
                    convolution.x[8 * 16 + 3] = value
                    let result = try on(isa) { try #require(convolution.run()) }
                    for row in 0..<20 {
                        let values = result.activated[row * outputs..<(row + 1) * outputs]
                        let seen = row == 8 || row == 5
                        if !seen { #expect(values.allSatisfy { $0.isFinite }, "row \(row)") }
                        if seen { #expect(values.allSatisfy { !$0.isFinite }, "row \(row)") }
                        if seen && value.isNaN { #expect(values.allSatisfy { $0.isNaN }, "row \(row)") }
                    }
                }
            }
        }
    }

    @Test func inputsThatDoNotSuitATypeAreRefused() {
        #expect(Convolution(taps: 3, inputs: 5, outputs: 8, rows: 1, type: CK_BF16).run() == nil)
        #expect(Convolution(taps: 3, inputs: 6, outputs: 8, rows: 1, type: CK_INT8).run() == nil)
    }

    @Test func bytesRefuseWeightsThatAreNotFinite() {
        var shape = ck_conv(taps: 1, inputs: 4, outputs: 1, dilation: 1, type: CK_INT8, block_rows: 0)
        let packed = UnsafeMutableRawPointer.allocate(byteCount: ck_conv_packed_size(&shape), alignment: 64)
        defer { packed.deallocate() }
        #expect(ck_conv_pack(&shape, [1, 2, 3, 4], packed))
        #expect(!ck_conv_pack(&shape, [1, .nan, 3, 4], packed))
        #expect(!ck_conv_pack(&shape, [1, 2, -.infinity, 4], packed))
    }
}
