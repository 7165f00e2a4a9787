public import Tensor

extension Dot: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        [product(inputs[0], inputs[1], results[0], results[0].dtype.accumulator)]
    }

    private func product<A: Accumulator>(
        _ left: HostArray, _ right: HostArray, _ result: TensorType, _: A.Type
    ) -> HostArray {
        let depth = contractedAxes.left.reduce(1) { $0 * left.shape[$1] }
        let batch = batchAxes.left.reduce(1) { $0 * left.shape[$1] }
        // Packed as [batch, free, contracted], so that every inner product runs over neighbours.
        let x = A.terms(of: packed(left, batchAxes.left, contractedAxes.left))
        let y = A.terms(of: packed(right, batchAxes.right, contractedAxes.right))
        var sums = [A](repeating: A.zero, count: result.shape.elementCount)
        guard !sums.isEmpty, depth > 0 else { return A.rounded(sums, result) }
        let (rows, columns) = (x.count / (batch * depth), y.count / (batch * depth))
        x.withUnsafeBufferPointer { x in
            y.withUnsafeBufferPointer { y in
                var place = 0
                for index in 0..<batch {
                    for row in 0..<rows {
                        let left = x.baseAddress! + (index * rows + row) * depth
                        for column in 0..<columns {
                            A.accumulate(
                                into: &sums[place], left, y.baseAddress! + (index * columns + column) * depth,
                                count: depth)
                            place += 1
                        }
                    }
                }
            }
        }
        return A.rounded(sums, result)
    }

    private func packed(_ x: HostArray, _ batch: [Int], _ contracted: [Int]) -> HostArray {
        let order = batch + x.shape.indices.filter { !batch.contains($0) && !contracted.contains($0) } + contracted
        return x.transposed(order)
    }
}

extension HostArray {
    /// Axes in another order: result axis `i` is this axis `order[i]`.
    func transposed(_ order: [Int]) -> HostArray {
        if order == Array(shape.indices) { return self }
        let strides = shape.strides
        let result = Shape(order.map { shape[$0] })
        return elements(at: offsets(result.dimensions, order.map { strides[$0] }), shape: result)
    }
}
