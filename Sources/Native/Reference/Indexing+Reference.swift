public import Tensor

extension DynamicSlice: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        let places = block(Shape(sizes), at: inputs.dropFirst(), of: inputs[0].shape)
        return [inputs[0].elements(at: places, shape: results[0].shape)]
    }
}

extension DynamicUpdateSlice: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        let places = block(inputs[1].shape, at: inputs.dropFirst(2), of: inputs[0].shape)
        return [inputs[0].replacing(elementsAt: places, with: inputs[1])]
    }
}

/// The places of a block at a position that is moved until the block lies inside.
private func block(_ sizes: Shape, at starts: ArraySlice<HostArray>, of shape: Shape) -> [Int] {
    var base = 0
    for (axis, start) in starts.enumerated() {
        base += Swift.max(0, Swift.min(start.positions[0], shape[axis] - sizes[axis])) * shape.strides[axis]
    }
    return offsets(sizes.dimensions, shape.strides, base: base)
}

extension Gather: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        let last = inputs[0].shape[axis] - 1
        let rows = inputs[1].positions.map { Swift.max(0, Swift.min($0, last)) }
        let slices = AxisSlices(inputs[0].shape, axis: axis)
        var places: [Int] = []
        places.reserveCapacity(results[0].shape.elementCount)
        for outer in 0..<slices.outerCount {
            for row in rows { places.append(contentsOf: slices.places(outer, row)) }
        }
        return [inputs[0].elements(at: places, shape: results[0].shape)]
    }
}

extension Scatter: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        let slices = AxisSlices(inputs[0].shape, axis: axis)
        let rows = inputs[1].positions
        // For each element of the updates in order: where it goes, if anywhere.
        var (sources, targets): ([Int], [Int]) = ([], [])
        for outer in 0..<slices.outerCount {
            for (number, row) in rows.enumerated() where row >= 0 && row < inputs[0].shape[axis] {
                let start = (outer * rows.count + number) * slices.innerCount
                sources.append(contentsOf: start..<start + slices.innerCount)
                targets.append(contentsOf: slices.places(outer, row))
            }
        }
        let updates = inputs[2].elements(at: sources, shape: [sources.count])
        if combination == .replace { return [inputs[0].replacing(elementsAt: targets, with: updates)] }
        switch inputs[0].dtype.element {
        case .floating: return [floating(inputs[0], updates, targets)]
        case .integer(let type): return [integer(inputs[0], updates, targets, type)]
        }
    }

    // In f64, so that several updates of one place round once, like other sums.
    private func floating(_ operand: HostArray, _ updates: HostArray, _ targets: [Int]) -> HostArray {
        let combine: (Double, Double) -> Double =
            switch combination {
            case .add: { $0 + $1 }
            case .maximum: { $1 > $0 || $1.isNaN ? $1 : $0 }
            case .minimum: { $1 < $0 || $1.isNaN ? $1 : $0 }
            case .replace: { $1 }
            }
        return Double.array(combined(operand.doubles, updates.doubles, targets, combine), operand.type)
    }

    private func integer<T: IntegerElement>(
        _ operand: HostArray, _ updates: HostArray, _ targets: [Int], _: T.Type
    ) -> HostArray {
        let combine: (T, T) -> T =
            switch combination {
            case .add: { $0 &+ $1 }
            case .maximum: { Swift.max($0, $1) }
            case .minimum: { Swift.min($0, $1) }
            case .replace: { $1 }
            }
        return T.array(combined(T.elements(of: operand), T.elements(of: updates), targets, combine), operand.type)
    }

    private func combined<T>(_ operand: [T], _ updates: [T], _ targets: [Int], _ combine: (T, T) -> T) -> [T] {
        var result = operand
        for (index, target) in targets.enumerated() { result[target] = combine(result[target], updates[index]) }
        return result
    }
}

/// An array as `[outer, axis, inner]`.
private struct AxisSlices {
    let outerCount: Int
    let extent: Int
    let innerCount: Int

    init(_ shape: Shape, axis: Int) {
        outerCount = shape.dimensions[..<axis].reduce(1, *)
        extent = shape[axis]
        innerCount = shape.dimensions[(axis + 1)...].reduce(1, *)
    }

    /// The places of one slice.
    func places(_ outer: Int, _ row: Int) -> Range<Int> {
        let start = (outer * extent + row) * innerCount
        return start..<start + innerCount
    }
}
