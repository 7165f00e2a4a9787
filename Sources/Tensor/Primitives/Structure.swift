/// The same elements, row-major, under another shape.
public struct Reshape: Primitive {
    public let shape: Shape
    public var name: String { "reshape" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        try require(inputs[0].shape.elementCount == shape.elementCount, "\(shape) has another number of elements")
        return [TensorType(inputs[0].dtype, shape)]
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] { [site.cotangent.reshaped(site.inputs[0].shape)] }
}

/// Axes in another order: result axis `i` is operand axis `permutation[i]`.
public struct Transpose: Primitive {
    public let permutation: [Int]
    public var name: String { "transpose" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        let shape = inputs[0].shape
        try require(permutation.sorted() == Array(shape.indices), "\(permutation) does not permute the axes")
        return [TensorType(inputs[0].dtype, Shape(permutation.map { shape[$0] }))]
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] {
        var inverse = permutation
        for (position, axis) in permutation.enumerated() { inverse[axis] = position }
        return [site.cotangent.transposed(inverse)]
    }
}

/// Operand axis `i` becomes result axis `axes[i]`; an extent of 1 is repeated, and new axes repeat the whole.
public struct Broadcast: Primitive {
    public let shape: Shape
    public let axes: [Int]
    public var name: String { "broadcast" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        let operand = inputs[0].shape
        try require(axes.count == operand.rank && axes == axes.sorted(), "axes \(axes) do not map the operand's axes")
        for (axis, target) in axes.enumerated() {
            try require(shape.indices.contains(target), "axis \(target) is not one of \(shape)")
            try require(operand[axis] == shape[target] || operand[axis] == 1, "does not broadcast to \(shape)")
        }
        return [TensorType(inputs[0].dtype, shape)]
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] {
        let operand = site.inputs[0].shape
        let stretched = shape.indices.filter { target in
            guard let axis = axes.firstIndex(of: target) else { return true }
            return operand[axis] != shape[target]
        }
        return [site.cotangent.sum(axes: stretched).reshaped(operand)]
    }
}

/// Elements `starts[i] ..< limits[i]`, every `strides[i]`th, of each axis.
public struct Slice: Primitive {
    public let starts: [Int]
    public let limits: [Int]
    public let strides: [Int]
    public var name: String { "slice" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        var shape = inputs[0].shape
        try require(
            starts.count == shape.rank && limits.count == shape.rank && strides.count == shape.rank,
            "the bounds name another rank")
        for axis in shape.indices {
            try require(
                starts[axis] >= 0 && starts[axis] <= limits[axis] && limits[axis] <= shape[axis] && strides[axis] > 0,
                "\(starts[axis])..<\(limits[axis]) step \(strides[axis]) is outside axis \(axis)")
            shape[axis] = (limits[axis] - starts[axis] + strides[axis] - 1) / strides[axis]
        }
        return [TensorType(inputs[0].dtype, shape)]
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] {
        let whole = site.inputs[0].shape
        let part = site.output.shape
        let high = whole.indices.map { axis in
            part[axis] == 0
                ? whole[axis] - starts[axis] : whole[axis] - starts[axis] - (1 + (part[axis] - 1) * strides[axis])
        }
        return [site.cotangent.padded(low: starts, high: high, interior: strides.map { $0 - 1 })]
    }
}

/// Operand 0 with the scalar operand 1 before, after and between the elements of each axis; negative edges crop.
public struct Pad: Primitive {
    public let low: [Int]
    public let high: [Int]
    public let interior: [Int]
    public var name: String { "pad" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        var shape = inputs[0].shape
        try require(inputs[1] == TensorType(inputs[0].dtype, []), "the padding value is not a scalar of the same type")
        try require(
            low.count == shape.rank && high.count == shape.rank && interior.count == shape.rank,
            "the padding names another rank")
        for axis in shape.indices {
            try require(interior[axis] >= 0, "interior padding is negative")
            shape[axis] += low[axis] + high[axis] + max(0, shape[axis] - 1) * interior[axis]
            try require(shape[axis] >= 0, "axis \(axis) would be shorter than nothing")
        }
        return [TensorType(inputs[0].dtype, shape)]
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] {
        let uncropped = site.cotangent.padded(
            low: low.map { -$0 }, high: high.map { -$0 }, interior: low.map { _ in 0 })
        let operand = uncropped.strided(by: interior.map { $0 + 1 })
        return [operand, site.cotangent.sum() - operand.sum()]
    }
}

/// The operands one after another along an axis.
public struct Concatenate: Primitive {
    public let axis: Int
    public var name: String { "concatenate" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        try require(!inputs.isEmpty, "there is nothing to concatenate")
        var result = inputs[0]
        try require(result.shape.indices.contains(axis), "axis \(axis) is not one of \(result.shape)")
        for input in inputs.dropFirst() {
            try require(
                input.dtype == result.dtype && input.shape.removing([axis]) == inputs[0].shape.removing([axis]),
                "operands differ off the axis")
            result.shape[axis] += input.shape[axis]
        }
        return [result]
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] {
        var start = 0
        return site.inputs.map { input in
            defer { start += input.shape[axis] }
            return site.cotangent.slice(axis, start, start + input.shape[axis])
        }
    }
}

/// Elements in the opposite order along some axes.
public struct Reverse: Primitive {
    public let axes: [Int]
    public var name: String { "reverse" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        try require(axes.allSatisfy(inputs[0].shape.indices.contains), "axes \(axes) are not all there")
        return inputs
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] { [site.cotangent.reversed(axes: axes)] }
}
