/// Sums of products over the contracted axes, for each pair of positions on the batch axes.
///
/// The result's axes are the batch axes, then the free axes of the left, then those of the right.
public struct Dot: Primitive {
    public let batchAxes: (left: [Int], right: [Int])
    public let contractedAxes: (left: [Int], right: [Int])
    public var name: String { "dot" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        let (left, right) = (inputs[0], inputs[1])
        try require(left.dtype == right.dtype && left.dtype != .bool, "operands differ in type")
        for (pairs, what) in [(batchAxes, "batch"), (contractedAxes, "contracted")] {
            try require(pairs.left.count == pairs.right.count, "the \(what) axes do not pair up")
            for (l, r) in zip(pairs.left, pairs.right) {
                try require(
                    left.shape.indices.contains(l) && right.shape.indices.contains(r)
                        && left.shape[l] == right.shape[r], "\(what) axes \(l) and \(r) differ")
            }
        }
        for axes in [batchAxes.left + contractedAxes.left, batchAxes.right + contractedAxes.right] {
            try require(Set(axes).count == axes.count, "axes \(axes) name one twice")
        }
        let batch = batchAxes.left.map { left.shape[$0] }
        let free =
            freeAxes(left.shape, batchAxes.left + contractedAxes.left).map { left.shape[$0] }
            + freeAxes(right.shape, batchAxes.right + contractedAxes.right).map { right.shape[$0] }
        return [TensorType(left.dtype, Shape(batch + free))]
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] {
        let (left, right) = (site.inputs[0], site.inputs[1])
        let batchCount = batchAxes.left.count
        let leftFree = freeAxes(left.shape, batchAxes.left + contractedAxes.left)
        let rightFree = freeAxes(right.shape, batchAxes.right + contractedAxes.right)
        let resultBatch = Array(0..<batchCount)
        let resultLeft = (0..<leftFree.count).map { batchCount + $0 }
        let resultRight = (0..<rightFree.count).map { batchCount + leftFree.count + $0 }

        func product(
            _ other: Tensor, _ otherBatch: [Int], _ otherFree: [Int], _ resultFree: [Int],
            _ axes: (batch: [Int], free: [Int], contracted: [Int]), contractedOfOther: [Int]
        ) -> Tensor {
            let dot = Tensor.apply1(
                Dot(batchAxes: (resultBatch, otherBatch), contractedAxes: (resultFree, otherFree)), site.cotangent,
                other)
            // The product's axes: batch, this operand's free axes, then the other's contracted axes in ascending order.
            let ascending = contractedOfOther.sorted()
            let contracted = ascending.map { axis in axes.contracted[contractedOfOther.firstIndex(of: axis)!] }
            let order = axes.batch + axes.free + contracted
            var permutation = order
            for (position, axis) in order.enumerated() { permutation[axis] = position }
            return dot.transposed(permutation)
        }
        return [
            product(
                right, batchAxes.right, rightFree, resultRight, (batchAxes.left, leftFree, contractedAxes.left),
                contractedOfOther: contractedAxes.right),
            product(
                left, batchAxes.left, leftFree, resultLeft, (batchAxes.right, rightFree, contractedAxes.right),
                contractedOfOther: contractedAxes.left),
        ]
    }

    private func freeAxes(_ shape: Shape, _ used: [Int]) -> [Int] { shape.indices.filter { !used.contains($0) } }
}

/// Sums of products over paired axes; the result's axes are the batch axes, the left's free axes, the right's.
public func dot(
    _ left: Tensor, _ right: Tensor, contracting: (left: [Int], right: [Int]),
    batching: (left: [Int], right: [Int]) = ([], []), file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
    Tensor.apply1(Dot(batchAxes: batching, contractedAxes: contracting), left, right, file: file, line: line)
}

/// The matrix product of the last two axes, with equal leading axes as batch; a matrix on the right serves every batch.
public func matmul(
    _ left: Tensor, _ right: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
    precondition(
        left.rank >= 2 && (right.rank == 2 || right.rank == left.rank),
        "matmul of \(left.shape) and \(right.shape)", file: file, line: line)
    let batch = right.rank == 2 ? [] : Array(0..<(left.rank - 2))
    return dot(
        left, right, contracting: ([left.rank - 1], [right.rank - 2]), batching: (batch, batch), file: file, line: line)
}
