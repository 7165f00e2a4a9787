public import Tensor

/// A convolution over time that sees past and future alike, as discriminators use it.
public struct Conv1d: Module {
    /// `[kernel, inputs / groups, outputs]`.
    public let weight: Kernel
    /// `[outputs]`.
    public let bias: Parameter?
    private let geometry: Geometry

    /// - Parameter padding: zeros on either side.
    public init(
        _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Int = 0, dilation: Int = 1,
        groups: Int = 1, bias: Bool = true, weightNorm: Bool = false, initializer: Initializer = .lecunNormal,
        file: StaticString = #fileID, line: UInt = #line
    ) {
        weight = Kernel([kernel], inputs, outputs, groups: groups, initializer, weightNorm: weightNorm, file, line)
        self.bias = bias ? Parameter([outputs], .zeros) : nil
        geometry = Geometry(strides: [stride], padding: [padding], dilation: [dilation], groups: groups)
    }

    /// `x`: `[batch, time, inputs]` → `[batch, (time + 2·padding - dilation·(kernel - 1) - 1) / stride + 1, outputs]`.
    public func callAsFunction(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        let y = geometry.convolving(x, weight.tensor(as: x.dtype), file, line)
        return bias.map { y + $0.tensor(as: x.dtype) } ?? y
    }
}

/// A convolution over a plane, such as a spectrogram or a signal folded by a period.
public struct Conv2d: Module {
    /// `[kernel.0, kernel.1, inputs / groups, outputs]`.
    public let weight: Kernel
    /// `[outputs]`.
    public let bias: Parameter?
    private let geometry: Geometry

    /// Pairs are for the first and the second axis of the plane.
    /// - Parameter padding: zeros on either side.
    public init(
        _ inputs: Int, _ outputs: Int, kernel: (Int, Int), stride: (Int, Int) = (1, 1), padding: (Int, Int) = (0, 0),
        dilation: (Int, Int) = (1, 1), groups: Int = 1, bias: Bool = true, weightNorm: Bool = false,
        initializer: Initializer = .lecunNormal, file: StaticString = #fileID, line: UInt = #line
    ) {
        weight = Kernel(
            [kernel.0, kernel.1], inputs, outputs, groups: groups, initializer, weightNorm: weightNorm, file, line)
        self.bias = bias ? Parameter([outputs], .zeros) : nil
        geometry = Geometry(
            strides: [stride.0, stride.1], padding: [padding.0, padding.1], dilation: [dilation.0, dilation.1],
            groups: groups)
    }

    /// `x`: `[batch, first, second, inputs]` → `[batch, first', second', outputs]`, each extent as in `Conv1d`.
    public func callAsFunction(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        let y = geometry.convolving(x, weight.tensor(as: x.dtype), file, line)
        return bias.map { y + $0.tensor(as: x.dtype) } ?? y
    }
}

private struct Geometry: Sendable {
    let strides: [Int]
    let padding: [Int]
    let dilation: [Int]
    let groups: Int

    func convolving(_ x: Tensor, _ kernel: Tensor, _ file: StaticString, _ line: UInt) -> Tensor {
        precondition(
            x.rank == kernel.rank && x.shape[x.rank - 1] == kernel.shape[kernel.rank - 2] * groups,
            "a convolution of kernel \(kernel.shape) in \(groups) groups got \(x.shape)", file: file, line: line)
        // Where the kernel has no room there is nothing to rearrange.
        let hasRoom = strides.indices.allSatisfy {
            x.shape[$0 + 1] + 2 * padding[$0] > (kernel.shape[$0] - 1) * dilation[$0]
        }
        let polyphase =
            hasRoom && strides.contains { $0 > 1 } && zip(strides, dilation).allSatisfy { $0 == 1 || $1 == 1 }
        guard polyphase else {
            if hasRoom && strides.allSatisfy({ $0 == 1 })
                && (convolvesRows(kernel) || fold(kernel) != nil || groups > 1)
            {
                let whole = x.padded(low: [0] + padding + [0], high: [0] + padding + [0])
                return convolvingUnitStrides(whole, kernel, file, line)
            }
            return convolve(
                x, kernel, strides: strides, padding: padding.map { ($0, $0) }, dilation: dilation, groups: groups,
                file: file, line: line)
        }
        // Zeros on the kernel's right make it whole blocks; the operand is padded or cropped to the blocks it meets.
        var (low, high) = ([0], [0])
        var kernelHigh: [Int] = []
        for (axis, stride) in strides.enumerated() {
            let (extent, window) = (x.shape[axis + 1], (kernel.shape[axis] - 1) * dilation[axis] + 1)
            let count = (extent + 2 * padding[axis] - window) / stride + 1
            let blocks = stride == 1 ? window : (kernel.shape[axis] + stride - 1) / stride
            low.append(padding[axis])
            high.append((count - 1 + blocks) * stride - extent - padding[axis])
            kernelHigh.append(stride == 1 ? 0 : blocks * stride - kernel.shape[axis])
        }
        let whole = x.padded(low: low + [0], high: high + [0]).foldingStrides(strides, groups: groups)
        let folded = kernel.padded(low: kernel.shape.map { _ in 0 }, high: kernelHigh + [0, 0]).foldingKernel(strides)
        return convolvingUnitStrides(whole, folded, file, line)
    }

    /// By whichever lowering is the fastest: `x` is padded already.
    private func convolvingUnitStrides(
        _ x: Tensor, _ kernel: Tensor, _ file: StaticString, _ line: UInt
    ) -> Tensor {
        if convolvesRows(kernel) { return convolvingRows(x, kernel, dilation: dilation[0]) }
        if let fold = fold(kernel) { return convolvingFolded(x, kernel, dilation: dilation[0], fold: fold) }
        if groups > 1 { return convolvingGroups(x, kernel, groups: groups, dilation: dilation) }
        return convolve(x, kernel, dilation: dilation, file: file, line: line)
    }

    /// How many neighbours of a plane of few channels are folded: as many as fill a vector.
    private func fold(_ kernel: Tensor) -> Int? {
        guard kernel.rank == 4, kernel.shape[1] > 1, groups == 1, dilation[1] == 1, kernel.shape[3] >= 8 else {
            return nil
        }
        return [1: 16, 2: 8, 4: 4][kernel.shape[2]]
    }

    /// Whether a plane of unit strides is convolved row by row.
    private func convolvesRows(_ kernel: Tensor) -> Bool {
        kernel.rank == 4 && kernel.shape[0] > 1 && kernel.shape[2] >= 8 && groups == 1 && dilation[1] == 1
    }
}
