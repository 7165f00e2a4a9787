/// Combines all elements along some axes, which go.
public struct Reduce: Primitive {
    public enum Kind: String, Sendable, CaseIterable { case sum, product, maximum, minimum, all, any }

    public let kind: Kind
    public let axes: [Int]
    public var name: String { "reduce" + kind.rawValue.prefix(1).uppercased() + kind.rawValue.dropFirst() }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        let boolean = kind == .all || kind == .any
        try require((inputs[0].dtype == .bool) == boolean, "is not defined on \(inputs[0].dtype.rawValue)")
        try require(
            axes == Array(Set(axes)).sorted() && axes.allSatisfy(inputs[0].shape.indices.contains),
            "axes \(axes) are not distinct axes of the operand")
        return [TensorType(inputs[0].dtype, inputs[0].shape.removing(axes))]
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] {
        let x = site.inputs[0]
        func restored(_ y: Tensor) -> Tensor {
            let kept = x.shape.indices.filter { !axes.contains($0) }
            return Tensor.apply1(Broadcast(shape: x.shape, axes: kept), y)
        }
        switch kind {
        case .sum: return [restored(site.cotangent)]
        case .maximum, .minimum:
            // Ties share the cotangent equally.
            let winners = x.equals(restored(site.output)).cast(to: x.dtype)
            return [winners * restored(site.cotangent / winners.sum(axes: axes))]
        case .product: return [restored(site.cotangent) * productOfOthers(x)]
        case .all, .any: return [nil]
        }
    }

    /// For each element the product of all others, from both ends, so that a zero among them does no harm.
    private func productOfOthers(_ x: Tensor) -> Tensor {
        let kept = x.shape.indices.filter { !axes.contains($0) }
        let order = kept + axes
        let rows = x.transposed(order)
        let flat = rows.reshaped(Shape(kept.map { x.shape[$0] } + [axes.reduce(1) { $0 * x.shape[$1] }]))
        let last = flat.rank - 1
        let before = flat.padded(axis: last, low: 1, high: -1, value: 1).cumulativeProduct(axis: last)
        let after = flat.padded(axis: last, low: -1, high: 1, value: 1).reversed(axes: [last])
            .cumulativeProduct(axis: last).reversed(axes: [last])
        var inverse = order
        for (position, axis) in order.enumerated() { inverse[axis] = position }
        return (before * after).reshaped(rows.shape).transposed(inverse)
    }
}

/// The i32 position of the first largest element along an axis, which goes; NaN counts as larger than any number.
///
/// Not so on XLA, which compares with the maximum: where there is a NaN, the position is the last or that of some number.
public struct ArgMax: Primitive {
    public let axis: Int
    public var name: String { "argmax" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        try require(inputs[0].shape.indices.contains(axis), "axis \(axis) is not one of \(inputs[0].shape)")
        try require(inputs[0].dtype != .bool && inputs[0].shape[axis] > 0, "there is no largest element")
        return [TensorType(.i32, inputs[0].shape.removing([axis]))]
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] { [nil] }
}

/// All operands put in the order that sorts operand 0 along an axis; equal elements keep their order.
///
/// NaN, of either sign, is larger than any number and equal to NaN; -0 is equal to +0. Not so on XLA, whose order is IEEE 754's
/// total one: -NaN is smaller than any number, -0 smaller than +0, and NaNs of one sign are ordered by their bits.
public struct Sort: Primitive {
    public let axis: Int
    public let descending: Bool
    public var name: String { "sort" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        try require(inputs[0].shape.indices.contains(axis), "axis \(axis) is not one of \(inputs[0].shape)")
        try require(inputs.allSatisfy { $0.shape == inputs[0].shape }, "operands differ in shape")
        return inputs
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] {
        // Sorting positions along with the key gives the permutation; sorting that gives its inverse.
        let key = site.inputs[0]
        let positions = Tensor.iota(TensorType(.i32, key.shape), axis: axis)
        let order = Tensor.apply(self, [key, positions])[1]
        let inverse = Tensor.apply(Sort(axis: axis, descending: false), [order, positions])[1]
        return site.cotangents.map { $0?.takingAlong(inverse, axis: axis) }
    }
}

extension Tensor {
    private func reduce(_ kind: Reduce.Kind, _ axes: [Int]?, _ keep: Bool, _ file: StaticString, _ line: UInt) -> Tensor
    {
        let axes =
            axes.map { $0.map { normalized($0, rank: rank, file: file, line: line) }.sorted() } ?? Array(0..<rank)
        if axes.isEmpty { return self }
        let result = Tensor.apply1(Reduce(kind: kind, axes: axes), self, file: file, line: line)
        guard keep else { return result }
        var kept = shape
        for axis in axes { kept[axis] = 1 }
        return result.reshaped(kept)
    }

    /// The sum over `axes` (all, if none are named).
    public func sum(
        axes: [Int]? = nil, keepingAxes keep: Bool = false, file: StaticString = #fileID, line: UInt = #line
    ) -> Tensor { reduce(.sum, axes, keep, file, line) }
    public func product(
        axes: [Int]? = nil, keepingAxes keep: Bool = false, file: StaticString = #fileID, line: UInt = #line
    ) -> Tensor { reduce(.product, axes, keep, file, line) }
    public func max(
        axes: [Int]? = nil, keepingAxes keep: Bool = false, file: StaticString = #fileID, line: UInt = #line
    ) -> Tensor { reduce(.maximum, axes, keep, file, line) }
    public func min(
        axes: [Int]? = nil, keepingAxes keep: Bool = false, file: StaticString = #fileID, line: UInt = #line
    ) -> Tensor { reduce(.minimum, axes, keep, file, line) }
    /// Whether all elements are true.
    public func all(
        axes: [Int]? = nil, keepingAxes keep: Bool = false, file: StaticString = #fileID, line: UInt = #line
    ) -> Tensor { reduce(.all, axes, keep, file, line) }
    /// Whether any element is true.
    public func any(
        axes: [Int]? = nil, keepingAxes keep: Bool = false, file: StaticString = #fileID, line: UInt = #line
    ) -> Tensor { reduce(.any, axes, keep, file, line) }

    /// The arithmetic mean over `axes` (all, if none are named), of floating-point numbers.
    public func mean(
        axes: [Int]? = nil, keepingAxes keep: Bool = false, file: StaticString = #fileID, line: UInt = #line
    ) -> Tensor {
        precondition(dtype.isFloating, "the mean of \(dtype.rawValue) would be no integer", file: file, line: line)
        let total = sum(axes: axes, keepingAxes: keep, file: file, line: line)
        return total * (Double(total.shape.elementCount) / Double(Swift.max(1, shape.elementCount)))
    }

    /// `log(sum(exp(x)))` along an axis, without overflow.
    public func logSumExp(axis: Int, keepingAxis keep: Bool = false) -> Tensor {
        let highest = max(axes: [axis], keepingAxes: true).stoppingGradient
        // Where everything is -infinity the shift must not be, or the difference would be NaN.
        let shift = select(highest.isFinite(), highest, Tensor.zeros(highest.type))
        let result = (self - shift).exp().sum(axes: [axis], keepingAxes: true).log() + shift
        return keep ? result : result.squeezed(axis)
    }

    public func softmax(axis: Int = -1) -> Tensor {
        let weights = (self - max(axes: [axis], keepingAxes: true).stoppingGradient).exp()
        return weights / weights.sum(axes: [axis], keepingAxes: true)
    }

    public func logSoftmax(axis: Int = -1) -> Tensor { self - logSumExp(axis: axis, keepingAxis: true) }

    /// The i32 position of the first largest element along an axis, which goes.
    public func argmax(axis: Int, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        let axis = normalized(axis, rank: rank, file: file, line: line)
        return Tensor.apply1(ArgMax(axis: axis), self, file: file, line: line)
    }

    /// The i32 position of the first smallest element along an axis, which goes.
    public func argmin(axis: Int, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        // Of integers the complement turns the order around; negation would leave the lowest where it is.
        (dtype.isFloating ? -self : !self).argmax(axis: axis, file: file, line: line)
    }

    /// The elements in order along an axis, and the i32 position each came from; equal elements keep their order.
    public func sorted(
        axis: Int = -1, descending: Bool = false, file: StaticString = #fileID, line: UInt = #line
    ) -> (values: Tensor, indices: Tensor) {
        let axis = normalized(axis, rank: rank, file: file, line: line)
        let positions = Tensor.iota(TensorType(.i32, shape), axis: axis)
        let sorted = Tensor.apply(Sort(axis: axis, descending: descending), [self, positions], file: file, line: line)
        return (sorted[0], sorted[1])
    }

    /// The `count` largest elements along the last axis, largest first, and their i32 positions.
    public func top(
        _ count: Int, file: StaticString = #fileID, line: UInt = #line
    ) -> (values: Tensor, indices: Tensor) {
        let all = sorted(axis: -1, descending: true, file: file, line: line)
        return (all.values.slice(-1, 0, count), all.indices.slice(-1, 0, count))
    }

    /// The sum of an element and all before it along an axis.
    public func cumulativeSum(axis: Int) -> Tensor { cumulative(axis: axis, identity: 0, +) }
    /// The product of an element and all before it along an axis.
    public func cumulativeProduct(axis: Int) -> Tensor { cumulative(axis: axis, identity: 1, *) }
    /// The largest of an element and all before it along an axis.
    public func cumulativeMaximum(axis: Int) -> Tensor {
        cumulative(axis: axis, identity: dtype.isFloating ? -Double.infinity : dtype.lowest) { maximum($0, $1) }
    }

    /// Running combination by doubling distances (Hillis and Steele, 1986): log2(n) shifted whole-array steps, which
    /// backends do far better than n dependent ones.
    private func cumulative(axis: Int, identity: Double, _ combine: (Tensor, Tensor) -> Tensor) -> Tensor {
        let axis = normalized(axis, rank: rank)
        var result = self
        var distance = 1
        while distance < shape[axis] {
            result = combine(result, result.padded(axis: axis, low: distance, high: -distance, value: identity))
            distance *= 2
        }
        return result
    }
}

extension DType {
    /// The lowest value of an integer type, as far as a `Double` can say it.
    var lowest: Double {
        switch self {
        case .i64: -0x1p63
        case .i32: -0x1p31
        case .i16: -0x1p15
        case .i8: -0x1p7
        default: 0
        }
    }
}
