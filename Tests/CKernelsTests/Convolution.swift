import CKernels
import Foundation
import Testing

/// A convolution with random weights, and a plain reference for it.
struct Convolution {
    var shape: ck_conv
    var rows: Int
    var rowStride: Int
    var weight: [Float]
    var x: [Float]
    var bias: [Float]
    let scale: [Float]
    let residual: [Float]
    let alpha: [Float]
    var activation = CK_IDENTITY
    /// Whether scale, residual and Snake take part.
    var decorated = false

    init(
        taps: Int, inputs: Int, outputs: Int, dilation: Int = 1, rows: Int, type: ck_type = CK_F32,
        blockRows: Int = 0, rowStride: Int? = nil, seed: Int = 1
    ) {
        var noise = Noise(seed)
        shape = ck_conv(
            taps: taps, inputs: inputs, outputs: outputs, dilation: dilation, type: type, block_rows: blockRows)
        self.rows = rows
        self.rowStride = rowStride ?? inputs
        weight = noise.floats(taps * inputs * outputs, 0.3)
        x = noise.floats((rows + (taps - 1) * dilation - 1) * self.rowStride + inputs)
        bias = noise.floats(outputs)
        scale = noise.floats(outputs)
        residual = noise.floats(rows * outputs)
        alpha = noise.floats(outputs).map { $0 + 1.5 }
    }

    var inputRows: Int { rows + (shape.taps - 1) * shape.dilation }

    struct Result: Equatable {
        var y: [Float]
        var activated: [Float]
    }

    /// On the instruction set in use, in parts of so many rows and outputs.
    func run(rowsAtOnce: Int? = nil, outputsAtOnce: Int? = nil) -> Result? {
        var shape = shape
        let size = ck_conv_packed_size(&shape)
        guard size > 0 else { return nil }
        let packed = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
        defer { packed.deallocate() }
        guard ck_conv_pack(&shape, weight, packed) else { return nil }
        let count = rows * shape.outputs
        let (y, activated) = (
            Memory([Float](repeating: -7, count: count)), Memory([Float](repeating: -7, count: count))
        )
        let (bias, scale, residual, alpha) = (Memory(bias), Memory(scale), Memory(residual), Memory(alpha))
        let inverse = Memory(self.alpha.map { 1 / ($0 + 1e-9) })
        let encoded = encodedInputs()
        let (x, halves, bytes, scales) = (
            Memory(x), Memory(encoded.halves), Memory(encoded.bytes), Memory(encoded.scales)
        )

        let takesFloats = shape.type == CK_F32 || shape.type == CK_F32_BF16 || shape.block_rows > 0
        let source = takesFloats ? x.raw : shape.type == CK_BF16 ? halves.raw : bytes.raw
        var input = ck_input(rows: source, stride: rowStride, scales: scales.start)
        var epilogue = ck_epilogue()
        (epilogue.bias, epilogue.activation) = (UnsafePointer(bias.start), activation)
        (epilogue.y, epilogue.y_stride) = (y.start, shape.outputs)
        (epilogue.activated, epilogue.activated_stride) = (activated.raw, shape.outputs)
        if decorated {
            epilogue.scale = UnsafePointer(scale.start)
            (epilogue.residual, epilogue.residual_stride) = (UnsafePointer(residual.start), shape.outputs)
            (epilogue.alpha, epilogue.inverse) = (UnsafePointer(alpha.start), UnsafePointer(inverse.start))
        }
        let scratch = Memory([Float](repeating: .nan, count: ck_conv_scratch(&shape)))
        for var part in parts(rowsAtOnce, outputsAtOnce) {
            part.scratch = scratch.start
            ck_conv_run(&shape, packed, &input, &epilogue, &part)
        }
        return Result(y: y.array, activated: activated.array)
    }

    private func parts(_ rowsAtOnce: Int?, _ outputsAtOnce: Int?) -> [ck_part] {
        let (height, width) = (rowsAtOnce ?? max(rows, 1), outputsAtOnce ?? shape.outputs)
        return stride(from: 0, to: rows, by: height).flatMap { row in
            stride(from: 0, to: shape.outputs, by: width).map { output in
                ck_part(
                    first_row: row, end_row: min(row + height, rows), first_output: output,
                    end_output: min(output + width, shape.outputs), scratch: nil)
            }
        }
    }

    /// The input in the types of `CK_BF16` and `CK_INT8`, empty in others.
    func encodedInputs() -> (halves: [UInt16], bytes: [UInt8], scales: [Float]) {
        var halves = [UInt16](repeating: 0, count: shape.type == CK_BF16 ? x.count : 0)
        ck_bf16_from_f32(x, halves.count, &halves)
        guard shape.type == CK_INT8 else { return (halves, [], []) }
        var bytes = [UInt8](repeating: 0, count: x.count)
        var scales = [Float](repeating: 0, count: inputRows)
        ck_quantize_rows(x, rowStride, inputRows, shape.inputs, &bytes, rowStride, &scales)
        return (halves, bytes, scales)
    }

    /// The same in f64 by the definition, from what the kernel is given: inputs and weights rounded to its type, but for a fast
    /// convolution, which rounds neither before it has transformed them.
    func reference() -> (y: [Double], activated: [Double]) {
        let (taps, inputs, outputs) = (shape.taps, shape.inputs, shape.outputs)
        let isFast = shape.block_rows > 0
        let x = isFast ? x.map(Double.init) : roundedInput()
        let w = isFast ? weight.map(Double.init) : roundedWeights()
        var y: [Double] = []
        for t in 0..<rows {
            for o in 0..<outputs {
                var sum = Double(bias[o])
                for k in 0..<taps {
                    for i in 0..<inputs {
                        sum += x[(t + k * shape.dilation) * rowStride + i] * w[(k * inputs + i) * outputs + o]
                    }
                }
                var v = activated(activation, sum)
                if decorated { v = v * Double(scale[o]) + Double(residual[t * outputs + o]) }
                y.append(v)
            }
        }
        guard decorated else { return (y, y) }
        return (y, y.enumerated().map { snake($1, alpha[$0 % outputs]) })
    }

    private func roundedInput() -> [Double] {
        switch shape.type {
        case CK_F32, CK_F32_BF16: return x.map(Double.init)
        case CK_BF16: return x.map { Double(bf16($0)) }
        default:
            let (_, bytes, scales) = encodedInputs()
            return bytes.enumerated().map { (Double($1) - 128) * Double(scales[$0 / rowStride]) }
        }
    }

    private func roundedWeights() -> [Double] {
        switch shape.type {
        case CK_F32: return weight.map(Double.init)
        case CK_BF16, CK_F32_BF16: return weight.map { Double(bf16($0)) }
        default:
            let greatest = (0..<shape.outputs).map { o in
                stride(from: o, to: weight.count, by: shape.outputs).reduce(Float(0)) { max($0, abs(weight[$1])) }
            }
            return weight.enumerated().map { index, w in
                let bound = greatest[index % shape.outputs]
                return (Double(w) * 127 / Double(bound)).rounded(.toNearestOrEven) * Double(bound) / 127
            }
        }
    }
}

func activated(_ activation: ck_activation, _ x: Double) -> Double {
    switch activation {
    case CK_GELU: x * 0.5 * erfc(-x / 2.0.squareRoot())
    case CK_SILU: x / (1 + exp(-x))
    default: x
    }
}

/// Expects a kernel's results within `tolerance` of the definition's.
func expectAgreement(
    _ convolution: Convolution, _ isa: ck_isa, tolerance: Double, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let (result, wanted) = try on(isa) { (try #require(convolution.run()), convolution.reference()) }
    let shape = convolution.shape
    let name =
        "\(shape.taps)x\(shape.inputs)x\(shape.outputs), dilation \(shape.dilation), \(convolution.rows) rows"
    expectClose(result.y, wanted.y, tolerance, name, sourceLocation: sourceLocation)
    expectClose(result.activated, wanted.activated, tolerance, name, sourceLocation: sourceLocation)
}
