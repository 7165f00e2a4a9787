public import Tensor

extension Convolution: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        // Channels innermost, [batch, space…, features] and [outputs, space…, inputs], so that the sum over channels
        // runs over neighbours.
        let x = inputs[0].transposed([layout.operand[0]] + layout.operand.dropFirst(2) + [layout.operand[1]])
        let w = inputs[1].transposed([layout.kernel[0]] + layout.kernel.dropFirst(2) + [layout.kernel[1]])
        let roles = [layout.result[0]] + layout.result.dropFirst(2) + [layout.result[1]]
        let packed = TensorType(results[0].dtype, Shape(roles.map { results[0].shape[$0] }))
        let y = convolved(x, w, packed, results[0].dtype.accumulator)
        var order = roles
        for (position, axis) in roles.enumerated() { order[axis] = position }
        return [y.transposed(order)]
    }

    private func convolved<A: Accumulator>(
        _ operand: HostArray, _ kernel: HostArray, _ result: TensorType, _: A.Type
    ) -> HostArray {
        let (x, w) = (A.terms(of: operand), A.terms(of: kernel))
        var sums = [A](repeating: A.zero, count: result.shape.elementCount)
        guard !sums.isEmpty, !x.isEmpty, !w.isEmpty else { return A.rounded(sums, result) }

        let spatialRank = strides.count
        let operandSpace = Array(operand.shape.dropFirst().prefix(spatialRank))
        let kernelSpace = Array(kernel.shape.dropFirst().prefix(spatialRank))
        let resultSpace = Array(result.shape.dropFirst().prefix(spatialRank))
        let (features, groupFeatures) = (operand.shape[spatialRank + 1], kernel.shape[spatialRank + 1])
        let (batch, outputs) = (result.shape[0], kernel.shape[0])
        let operandPositions = operandSpace.reduce(1, *)
        let taps = kernelSpace.reduce(1, *)
        let resultPositions = resultSpace.reduce(1, *)
        // For each position of the result and each tap of the kernel: the position read, or -1 in the padding.
        let reads = positionsRead(resultSpace, kernelSpace, operandSpace)

        x.withUnsafeBufferPointer { x in
            w.withUnsafeBufferPointer { w in
                var place = 0
                for clip in 0..<batch {
                    for position in 0..<resultPositions {
                        for output in 0..<outputs {
                            let firstFeature = output / (outputs / featureGroups) * groupFeatures
                            let source = output / (outputs / batchGroups) * batch + clip
                            let row = x.baseAddress! + source * operandPositions * features + firstFeature
                            let weights = w.baseAddress! + output * taps * groupFeatures
                            for tap in 0..<taps {
                                let read = reads[position * taps + tap]
                                guard read >= 0 else { continue }
                                A.accumulate(
                                    into: &sums[place], row + read * features, weights + tap * groupFeatures,
                                    count: groupFeatures)
                            }
                            place += 1
                        }
                    }
                }
            }
        }
        return A.rounded(sums, result)
    }

    private func positionsRead(_ results: [Int], _ kernel: [Int], _ operand: [Int]) -> [Int] {
        let operandStrides = Shape(operand).strides
        let (resultStrides, kernelStrides) = (Shape(results).strides, Shape(kernel).strides)
        let (resultCount, taps) = (results.reduce(1, *), kernel.reduce(1, *))
        var reads = [Int](repeating: 0, count: resultCount * taps)
        for axis in operand.indices {
            for position in 0..<resultCount {
                let start = position / resultStrides[axis] % results[axis] * strides[axis] - padding[axis].low
                for tap in 0..<taps where reads[position * taps + tap] >= 0 {
                    let dilated = start + tap / kernelStrides[axis] % kernel[axis] * kernelDilation[axis]
                    // Between the elements of a dilated operand there are zeros.
                    let isThere =
                        dilated >= 0 && dilated % operandDilation[axis] == 0
                        && dilated / operandDilation[axis] < operand[axis]
                    if isThere {
                        reads[position * taps + tap] += dilated / operandDilation[axis] * operandStrides[axis]
                    } else {
                        reads[position * taps + tap] = -1
                    }
                }
            }
        }
        return reads
    }
}
