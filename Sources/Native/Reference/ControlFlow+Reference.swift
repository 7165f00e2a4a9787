public import Tensor

extension Call: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        try ReferenceProgram(graph)(inputs)
    }
}

extension Conditional: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        try ReferenceProgram(inputs[0].isTrue ? whenTrue : whenFalse)(Array(inputs.dropFirst()))
    }
}

extension While: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        let (condition, body) = (try ReferenceProgram(condition), try ReferenceProgram(body))
        var state = Array(inputs.prefix(stateCount))
        let captured = Array(inputs.dropFirst(stateCount))
        while try condition(state + captured)[0].isTrue { state = try body(state + captured) }
        return state
    }
}

extension Scan: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        let program = try ReferenceProgram(body)
        var carry = Array(inputs.prefix(carryCount))
        let sliced = inputs.dropFirst(carryCount).prefix(slicedCount)
        let captured = inputs.dropFirst(carryCount + slicedCount)
        // Results of each step, then the carry each step began with: both stacked at their slice's place.
        let stackedTypes = results.dropFirst(carryCount)
        var stacked = stackedTypes.map { [UInt8](repeating: 0, count: $0.byteCount) }
        for step in reversed ? (0..<length).reversed() : Array(0..<length) {
            let outputs = try program(carry + sliced.map { $0.slice(step) } + captured)
            for (index, value) in (outputs.dropFirst(carryCount) + carry).enumerated() {
                let start = step * value.bytes.count
                stacked[index].replaceSubrange(start..<start + value.bytes.count, with: value.bytes)
            }
            carry = Array(outputs.prefix(carryCount))
        }
        return carry + zip(stackedTypes, stacked).map { HostArray(type: $0, bytes: $1) }
    }
}

extension HostArray {
    fileprivate var isTrue: Bool { bytes[0] != 0 }
}
