public import Tensor

/// A convolution over time that sees only the present and the past.
///
/// A stride is taken as a unit-stride convolution over blocks of `stride` samples (polyphase): a strided convolution's
/// gradient is many times slower on XLA's CPU backend.
public struct CausalConv1d: Module {
    /// `[kernel, inputs / groups, outputs]`.
    public let weight: Kernel
    /// `[outputs]`.
    public let bias: Parameter?

    public let stride: Int
    public let dilation: Int
    public let groups: Int

    /// - Precondition: `kernel >= stride`; not both a stride and a dilation.
    public init(
        _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, dilation: Int = 1, groups: Int = 1,
        bias: Bool = true, weightNorm: Bool = false, initializer: Initializer = .lecunNormal,
        file: StaticString = #fileID, line: UInt = #line
    ) {
        precondition(stride == 1 || dilation == 1, "both a stride and a dilation", file: file, line: line)
        precondition(
            kernel >= stride, "a kernel of \(kernel) skips samples at stride \(stride)", file: file, line: line)
        weight = Kernel([kernel], inputs, outputs, groups: groups, initializer, weightNorm: weightNorm, file, line)
        self.bias = bias ? Parameter([outputs], .zeros) : nil
        self.stride = stride
        self.dilation = dilation
        self.groups = groups
    }

    /// `x`: `[batch, time, inputs]` → `[batch, time / stride, outputs]`.
    ///
    /// - Precondition: `stride` divides the time.
    public func callAsFunction(
        _ x: Tensor, _ past: inout Past, file: StaticString = #fileID, line: UInt = #line
    ) -> Tensor {
        precondition(
            x.rank == 3 && x.shape[2] == weight.shape[1] * groups && x.shape[1] % stride == 0,
            "a causal convolution of \(weight.shape[1] * groups) channels at stride \(stride) got \(x.shape)",
            file: file, line: line)
        let y = stride == 1 ? unitStride(x, &past, file, line) : polyphase(x, &past, file, line)
        return bias.map { y + $0.tensor(as: x.dtype) } ?? y
    }

    private func unitStride(_ x: Tensor, _ past: inout Past, _ file: StaticString, _ line: UInt) -> Tensor {
        let context = (weight.shape[0] - 1) * dilation
        // A pointwise convolution needs no past: what a padded frame holds stays in that frame.
        let (x, padding) = context == 0 ? (x, 0) : past.extending(x, by: context, file: file, line: line)
        return convolve(
            x, weight.tensor(as: x.dtype), padding: [(padding, 0)], dilation: [dilation], groups: groups)
    }

    private func polyphase(_ x: Tensor, _ past: inout Past, _ file: StaticString, _ line: UInt) -> Tensor {
        // Zeros on the kernel's left make it a whole number of blocks and leave the last tap on the newest sample.
        let blocks = (weight.shape[0] + stride - 1) / stride
        let kernel = weight.tensor(as: x.dtype).padded(
            axis: 0, low: blocks * stride - weight.shape[0], high: 0)
        let (whole, padding) = past.extending(x, by: (blocks - 1) * stride, file: file, line: line)
        return convolve(
            whole.foldingStrides([stride], groups: groups), kernel.foldingKernel([stride]),
            padding: [(padding / stride, 0)], groups: groups)
    }
}

/// The transposed convolution over time that sees only the present and the past: `y[n·stride + j] += x[n] · w[j]`, without
/// the last `kernel - stride` samples, which later inputs would still change.
///
/// Computed as a unit-stride convolution to `stride · outputs` channels, which are then laid out in time.
public struct CausalConvTranspose1d: Module {
    /// `[kernel, inputs, outputs]`.
    public let weight: Kernel
    /// `[outputs]`.
    public let bias: Parameter?

    public let stride: Int

    /// - Precondition: `kernel >= stride`.
    public init(
        _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int, bias: Bool = true, weightNorm: Bool = false,
        initializer: Initializer = .lecunNormal, file: StaticString = #fileID, line: UInt = #line
    ) {
        precondition(kernel >= stride, "a kernel of \(kernel) leaves gaps at stride \(stride)", file: file, line: line)
        weight = Kernel([kernel], inputs, outputs, groups: 1, initializer, weightNorm: weightNorm, file, line)
        self.bias = bias ? Parameter([outputs], .zeros) : nil
        self.stride = stride
    }

    /// `x`: `[batch, time, inputs]` → `[batch, time · stride, outputs]`.
    public func callAsFunction(
        _ x: Tensor, _ past: inout Past, file: StaticString = #fileID, line: UInt = #line
    ) -> Tensor {
        let (taps, inputs, outputs) = (weight.shape[0], weight.shape[1], weight.shape[2])
        precondition(
            x.rank == 3 && x.shape[2] == inputs, "a transposed convolution of \(inputs) channels got \(x.shape)",
            file: file, line: line)
        // y[n·s + r] = Σ_m x[n - m] · w[m·s + r]: phase r has every s-th tap, the oldest input last.
        let depth = (taps + stride - 1) / stride
        let kernel = weight.tensor(as: x.dtype)
            .padded(axis: 0, low: 0, high: depth * stride - taps)
            .reshaped([depth, stride, inputs, outputs])
            .reversed(axes: [0])
            .transposed([0, 2, 1, 3])
            .reshaped([depth, inputs, stride * outputs])
        let (whole, padding) = depth == 1 ? (x, 0) : past.extending(x, by: depth - 1, file: file, line: line)
        let y = convolve(whole, kernel, padding: [(padding, 0)])
            .reshaped([x.shape[0], x.shape[1] * stride, outputs])
        return bias.map { y + $0.tensor(as: x.dtype) } ?? y
    }
}
