extension Tensor {
    /// The same elements under another shape; one extent may be -1 and is then worked out.
    public func reshaped(_ shape: Shape, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        var target = shape
        if let open = shape.firstIndex(of: -1) {
            let known = shape.reduce(1) { $1 == -1 ? $0 : $0 * $1 }
            precondition(
                known > 0 && self.shape.elementCount % known == 0, "\(self.shape) does not reshape to \(shape)",
                file: file, line: line)
            target[open] = self.shape.elementCount / known
        }
        return target == self.shape ? self : Tensor.apply1(Reshape(shape: target), self, file: file, line: line)
    }

    /// Axes in another order: result axis `i` is this axis `permutation[i]`.
    public func transposed(_ permutation: [Int], file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        permutation == Array(0..<rank)
            ? self : Tensor.apply1(Transpose(permutation: permutation), self, file: file, line: line)
    }

    /// The last two axes exchanged.
    public var transposed: Tensor {
        var order = Array(0..<rank)
        order.swapAt(rank - 1, rank - 2)
        return transposed(order)
    }

    /// Repeated to `shape` by NumPy's rules.
    public func broadcast(to shape: Shape, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        if shape == self.shape { return self }
        // A constant is made in its final shape, so that graphs stay small.
        if let full = node.primitive as? Full, broadcastShape(self.shape, shape, file, line) == shape {
            return Tensor.full(full.value, TensorType(dtype, shape))
        }
        let axes = Array((shape.rank - rank)..<shape.rank)
        return Tensor.apply1(Broadcast(shape: shape, axes: axes), self, file: file, line: line)
    }

    /// A new axis of extent 1.
    public func expanded(at axis: Int) -> Tensor {
        var dimensions = shape.dimensions
        dimensions.insert(1, at: axis < 0 ? axis + rank + 1 : axis)
        return reshaped(Shape(dimensions))
    }

    /// An axis of extent 1 taken away.
    public func squeezed(_ axis: Int, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        let axis = normalized(axis, rank: rank, file: file, line: line)
        precondition(shape[axis] == 1, "axis \(axis) of \(shape) is not 1", file: file, line: line)
        return reshaped(shape.removing([axis]))
    }

    /// Elements `start ..< end` of one axis; negative bounds count from the end.
    public func slice(
        _ axis: Int, _ start: Int, _ end: Int, file: StaticString = #fileID, line: UInt = #line
    ) -> Tensor {
        let axis = normalized(axis, rank: rank, file: file, line: line)
        var starts = [Int](repeating: 0, count: rank)
        var limits = shape.dimensions
        starts[axis] = start < 0 ? start + shape[axis] : start
        limits[axis] = end < 0 ? end + shape[axis] : end
        if starts[axis] == 0 && limits[axis] == shape[axis] { return self }
        return Tensor.apply1(
            Slice(starts: starts, limits: limits, strides: starts.map { _ in 1 }), self, file: file, line: line)
    }

    /// Element `index` of one axis, which goes.
    public func at(_ index: Int, axis: Int = 0, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        let axis = normalized(axis, rank: rank, file: file, line: line)
        let index = index < 0 ? index + shape[axis] : index
        return slice(axis, index, index + 1, file: file, line: line).squeezed(axis)
    }

    /// Every `strides[i]`th element of each axis.
    public func strided(by strides: [Int], file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        if strides.allSatisfy({ $0 == 1 }) { return self }
        return Tensor.apply1(
            Slice(starts: strides.map { _ in 0 }, limits: shape.dimensions, strides: strides), self, file: file,
            line: line)
    }

    /// `value` before, after and between the elements of each axis; negative edges crop.
    public func padded(
        low: [Int], high: [Int], interior: [Int]? = nil, value: Double = 0, file: StaticString = #fileID,
        line: UInt = #line
    ) -> Tensor {
        let interior = interior ?? low.map { _ in 0 }
        if (low + high + interior).allSatisfy({ $0 == 0 }) { return self }
        return Tensor.apply1(
            Pad(low: low, high: high, interior: interior), self, Tensor.scalar(value, dtype), file: file, line: line)
    }

    /// `value` before and after the elements of one axis; negative edges crop.
    public func padded(axis: Int, low: Int, high: Int, value: Double = 0) -> Tensor {
        let axis = normalized(axis, rank: rank)
        let zeros = [Int](repeating: 0, count: rank)
        var (lows, highs) = (zeros, zeros)
        lows[axis] = low
        highs[axis] = high
        return padded(low: lows, high: highs, value: value)
    }

    public func reversed(axes: [Int], file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        axes.isEmpty ? self : Tensor.apply1(Reverse(axes: axes), self, file: file, line: line)
    }

    /// `count` pieces of equal extent along one axis.
    public func split(_ count: Int, axis: Int, file: StaticString = #fileID, line: UInt = #line) -> [Tensor] {
        let axis = normalized(axis, rank: rank, file: file, line: line)
        precondition(shape[axis] % count == 0, "\(shape) does not split in \(count)", file: file, line: line)
        let width = shape[axis] / count
        return (0..<count).map { slice(axis, $0 * width, ($0 + 1) * width, file: file, line: line) }
    }
}

/// The tensors one after another along an axis.
public func concatenate(
    _ tensors: [Tensor], axis: Int, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
    precondition(!tensors.isEmpty, "there is nothing to concatenate", file: file, line: line)
    let axis = normalized(axis, rank: tensors[0].rank, file: file, line: line)
    return tensors.count == 1
        ? tensors[0] : Tensor.apply(Concatenate(axis: axis), tensors, file: file, line: line)[0]
}

/// The tensors along a new axis.
public func stack(_ tensors: [Tensor], axis: Int = 0, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    concatenate(
        tensors.map { $0.expanded(at: axis) }, axis: axis, file: file, line: line)
}
