/// A sliding sum of products over any number of spatial axes: the general form that its own gradients need too.
///
/// Models use `convolve`, which fixes the layout to `[batch, space…, channels]` and `[space…, input, output]`.
public struct Convolution: Primitive {
    /// Which axis plays which role.
    public struct Layout: Sendable, Hashable {
        /// Batch, feature, then spatial axes of the operand.
        public var operand: [Int]
        /// Output feature, input feature, then spatial axes of the kernel.
        public var kernel: [Int]
        /// Batch, feature, then spatial axes of the result.
        public var result: [Int]

        /// `[batch, space…, channels]` with a kernel `[space…, input, output]`.
        public static func channelsLast(spatialRank: Int) -> Layout {
            let space = Array(1..<(spatialRank + 1))
            let data = [0, spatialRank + 1] + space
            return Layout(
                operand: data, kernel: [spatialRank + 1, spatialRank] + Array(0..<spatialRank), result: data)
        }
    }

    public var strides: [Int]
    public var padding: [(low: Int, high: Int)]
    public var operandDilation: [Int]
    public var kernelDilation: [Int]
    public var featureGroups = 1
    public var batchGroups = 1
    public var layout: Layout
    public var name: String { "convolution" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        let (x, w) = (inputs[0].shape, inputs[1].shape)
        try require(inputs[0].dtype == inputs[1].dtype, "operand and kernel differ in type")
        try require(x.rank == layout.operand.count && w.rank == layout.kernel.count, "the layout names another rank")
        try require(
            [strides.count, padding.count, operandDilation.count, kernelDilation.count].allSatisfy { $0 == x.rank - 2 },
            "the window has another number of spatial axes")
        try require(
            (strides + operandDilation + kernelDilation + [featureGroups, batchGroups]).allSatisfy { $0 > 0 },
            "a stride, a dilation or a number of groups is not positive")
        try require(featureGroups == 1 || batchGroups == 1, "features or the batch may be in groups, not both")
        let (batch, features) = (x[layout.operand[0]], x[layout.operand[1]])
        let (outputs, kernelInputs) = (w[layout.kernel[0]], w[layout.kernel[1]])
        try require(
            features == kernelInputs * featureGroups && outputs % featureGroups == 0,
            "\(features) channels in \(featureGroups) groups do not fit a kernel of \(kernelInputs) to \(outputs)")
        try require(
            batch % batchGroups == 0 && outputs % batchGroups == 0, "\(batchGroups) batch groups do not divide evenly")
        var shape = Shape([Int](repeating: 0, count: x.rank))
        shape[layout.result[0]] = batch / batchGroups
        shape[layout.result[1]] = outputs
        for (axis, pad) in padding.enumerated() {
            let extent = dilated(x[layout.operand[axis + 2]], operandDilation[axis]) + pad.low + pad.high
            let window = dilated(w[layout.kernel[axis + 2]], kernelDilation[axis])
            try require(extent >= 0, "axis \(axis) is cropped to less than nothing")
            shape[layout.result[axis + 2]] = extent < window ? 0 : (extent - window) / strides[axis] + 1
        }
        return [TensorType(inputs[0].dtype, shape)]
    }

    // The two gradients are convolutions again, with strides and dilations exchanged; the padding arithmetic makes their
    // extents come out as the operand's and the kernel's.
    public func vjp(_ site: VJPSite) -> [Tensor?] {
        [operandGradient(site), kernelGradient(site)]
    }

    private func extents(_ site: VJPSite, _ axis: Int) -> (operand: Int, kernel: Int, result: Int) {
        (
            dilated(site.inputs[0].shape[layout.operand[axis + 2]], operandDilation[axis]),
            dilated(site.inputs[1].shape[layout.kernel[axis + 2]], kernelDilation[axis]),
            dilated(site.output.shape[layout.result[axis + 2]], strides[axis])
        )
    }

    private func operandGradient(_ site: VJPSite) -> Tensor {
        var kernel = site.inputs[1]
        let groups = max(featureGroups, batchGroups)
        if groups > 1 {
            // The groups sit in the output features; the transposed convolution wants them in its own.
            kernel = kernel.movingFactor(groups, from: layout.kernel[0], to: layout.kernel[1])
        }
        var backward = self
        backward.layout = Layout(
            operand: layout.result, kernel: [layout.kernel[1], layout.kernel[0]] + layout.kernel.dropFirst(2),
            result: layout.operand)
        backward.strides = operandDilation
        backward.operandDilation = strides
        backward.padding = padding.indices.map { axis in
            let (operand, window, result) = extents(site, axis)
            let low = window - padding[axis].low - 1
            return (low, operand + window - 1 - result - low)
        }
        backward.featureGroups = groups
        backward.batchGroups = 1
        let product = Tensor.apply1(
            backward, site.cotangent, kernel.reversed(axes: Array(layout.kernel.dropFirst(2)).sorted()))
        return batchGroups > 1
            ? product.movingFactor(batchGroups, from: layout.operand[1], to: layout.operand[0]) : product
    }

    private func kernelGradient(_ site: VJPSite) -> Tensor {
        func exchanged(_ axes: [Int]) -> [Int] { [axes[1], axes[0]] + axes.dropFirst(2) }
        var backward = self
        backward.layout = Layout(
            operand: exchanged(layout.operand), kernel: exchanged(layout.result), result: exchanged(layout.kernel))
        backward.strides = kernelDilation
        backward.kernelDilation = strides
        backward.padding = padding.indices.map { axis in
            let (operand, window, result) = extents(site, axis)
            return (padding[axis].low, result + window - operand - 1 - padding[axis].low)
        }
        backward.featureGroups = batchGroups
        backward.batchGroups = featureGroups
        return Tensor.apply1(backward, site.inputs[0], site.cotangent)
    }

    private func dilated(_ extent: Int, _ dilation: Int) -> Int { extent == 0 ? 0 : (extent - 1) * dilation + 1 }
}

extension Tensor {
    /// Splits `factor` off the front of one axis and multiplies it into the front of another.
    fileprivate func movingFactor(_ factor: Int, from source: Int, to target: Int) -> Tensor {
        var split = shape.dimensions
        split[source] /= factor
        split.insert(factor, at: source)
        var order = Array(0..<split.count)
        order.remove(at: source)
        let place = order.firstIndex(of: target < source ? target : target + 1)!
        order.insert(source, at: place)
        var merged = shape
        merged[source] /= factor
        merged[target] *= factor
        return reshaped(Shape(split)).transposed(order).reshaped(merged)
    }
}

/// Convolution of `x: [batch, space…, channels]` with `kernel: [space…, channels / groups, outputs]` →
/// `[batch, space…, outputs]`, as deep learning defines it: the kernel is not flipped.
///
/// - Parameter padding: zeros before and after each spatial axis; negative crops. None by default.
public func convolve(
    _ x: Tensor, _ kernel: Tensor, strides: [Int]? = nil, padding: [(low: Int, high: Int)]? = nil,
    dilation: [Int]? = nil, operandDilation: [Int]? = nil, groups: Int = 1, file: StaticString = #fileID,
    line: UInt = #line
) -> Tensor {
    precondition(x.rank >= 3, "convolution of \(x.shape): axes are [batch, space…, channels]", file: file, line: line)
    let ones = [Int](repeating: 1, count: x.rank - 2)
    return Tensor.apply1(
        Convolution(
            strides: strides ?? ones, padding: padding ?? ones.map { _ in (0, 0) },
            operandDilation: operandDilation ?? ones, kernelDilation: dilation ?? ones, featureGroups: groups,
            layout: .channelsLast(spatialRank: x.rank - 2)),
        x, kernel, file: file, line: line)
}
