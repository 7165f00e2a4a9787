/// A function of tensors: what `outputs` compute when `inputs` are given.
///
/// The inputs may be any tensors, also ones in the middle of a larger graph; what lies above them is cut off.
public struct Graph: Sendable {
    public let inputs: [Tensor]
    public let outputs: [Tensor]

    public init(inputs: [Tensor], outputs: [Tensor]) {
        self.inputs = inputs
        self.outputs = outputs
    }

    /// Traces `body` on fresh inputs of the given types.
    public init(_ types: [TensorType], _ body: ([Tensor]) -> [Tensor]) {
        let inputs = types.enumerated().map { Tensor.input($1, name: "argument\($0)") }
        self.init(inputs: inputs, outputs: body(inputs))
    }

    /// The nodes between inputs and outputs, every node after those it reads.
    ///
    /// The order follows from the graph's structure alone, not from when its nodes were made, so the same model always gives
    /// the same program, which compile caches rely on.
    public var nodes: [Node] {
        let cut = Set(inputs.map(\.key))
        var seen = Set<UInt64>()
        var ordered: [Node] = []
        // Depth first without recursion, which a long chain would take too deep: a node comes up a second time when
        // everything it reads has been placed.
        var pending: [(node: Node, isReady: Bool)] = outputs.reversed().filter { !cut.contains($0.key) }
            .map { ($0.node, false) }
        while let (node, isReady) = pending.popLast() {
            if isReady {
                ordered.append(node)
            } else if seen.insert(node.id).inserted {
                pending.append((node, true))
                for input in node.inputs.reversed() where !cut.contains(input.key) && !seen.contains(input.node.id) {
                    pending.append((input.node, false))
                }
            }
        }
        return ordered
    }

    /// Inputs that the outputs need and that `inputs` does not list.
    public var freeInputs: [Tensor] {
        nodes.filter { $0.primitive is Input }.map { Tensor(node: $0) }
    }

    /// Rebuilds the computation on other tensors in place of the inputs.
    public func callAsFunction(_ arguments: [Tensor]) -> [Tensor] {
        precondition(arguments.count == inputs.count, "a graph of \(inputs.count) inputs got \(arguments.count)")
        var replaced: [Tensor.Key: Tensor] = [:]
        for (input, argument) in zip(inputs, arguments) {
            precondition(input.type == argument.type, "a graph input of \(input.type) got \(argument.type)")
            replaced[input.key] = argument
        }
        for node in nodes {
            // A node that reads nothing replaced stays as it is, so constants and outer values are shared.
            guard node.inputs.contains(where: { replaced[$0.key] != nil }) else { continue }
            let copy = Node(node.primitive, node.inputs.map { replaced[$0.key] ?? $0 }, node.outputs)
            for index in node.outputs.indices {
                let key = Tensor.Key(node: node.id, index: index)
                if replaced[key] == nil { replaced[key] = Tensor(node: copy, index: index) }
            }
        }
        return outputs.map { replaced[$0.key] ?? $0 }
    }

    /// Makes a graph of `parameters` and of every outer value that the outputs read: closure conversion.
    ///
    /// Returns the graph, whose inputs are the parameters followed by the captured tensors, and the captured tensors.
    static func closing(over parameters: [Tensor], outputs: [Tensor]) -> (graph: Graph, captured: [Tensor]) {
        var dependent = Set(parameters.map(\.node.id))
        var captured: [Tensor] = []
        var seen = Set<Tensor.Key>()
        func capture(_ tensor: Tensor) {
            if tensor.node.primitive is any ConstantPrimitive { return }
            if seen.insert(tensor.key).inserted { captured.append(tensor) }
        }
        let parameterKeys = Set(parameters.map(\.key))
        for node in Graph(inputs: parameters, outputs: outputs).nodes
        where node.inputs.contains(where: { dependent.contains($0.node.id) }) {
            dependent.insert(node.id)
            for input in node.inputs where !dependent.contains(input.node.id) { capture(input) }
        }
        for output in outputs where !dependent.contains(output.node.id) && !parameterKeys.contains(output.key) {
            capture(output)
        }
        return (Graph(inputs: parameters + captured, outputs: outputs), captured)
    }
}

extension [Tensor] {
    /// These tensors recomputed with each key of `replacements` standing for another tensor.
    public func replacing(_ pairs: [(Tensor, Tensor)]) -> [Tensor] {
        Graph(inputs: pairs.map(\.0), outputs: self)(pairs.map(\.1))
    }
}
