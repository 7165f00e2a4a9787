public import Tensor

extension Reduce: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        let x = inputs[0]
        let kept = x.shape.indices.filter { !axes.contains($0) }
        let strides = x.shape.strides
        let rows = offsets(kept.map { x.shape[$0] }, kept.map { strides[$0] })
        let columns = offsets(axes.map { x.shape[$0] }, axes.map { strides[$0] })
        switch x.dtype.element {
        case .floating: return [HostArray(floating(x.doubles, rows, columns), as: x.dtype, shape: results[0].shape)]
        case .integer(let type): return [integer(x, rows, columns, results[0], type)]
        }
    }

    // In f64, which holds every floating type's elements exactly.
    private func floating(_ x: [Double], _ rows: [Int], _ columns: [Int]) -> [Double] {
        switch kind {
        case .sum: folded(x, rows, columns, 0) { $0 + $1 }
        case .product: folded(x, rows, columns, 1) { $0 * $1 }
        case .maximum: folded(x, rows, columns, -.infinity) { $1 > $0 || $1.isNaN ? $1 : $0 }
        case .minimum: folded(x, rows, columns, .infinity) { $1 < $0 || $1.isNaN ? $1 : $0 }
        case .all, .any: preconditionFailure("\(name) is not defined on floating values")
        }
    }

    private func integer<T: IntegerElement>(
        _ x: HostArray, _ rows: [Int], _ columns: [Int], _ result: TensorType, _: T.Type
    ) -> HostArray {
        let x = T.elements(of: x)
        let values: [T] =
            switch kind {
            case .sum: folded(x, rows, columns, 0) { $0 &+ $1 }
            case .product: folded(x, rows, columns, 1) { $0 &* $1 }
            case .maximum: folded(x, rows, columns, .min) { Swift.max($0, $1) }
            case .minimum: folded(x, rows, columns, .max) { Swift.min($0, $1) }
            case .all: folded(x, rows, columns, 1) { $0 & $1 }
            case .any: folded(x, rows, columns, 0) { $0 | $1 }
            }
        return T.array(values, result)
    }
}

/// For each row, the combination of the elements at that row's place plus each column's.
private func folded<T>(
    _ x: [T], _ rows: [Int], _ columns: [Int], _ initial: T, _ combine: (T, T) -> T
) -> [T] {
    rows.map { row in columns.reduce(initial) { combine($0, x[row + $1]) } }
}

extension ArgMax: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        [largest(inputs[0], results[0].shape, inputs[0].dtype.element.any)]
    }

    private func largest<T: ReferenceElement>(_ array: HostArray, _ shape: Shape, _: T.Type) -> HostArray {
        let x = T.elements(of: array)
        let rows = Rows(array.shape, axis: axis)
        let winners = rows.starts.map { start -> Int32 in
            var winner = 0
            for index in 1..<Swift.max(1, rows.length)
            where precedes(x[start + winner * rows.stride], x[start + index * rows.stride]) { winner = index }
            return Int32(winner)
        }
        return HostArray(winners, shape: shape)
    }
}

extension Sort: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        let places = order(inputs[0], inputs[0].dtype.element.any)
        return inputs.map { $0.elements(at: places, shape: $0.shape) }
    }

    /// For each place, the place its element comes from.
    private func order<T: ReferenceElement>(_ keys: HostArray, _: T.Type) -> [Int] {
        let x = T.elements(of: keys)
        let rows = Rows(keys.shape, axis: axis)
        var places = [Int](repeating: 0, count: x.count)
        for start in rows.starts {
            let order = (0..<rows.length).sorted { first, second in
                let (a, b) = (x[start + first * rows.stride], x[start + second * rows.stride])
                if descending ? precedes(b, a) : precedes(a, b) { return true }
                if descending ? precedes(a, b) : precedes(b, a) { return false }
                return first < second
            }
            for (index, source) in order.enumerated() {
                places[start + index * rows.stride] = start + source * rows.stride
            }
        }
        return places
    }
}

/// The order of sorting and of the largest element: ascending, with every NaN after the numbers, and -0 equal to +0.
private func precedes<T: ReferenceElement>(_ a: T, _ b: T) -> Bool {
    // Only NaN differs from itself.
    a < b || (b != b && a == a)
}

/// The lines of elements along one axis.
private struct Rows {
    let starts: [Int]
    let length: Int
    let stride: Int

    init(_ shape: Shape, axis: Int) {
        let others = shape.indices.filter { $0 != axis }
        starts = offsets(others.map { shape[$0] }, others.map { shape.strides[$0] })
        length = shape[axis]
        stride = shape.strides[axis]
    }
}
