internal import CKernels
internal import Tensor

/// A convolution or matrix product and what follows it, as one kernel: bias, activation, LayerScale, residual, Snake.
///
/// Operands: x, weights, then those of bias, scale, residual, alpha and `1 / (alpha + ε)` that there are. Results: the
/// plain and the activated one, as far as either is wanted, then scratch memory.
struct Affine: Hashable, Sendable {
    enum Activation: Hashable, Sendable {
        case none, gelu, silu

        var kernel: ck_activation {
            switch self {
            case .none: CK_IDENTITY
            case .gelu: CK_GELU
            case .silu: CK_SILU
            }
        }
    }

    /// `[taps, inputs, groups · outputs]`; the counts are those of one group.
    struct Weights: Hashable, Sendable {
        var taps: Int
        var inputs: Int
        var outputs: Int
        var groups: Int
        var precision: Precision
        /// Rows in a block of the kernels' fast convolution; 0 for the direct one.
        var blockRows = 0
        /// Whether they may be packed in bf16, if all are values of it, and computed with in f32.
        var mayBeNarrow = false
        /// Whether they are.
        var isNarrow = false

        var kernel: ck_conv { kernel(dilation: 1) }

        func kernel(dilation: Int) -> ck_conv {
            ck_conv(
                taps: taps, inputs: inputs, outputs: outputs, dilation: dilation,
                type: isNarrow ? CK_F32_BF16 : precision.kernel, block_rows: blockRows)
        }

        /// Bytes of one group's packed weights.
        var packedByteCount: Int {
            withUnsafePointer(to: kernel) { ck_conv_packed_size($0) }
        }

        /// The same in f32 where the kernels have no form of this precision for as many inputs, or are faster in f32 as the outputs
        /// are few.
        var supported: Weights {
            if packedByteCount > 0 && outputs > Int(CK_FEW_OUTPUTS) { return self }
            var plain = self
            plain.precision = .f32
            return plain
        }

        /// These as they are packed if all are values of bf16, as of a model that was stored so: a stream reads half the memory for
        /// each frame, and gets the same sums.
        var narrow: Weights? {
            guard mayBeNarrow, precision == .f32, blockRows == 0, outputs > Int(CK_FEW_OUTPUTS) else { return nil }
            var narrow = self
            narrow.isNarrow = true
            return narrow
        }

        /// Lays out `[taps, inputs, groups · outputs]`.
        ///
        /// - Throws: `PlanError.notFinite` for int8, which has no infinity.
        func pack(_ source: UnsafePointer<Float>, to target: UnsafeMutableRawPointer) throws {
            if groups == 1 { return try packGroup(source, target) }
            let width = groups * outputs
            try withUnsafeTemporaryAllocation(of: Float.self, capacity: taps * inputs * outputs) { columns in
                for group in 0..<groups {
                    for row in 0..<taps * inputs {
                        for column in 0..<outputs {
                            columns[row * outputs + column] = source[row * width + group * outputs + column]
                        }
                    }
                    try packGroup(UnsafePointer(columns.baseAddress!), target + group * packedByteCount)
                }
            }
        }

        private func packGroup(_ source: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer) throws {
            guard withUnsafePointer(to: kernel, { ck_conv_pack($0, source, target) }) else {
                throw PlanError.notFinite(type: TensorType(.f32, [taps, inputs, outputs]))
            }
        }
    }

    var weights: Weights
    var dilation: Int
    var batch: Int
    /// Rows of the result for each of the batch.
    var rows: Int
    var hasBias = false
    var activation = Activation.none
    var hasScale = false
    var hasResidual = false
    var hasSnake = false
    /// Whether the result before Snake is wanted too.
    var keepsResult = true
    /// Whether Snake's result is written in bf16.
    var roundsActivated = false
    /// Whether the input is in the kernel's precision already.
    var isInputRounded = false

    var outputs: Int { weights.groups * weights.outputs }
    var inputs: Int { weights.groups * weights.inputs }
    /// Rows of the input for each of the batch.
    var inputRows: Int { rows + (weights.taps - 1) * dilation }

    /// A batch of single rows is one product: the taps of each lie one after another. Not in int8, where each row of the
    /// input has a scale of its own, nor where dot products of the taps together would add up in other lanes.
    var isFlattened: Bool {
        batch > 1 && rows == 1 && dilation == 1 && weights.groups == 1 && weights.precision != .int8
            && (weights.outputs > Int(CK_FEW_OUTPUTS) || weights.inputs % 16 == 0)
    }

    /// Whether the kernels' fast convolution would be faster on blocks of so many rows. It has 13 multiplications where seven
    /// taps have 28, less what transforming the tiles costs, but takes twice the weights from memory.
    func isFaster(inBlocksOf blockRows: Int) -> Bool {
        guard weights.precision != .int8, (5...8).contains(weights.taps), weights.inputs >= 32, weights.outputs >= 32,
            blockRows >= (weights.precision == .f32 ? 32 : 8)
        else { return false }
        let span = 4 * dilation
        let tiles = blockRows / span * dilation + min(blockRows % span, dilation)
        return 5 * 13 * tiles < 4 * weights.taps * blockRows
    }

    /// Floats of scratch memory for each thread.
    var threadScratch: Int {
        withUnsafePointer(to: weights.kernel(dilation: dilation)) { (ck_conv_scratch($0) + 15) / 16 * 16 }
    }

    /// Of the input as the kernel takes it.
    var inputPrecision: Precision { weights.blockRows > 0 ? .f32 : weights.precision }

    /// Types of the scratch memory: that of a fast convolution, or the input in the kernel's precision, and its scales.
    func scratch(threads: Int) -> [TensorType] {
        if weights.blockRows > 0 { return [TensorType(.f32, [threadScratch * threads])] }
        if isInputRounded { return [] }
        return switch weights.precision {
        case .f32: []
        case .bf16: [TensorType(.bf16, [batch * inputRows * inputs])]
        case .int8: [TensorType(.u8, [batch * inputRows * inputs]), TensorType(.f32, [batch * inputRows])]
        }
    }
}

/// In what a model's weights are held and multiplied; sums and everything else are f32.
public enum Precision: String, Hashable, Sendable, CaseIterable {
    case f32
    /// Weights and inputs of products rounded to bf16: half the memory, and faster where the processor has instructions for it.
    case bf16
    /// Weights in 8 bits with a scale for each output channel, inputs in 8 bits with a scale for each row.
    case int8

    var kernel: ck_type {
        switch self {
        case .f32: CK_F32
        case .bf16: CK_BF16
        case .int8: CK_INT8
        }
    }
}
