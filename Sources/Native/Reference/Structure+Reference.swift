public import Tensor

extension Reshape: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        [inputs[0].reshaped(shape)]
    }
}

extension Transpose: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        let strides = inputs[0].shape.strides
        let places = offsets(results[0].shape.dimensions, permutation.map { strides[$0] })
        return [inputs[0].elements(at: places, shape: results[0].shape)]
    }
}

extension Broadcast: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        let operand = inputs[0].shape
        var strides = [Int](repeating: 0, count: shape.rank)
        for (axis, target) in axes.enumerated() where operand[axis] == shape[target] {
            strides[target] = operand.strides[axis]
        }
        return [inputs[0].elements(at: offsets(shape.dimensions, strides), shape: shape)]
    }
}

extension Slice: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        let steps = inputs[0].shape.strides
        let places = offsets(
            results[0].shape.dimensions, zip(steps, strides).map { $0 * $1 },
            base: zip(steps, starts).reduce(0) { $0 + $1.0 * $1.1 })
        return [inputs[0].elements(at: places, shape: results[0].shape)]
    }
}

extension Pad: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        let (source, target) = (inputs[0].shape, results[0].shape)
        var (extents, firstKept, firstPlace) = (source.dimensions, 0, 0)
        for axis in source.indices {
            // Element i lands at low + i·step, and stays where that is inside the result.
            let step = interior[axis] + 1
            let first = low[axis] >= 0 ? 0 : (-low[axis] + step - 1) / step
            let room = target[axis] - 1 - low[axis]
            let last = room < 0 ? -1 : Swift.min(source[axis] - 1, room / step)
            extents[axis] = Swift.max(0, last - first + 1)
            firstKept += first * source.strides[axis]
            firstPlace += (low[axis] + first * step) * target.strides[axis]
        }
        let kept = offsets(extents, source.strides, base: firstKept)
        let places = offsets(extents, target.indices.map { target.strides[$0] * (interior[$0] + 1) }, base: firstPlace)
        return [
            inputs[1].repeated(target)
                .replacing(elementsAt: places, with: inputs[0].elements(at: kept, shape: [kept.count]))
        ]
    }
}

extension Concatenate: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        // Each index before the axis holds one contiguous run of every operand.
        let runCount = results[0].shape.dimensions[..<axis].reduce(1, *)
        let runLengths = inputs.map { runCount == 0 ? 0 : $0.bytes.count / runCount }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(results[0].byteCount)
        for run in 0..<runCount {
            for (input, length) in zip(inputs, runLengths) {
                bytes.append(contentsOf: input.bytes[run * length..<(run + 1) * length])
            }
        }
        return [HostArray(type: results[0], bytes: bytes)]
    }
}

extension Reverse: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        let shape = inputs[0].shape
        var (strides, base) = (shape.strides, 0)
        for axis in Set(axes) {
            base += (shape[axis] - 1) * strides[axis]
            strides[axis].negate()
        }
        return [inputs[0].elements(at: offsets(shape.dimensions, strides, base: base), shape: shape)]
    }
}
