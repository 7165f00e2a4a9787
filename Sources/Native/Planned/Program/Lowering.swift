internal import Tensor

/// A value's memory and type.
typealias Located = (place: Place, type: TensorType)

/// The step for a primitive as it is.
///
/// - Throws: `PlanError.unsupported`.
func lowerPrimitive(_ primitive: any Primitive, operands: [Located], results: [Located]) throws -> any Step {
    let types = operands.map(\.type)
    if let kind = ElementwiseStep.kind(of: primitive, types) {
        let count = results[0].type.shape.elementCount
        return ElementwiseStep(
            kind, operands: operands.map { ElementOperand(place: $0.place, spread: .full(count)) },
            target: results[0].place, count: count)
    }
    if let step = movement(primitive, operands, results[0]) { return step }
    let isFloat = types.first?.dtype == .f32
    switch primitive {
    case let reduce as Reduce where isFloat || types[0].dtype == .bool:
        guard let lines = Lines(types[0].shape, axes: reduce.axes) else { break }
        return ReduceStep(kind: reduce.kind, lines: lines, source: operands[0].place, target: results[0].place)
    case let argmax as ArgMax where isFloat:
        guard let lines = Lines(types[0].shape, axes: [argmax.axis]) else { break }
        return ArgMaxStep(lines: lines, source: operands[0].place, target: results[0].place)
    case let gather as Gather:
        guard let lines = Lines(types[0].shape, axes: [gather.axis]) else { break }
        return GatherStep(
            lines: lines, width: types[0].dtype.byteCount, source: operands[0].place, indices: operands[1].place,
            indexCount: types[1].shape.elementCount, target: results[0].place)
    case let dot as Dot where isFloat:
        return DotStep(dot, types[0], types[1], places: (operands[0].place, operands[1].place, results[0].place))
    default: break
    }
    guard let reference = primitive as? any ReferencePrimitive else {
        throw PlanError.unsupported(primitive: primitive.name)
    }
    return ReferenceStep(primitive: reference, operands: operands, results: results)
}

/// The step for a primitive that only moves elements.
private func movement(_ primitive: any Primitive, _ operands: [Located], _ result: Located) -> CopyStep? {
    guard let operand = operands.first else { return nil }
    let (shape, target) = (operand.type.shape, result.type.shape)
    let width = operand.type.dtype.byteCount
    func copy(
        _ extents: [Int], _ sources: [Int], _ targets: [Int], from start: Int = 0, to end: Int = 0
    ) -> CopyStep {
        CopyStep(
            parts: [
                (
                    BlockCopy(width: width, extents: extents, sources: sources, targets: targets),
                    operand.place.offset(by: start * width), end * width
                )
            ], target: result.place)
    }
    switch primitive {
    case is Reshape, is StopGradient, is Bitcast:
        return copy(shape.dimensions, shape.strides, shape.strides)
    case let transpose as Transpose:
        return copy(target.dimensions, transpose.permutation.map { shape.strides[$0] }, target.strides)
    case let broadcast as Broadcast:
        var strides = [Int](repeating: 0, count: target.rank)
        for (axis, place) in broadcast.axes.enumerated() where shape[axis] == target[place] {
            strides[place] = shape.strides[axis]
        }
        return copy(target.dimensions, strides, target.strides)
    case let slice as Slice:
        let start = zip(slice.starts, shape.strides).reduce(0) { $0 + $1.0 * $1.1 }
        return copy(
            target.dimensions, zip(shape.strides, slice.strides).map { $0 * $1 }, target.strides, from: start)
    case let reverse as Reverse:
        var (strides, start) = (shape.strides, 0)
        for axis in Set(reverse.axes) {
            start += max(0, shape[axis] - 1) * strides[axis]
            strides[axis].negate()
        }
        return copy(shape.dimensions, strides, target.strides, from: start)
    case let pad as Pad where (pad.low + pad.high).allSatisfy({ $0 >= 0 }):
        let steps = zip(target.strides, pad.interior).map { $0 * ($1 + 1) }
        let end = zip(pad.low, target.strides).reduce(0) { $0 + $1.0 * $1.1 }
        var step = copy(shape.dimensions, shape.strides, steps, to: end)
        step.fill = (operands[1].place, width, target.elementCount)
        return step
    case let join as Concatenate:
        return CopyStep(
            parts: joinParts(join, operands, result, Array(operands.indices)), target: result.place)
    default: return nil
    }
}

/// The copies that put some operands of a concatenation in their places.
func joinParts(
    _ join: Concatenate, _ operands: [Located], _ result: Located, _ indices: [Int]
) -> [(copy: BlockCopy, source: Place, offset: Int)] {
    let width = result.type.dtype.byteCount
    var offset = 0
    var starts: [Int] = []
    for operand in operands {
        starts.append(offset)
        offset += operand.type.shape[join.axis] * result.type.shape.strides[join.axis] * width
    }
    return indices.map { index in
        let shape = operands[index].type.shape
        let copy = BlockCopy(
            width: width, extents: shape.dimensions, sources: shape.strides, targets: result.type.shape.strides)
        return (copy, operands[index].place, starts[index])
    }
}
