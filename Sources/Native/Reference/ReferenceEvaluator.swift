public import Tensor

/// Runs graphs on the CPU in plain Swift: slow, simple, and what every other backend is compared with.
///
/// Precision: f64 and f32 elements are computed in their own precision, each operation rounding to it; bf16 and f16 are
/// computed in f32 and rounded. Sums (reductions, dot products, convolutions, Fourier transforms) accumulate in f64 for
/// every floating type and round once at the end. Integers wrap around.
public struct ReferenceEvaluator: Sendable {
    public init() {}

    /// The values of `graph.outputs` for these values of `graph.inputs`.
    public func callAsFunction(_ graph: Graph, _ inputs: [HostArray]) throws(EvaluationError) -> [HostArray] {
        try ReferenceProgram(graph)(inputs)
    }
}

/// A graph laid out for running: its nodes in order, operands by slot, and when each slot is no longer read.
///
/// A loop lays its body out once and runs it many times.
struct ReferenceProgram {
    private struct Step {
        let primitive: any ReferencePrimitive
        let operands: [Int]
        let results: [TensorType]
        let firstResult: Int
        var released: [Int] = []
    }

    private let inputTypes: [TensorType]
    private let outputSlots: [Int]
    private var steps: [Step] = []
    private var slotCount: Int

    init(_ graph: Graph) throws(EvaluationError) {
        inputTypes = graph.inputs.map(\.type)
        slotCount = graph.inputs.count
        var given: [Tensor.Key: Int] = [:]
        for (slot, input) in graph.inputs.enumerated() { given[input.key] = slot }
        var firstResults: [UInt64: Int] = [:]
        // An output of a node that is also a graph input has the value it is given.
        func slot(_ tensor: Tensor) -> Int { given[tensor.key] ?? firstResults[tensor.node.id]! + tensor.index }
        for node in graph.nodes {
            if let input = node.primitive as? Input { throw .freeInput(label: input.label, type: input.type) }
            guard let primitive = node.primitive as? any ReferencePrimitive else {
                throw .unsupported(primitive: node.primitive.name)
            }
            steps.append(
                Step(
                    primitive: primitive, operands: node.inputs.map(slot), results: node.outputs,
                    firstResult: slotCount))
            firstResults[node.id] = slotCount
            slotCount += node.outputs.count
        }
        outputSlots = graph.outputs.map(slot)
        planReleases()
    }

    /// Lets go of every value after the last step that reads it, so that memory follows the live set.
    private mutating func planReleases() {
        var isRead = [Bool](repeating: false, count: slotCount)
        for slot in outputSlots { isRead[slot] = true }
        for index in steps.indices.reversed() {
            let step = steps[index]
            let touched = step.operands + step.results.indices.map { step.firstResult + $0 }
            for slot in touched where !isRead[slot] {
                isRead[slot] = true
                steps[index].released.append(slot)
            }
        }
    }

    func callAsFunction(_ inputs: [HostArray]) throws(EvaluationError) -> [HostArray] {
        guard inputs.count == inputTypes.count else {
            throw .inputCount(expected: inputTypes.count, given: inputs.count)
        }
        for (index, type) in inputTypes.enumerated() where inputs[index].type != type {
            throw .inputType(index: index, expected: type, given: inputs[index].type)
        }
        var values: [HostArray?] = inputs
        values.append(contentsOf: repeatElement(nil, count: slotCount - inputs.count))
        for step in steps {
            let results = try step.primitive.evaluate(step.operands.map { values[$0]! }, results: step.results)
            precondition(
                results.map(\.type) == step.results,
                "\(step.primitive.name) gave \(results.map(\.type)) for \(step.results)")
            for (index, result) in results.enumerated() { values[step.firstResult + index] = result }
            for slot in step.released { values[slot] = nil }
        }
        return outputSlots.map { values[$0]! }
    }
}
