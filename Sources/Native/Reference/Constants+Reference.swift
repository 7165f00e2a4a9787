public import Tensor

extension Constant: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        [value]
    }
}

extension Full: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        [HostArray([value], as: type.dtype, shape: []).repeated(type.shape)]
    }
}

extension Iota: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        var strides = [Int](repeating: 0, count: type.shape.rank)
        strides[axis] = 1
        let counted = HostArray((0..<type.shape[axis]).map { Double($0) }, as: type.dtype, shape: [type.shape[axis]])
        return [counted.elements(at: offsets(type.shape.dimensions, strides), shape: type.shape)]
    }
}
