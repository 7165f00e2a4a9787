internal import CKernels
internal import Tensor

/// Runs an `Affine`.
struct AffineStep: Step {
    let affine: Affine
    let x: Place
    let weights: Place
    var bias: Place?
    var scale: Place?
    var residual: Place?
    var alpha: Place?
    var inverse: Place?
    var y: Place?
    var activated: Place?
    var scratch: [Place] = []

    /// Below this many multiplications a second thread costs more than it saves.
    private static let worthSharing = 1 << 17

    func run(_ frame: Frame) {
        let input = converted(frame)
        let single = affine.batch == 1 || affine.isFlattened
        let rows = affine.isFlattened ? affine.batch : affine.rows
        for batch in 0..<(single ? 1 : affine.batch) {
            for group in 0..<affine.weights.groups { run(frame, input, rows: rows, batch: batch, group: group) }
        }
    }

    private func run(_ frame: Frame, _ input: ck_input, rows: Int, batch: Int, group: Int) {
        var conv = affine.weights.kernel(dilation: affine.dilation)
        var input = input
        let elementSize = affine.inputPrecision == .f32 ? 4 : affine.inputPrecision == .bf16 ? 2 : 1
        let firstRow = batch * affine.inputRows
        input.rows += (firstRow * affine.inputs + group * affine.weights.inputs) * elementSize
        if let scales = input.scales { input.scales = scales + firstRow }
        if affine.isFlattened {
            // Rows of `taps · inputs`, a whole input apart.
            conv.inputs *= conv.taps
            conv.taps = 1
            input.stride *= affine.inputRows
        }
        let packed = frame.pointer(weights) + group * affine.weights.packedByteCount
        let column = group * affine.weights.outputs
        let start = batch * affine.rows * affine.outputs + column
        var epilogue = ck_epilogue()
        if let bias { epilogue.bias = UnsafePointer(frame.floats(bias) + column) }
        epilogue.activation = affine.activation.kernel
        if let scale { epilogue.scale = UnsafePointer(frame.floats(scale) + column) }
        if let residual {
            epilogue.residual = UnsafePointer(frame.floats(residual) + start)
            epilogue.residual_stride = affine.outputs
        }
        if let y {
            epilogue.y = frame.floats(y) + start
            epilogue.y_stride = affine.outputs
        }
        if let activated, let alpha, let inverse {
            let rounds = affine.roundsActivated
            epilogue.activated = frame.pointer(activated) + start * (rounds ? 2 : 4)
            epilogue.activated_stride = affine.outputs
            epilogue.activated_type = rounds ? CK_BF16 : CK_F32
            epilogue.alpha = UnsafePointer(frame.floats(alpha) + column)
            epilogue.inverse = UnsafePointer(frame.floats(inverse) + column)
        }
        let outputs = affine.weights.outputs
        let memory = conv.block_rows > 0 ? frame.floats(scratch[0]) : nil
        let threadScratch = conv.block_rows > 0 ? affine.threadScratch : 0
        share(frame, rows: rows, work: rows * conv.taps * conv.inputs * outputs) { part, thread in
            var part = part
            part.scratch = memory.map { $0 + thread * threadScratch }
            withUnsafePointer(to: conv) { conv in
                withUnsafePointer(to: input) { input in
                    withUnsafePointer(to: epilogue) { epilogue in
                        withUnsafePointer(to: part) { ck_conv_run(conv, packed, input, epilogue, $0) }
                    }
                }
            }
        }
    }

    /// Halves the work by rows where there are enough, else by outputs.
    private func share(_ frame: Frame, rows: Int, work: Int, _ body: (_ part: ck_part, _ thread: Int) -> Void) {
        let outputs = affine.weights.outputs
        let whole = ck_part(first_row: 0, end_row: rows, first_output: 0, end_output: outputs, scratch: nil)
        guard let workers = frame.workers, work >= Self.worthSharing else { return body(whole, 0) }
        let blockWidth = Int(CK_BLOCK)
        let blocks = (outputs + blockWidth - 1) / blockWidth
        let rowUnit = affine.weights.blockRows > 0 ? affine.weights.blockRows : 8
        let byRows = rows >= max(16, rowUnit) * workers.width || blocks < workers.width
        let unit = byRows ? rowUnit : blockWidth
        let count = byRows ? rows : outputs
        let units = (count + unit - 1) / unit
        workers.run { index in
            let first = min(count, units * index / workers.width * unit)
            let end = min(count, units * (index + 1) / workers.width * unit)
            if first == end { return }
            var part = whole
            if byRows {
                (part.first_row, part.end_row) = (first, end)
            } else {
                (part.first_output, part.end_output) = (first, end)
            }
            body(part, index)
        }
    }

    /// The input in the kernel's precision.
    private func converted(_ frame: Frame) -> ck_input {
        let x = frame.floats(x)
        let (rows, inputs) = (affine.batch * affine.inputRows, affine.inputs)
        var input = ck_input(rows: UnsafeRawPointer(x), stride: inputs, scales: nil)
        if affine.inputPrecision == .f32 || affine.isInputRounded { return input }
        let target = frame.pointer(scratch[0])
        input.rows = UnsafeRawPointer(target)
        func convert(_ first: Int, _ end: Int) {
            let (source, count) = (x + first * inputs, end - first)
            if affine.inputPrecision == .bf16 {
                ck_bf16_from_f32(
                    source, count * inputs, target.assumingMemoryBound(to: UInt16.self) + first * inputs)
            } else {
                ck_quantize_rows(
                    source, inputs, count, inputs, target.assumingMemoryBound(to: UInt8.self) + first * inputs, inputs,
                    frame.floats(scratch[1]) + first)
            }
        }
        if affine.inputPrecision == .int8 { input.scales = UnsafePointer(frame.floats(scratch[1])) }
        if let workers = frame.workers, rows * inputs >= Self.worthSharing / 4 {
            workers.run { convert(rows * $0 / workers.width, rows * ($0 + 1) / workers.width) }
        } else {
            convert(0, rows)
        }
        return input
    }
}

/// Lays out weights that are not known beforehand.
struct PackStep: Step {
    let weights: Affine.Weights
    let source: Place
    let target: Place

    func run(_ frame: Frame) throws { try weights.pack(frame.floats(source), to: frame.pointer(target)) }
}
