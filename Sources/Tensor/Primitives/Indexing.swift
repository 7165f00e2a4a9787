/// The block of extent `sizes` at a position given by one scalar per axis, moved inside the operand where it overhangs.
public struct DynamicSlice: Primitive {
    public let sizes: [Int]
    public var name: String { "dynamicSlice" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        let shape = inputs[0].shape
        try require(sizes.count == shape.rank && inputs.count == shape.rank + 1, "the position names another rank")
        try requireIndexScalars(inputs.dropFirst())
        try require(zip(sizes, shape).allSatisfy { $0 <= $1 }, "\(sizes) is larger than the operand")
        return [TensorType(inputs[0].dtype, Shape(sizes))]
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] {
        let starts = Array(site.inputs.dropFirst())
        let product = Tensor.zeros(site.inputs[0].type).updating(site.cotangent, at: starts)
        return [product] + starts.map { _ in nil }
    }
}

/// Operand 0 with operand 1 written over the block at the position that follows, moved inside where it overhangs.
public struct DynamicUpdateSlice: Primitive {
    public var name: String { "dynamicUpdateSlice" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        let shape = inputs[0].shape
        try require(
            inputs[1].shape.rank == shape.rank && inputs.count == shape.rank + 2, "the position names another rank")
        try require(inputs[0].dtype == inputs[1].dtype, "operand and update differ in type")
        try require(zip(inputs[1].shape, shape).allSatisfy { $0 <= $1 }, "the update is larger than the operand")
        try requireIndexScalars(inputs.dropFirst(2))
        return [inputs[0]]
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] {
        let update = site.inputs[1]
        let starts = Array(site.inputs.dropFirst(2))
        let g = site.cotangent
        return [g.updating(Tensor.zeros(update.type), at: starts), g.slice(at: starts, sizes: update.shape.dimensions)]
            + starts.map { _ in nil }
    }
}

private func requireIndexScalars(_ types: ArraySlice<TensorType>) throws(ShapeError) {
    for type in types { try require(type == TensorType(.i32, []), "a position is an i32 scalar, not \(type)") }
}

/// Slices of operand 0 along `axis`, chosen by the i32 indices of operand 1, whose axes take that axis's place.
/// An index outside is moved to the nearest one inside.
public struct Gather: Primitive {
    public let axis: Int
    public var name: String { "gather" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        let (operand, indices) = (inputs[0], inputs[1])
        try require(operand.shape.indices.contains(axis), "axis \(axis) is not one of \(operand.shape)")
        try require(indices.dtype == .i32, "indices are i32, not \(indices.dtype.rawValue)")
        try require(operand.shape[axis] > 0, "there is nothing to gather from")
        var dimensions = operand.shape.dimensions
        dimensions.replaceSubrange(axis...axis, with: indices.shape.dimensions)
        return [TensorType(operand.dtype, Shape(dimensions))]
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] {
        let (operand, indices) = (site.inputs[0], site.inputs[1])
        // The forward clamps indices and a scatter drops those outside, so the same clamp comes first.
        let inside = minimum(maximum(indices, 0), Double(operand.shape[axis] - 1))
        return [Tensor.zeros(operand.type).scattering(site.cotangent, at: inside, axis: axis, .add), nil]
    }
}

/// Operand 0 with the slices of operand 2 combined in along `axis`, at the i32 indices of operand 1; an index outside is
/// dropped. Several updates of one place are all applied; with `replace` which one stays is not defined.
public struct Scatter: Primitive {
    public enum Combination: String, Sendable, CaseIterable { case add, replace, maximum, minimum }

    public let axis: Int
    public let combination: Combination
    public var name: String { "scatter" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        let (operand, indices, updates) = (inputs[0], inputs[1], inputs[2])
        try require(operand.shape.indices.contains(axis), "axis \(axis) is not one of \(operand.shape)")
        try require(indices.dtype == .i32, "indices are i32, not \(indices.dtype.rawValue)")
        var dimensions = operand.shape.dimensions
        dimensions.replaceSubrange(axis...axis, with: indices.shape.dimensions)
        try require(
            updates == TensorType(operand.dtype, Shape(dimensions)),
            "updates are \(updates), not \(TensorType(operand.dtype, Shape(dimensions)))")
        return [operand]
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] {
        let (operand, indices) = (site.inputs[0], site.inputs[1])
        let g = site.cotangent
        // Updates at dropped indices get nothing.
        var column = [Int](repeating: 1, count: site.inputs[2].rank)
        for offset in 0..<indices.rank { column[axis + offset] = indices.shape[offset] }
        let inside = (indices.isAtLeast(0) & indices.isLess(than: Double(operand.shape[axis])))
            .reshaped(Shape(column))
        func gathered(_ x: Tensor) -> Tensor {
            if operand.shape[axis] == 0 { return Tensor.zeros(TensorType(x.dtype, site.inputs[2].shape)) }
            return select(inside, x.gathering(indices, axis: axis), Tensor.scalar(0, x.dtype))
        }
        switch combination {
        case .add: return [g, nil, gathered(g)]
        case .replace:
            let zeros = Tensor.zeros(site.inputs[2].type)
            return [g.scattering(zeros, at: indices, axis: axis, .replace), nil, gathered(g)]
        case .maximum, .minimum:
            // Everyone who reached the extreme shares the cotangent equally.
            let wonUpdate = site.inputs[2].equals(gathered(site.output)).cast(to: g.dtype)
            let wonOperand = operand.equals(site.output).cast(to: g.dtype)
            let winners = wonOperand.scattering(wonUpdate, at: indices, axis: axis, .add)
            let share = g / winners
            return [share * wonOperand, nil, gathered(share) * wonUpdate]
        }
    }
}

extension Tensor {
    /// The block of extent `sizes` at `starts` (one i32 scalar per axis), moved inside where it overhangs.
    public func slice(
        at starts: [Tensor], sizes: [Int], file: StaticString = #fileID, line: UInt = #line
    ) -> Tensor {
        Tensor.apply(DynamicSlice(sizes: sizes), [self] + starts, file: file, line: line)[0]
    }

    /// This tensor with `update` written over the block at `starts` (one i32 scalar per axis).
    public func updating(
        _ update: Tensor, at starts: [Tensor], file: StaticString = #fileID, line: UInt = #line
    ) -> Tensor {
        Tensor.apply(DynamicUpdateSlice(), [self, update] + starts, file: file, line: line)[0]
    }

    /// Slices along `axis` at i32 `indices`, whose axes take that axis's place; indices outside are clamped.
    public func gathering(
        _ indices: Tensor, axis: Int = 0, file: StaticString = #fileID, line: UInt = #line
    ) -> Tensor {
        let axis = normalized(axis, rank: rank, file: file, line: line)
        return Tensor.apply1(Gather(axis: axis), self, indices, file: file, line: line)
    }

    /// For each place in `indices` (this shape but for `axis`), the element of that row at that index: NumPy's
    /// `take_along_axis`.
    public func takingAlong(
        _ indices: Tensor, axis: Int, file: StaticString = #fileID, line: UInt = #line
    ) -> Tensor {
        let axis = normalized(axis, rank: rank, file: file, line: line)
        precondition(
            indices.rank == rank && indices.shape.removing([axis]) == shape.removing([axis]),
            "indices \(indices.shape) do not follow \(shape) off axis \(axis)", file: file, line: line)
        if indices.shape.elementCount == 0 { return Tensor.zeros(TensorType(dtype, indices.shape)) }
        let inside = minimum(maximum(indices, 0), Double(shape[axis] - 1))
        return reshaped([shape.elementCount]).gathering(linear(inside, axis: axis))
    }

    private func linear(_ indices: Tensor, axis: Int) -> Tensor {
        let strides = shape.strides
        return indices.shape.indices.reduce(indices * Double(strides[axis])) { sum, other in
            other == axis ? sum : sum + Tensor.iota(indices.type, axis: other) * Double(strides[other])
        }
    }

    /// This tensor with `updates` combined in along `axis` at i32 `indices`; indices outside are dropped.
    public func scattering(
        _ updates: Tensor, at indices: Tensor, axis: Int = 0, _ combination: Scatter.Combination,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Tensor {
        let axis = normalized(axis, rank: rank, file: file, line: line)
        return Tensor.apply1(
            Scatter(axis: axis, combination: combination), self, indices, updates, file: file, line: line)
    }
}
