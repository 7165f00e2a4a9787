/// The gradient of a scalar with respect to each of `inputs`: a graph, like everything else.
///
/// An input that the scalar does not depend on gets zeros.
public func gradient(of loss: Tensor, at inputs: [Tensor], file: StaticString = #fileID, line: UInt = #line) -> [Tensor]
{
    precondition(
        loss.rank == 0 && loss.dtype.isFloating, "a gradient is of a floating scalar, not of \(loss.type)",
        file: file, line: line)
    let cotangents = vjp(of: [loss], at: inputs, cotangents: [Tensor.ones(loss.type)])
    return zip(inputs, cotangents).map { $1 ?? Tensor.zeros($0.type) }
}

/// The vector–Jacobian products of `outputs` at `inputs`; `nil` where nothing flows back.
///
/// One reverse walk over the nodes between them, newest first, calls each primitive's rule once.
public func vjp(of outputs: [Tensor], at inputs: [Tensor], cotangents: [Tensor?]) -> [Tensor?] {
    precondition(outputs.count == cotangents.count, "\(outputs.count) outputs got \(cotangents.count) cotangents")
    return reverseWalk(Graph(inputs: [], outputs: outputs).nodes, outputs, inputs, cotangents)
}

extension Graph {
    /// The vector–Jacobian products of this graph applied to `arguments`, each input on its own.
    func pullback(at arguments: [Tensor], cotangents: [Tensor?]) -> [Tensor?] {
        let arriving = cotangents.map { $0.map { Tensor.input($0.type, name: "cotangent") } }
        let products = reverseWalk(nodes, outputs, inputs, arriving)
        let present = products.compactMap { $0 }
        let backward = Graph(inputs: inputs + arriving.compactMap { $0 }, outputs: present)
        var values = backward(arguments + cotangents.compactMap { $0 }).makeIterator()
        return products.map { $0 == nil ? nil : values.next() }
    }
}

private func reverseWalk(
    _ nodes: [Node], _ outputs: [Tensor], _ inputs: [Tensor], _ cotangents: [Tensor?]
) -> [Tensor?] {
    let useful = nodesReaching(inputs, among: nodes)

    var flowing: [Tensor.Key: Tensor] = [:]
    func add(_ cotangent: Tensor, to tensor: Tensor, from name: String) {
        precondition(
            cotangent.type == tensor.type, "the gradient rule of \(name) gave \(cotangent.type) for \(tensor.type)")
        flowing[tensor.key] = flowing[tensor.key].map { $0 + cotangent } ?? cotangent
    }
    for (output, cotangent) in zip(outputs, cotangents) {
        guard let cotangent, output.dtype.isFloating else { continue }
        add(cotangent, to: output, from: "the caller")
    }
    // What an input is itself made of is left alone: nothing there is asked for, and a loop there has no rule.
    for node in nodes.reversed() where node.inputs.contains(where: { useful.contains($0.node.id) }) {
        let values = node.outputs.indices.map { Tensor(node: node, index: $0) }
        let incoming = values.map { flowing[$0.key] }
        guard incoming.contains(where: { $0 != nil }) else { continue }
        let products = node.primitive.vjp(VJPSite(inputs: node.inputs, outputs: values, cotangents: incoming))
        precondition(
            products.count == node.inputs.count,
            "the gradient rule of \(node.primitive.name) gave \(products.count) for \(node.inputs.count) inputs")
        for (input, product) in zip(node.inputs, products) {
            guard let product, input.dtype.isFloating, useful.contains(input.node.id) else { continue }
            add(product, to: input, from: node.primitive.name)
        }
    }
    return inputs.map { flowing[$0.key] }
}

/// The nodes through which a change of `inputs` can pass.
private func nodesReaching(_ inputs: [Tensor], among nodes: [Node]) -> Set<UInt64> {
    var useful = Set(inputs.map(\.node.id))
    for node in nodes where node.inputs.contains(where: { useful.contains($0.node.id) }) {
        useful.insert(node.id)
    }
    return useful
}

extension Tensor {
    /// The same value, through which no gradient flows.
    public var stoppingGradient: Tensor { Tensor.apply1(StopGradient(), self) }
}

/// Computes `body` again in the backward pass instead of keeping what it computed (rematerialisation).
///
/// Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
public func checkpoint(_ body: () -> [Tensor]) -> [Tensor] {
    let (outputs, captured) = region(body)
    let graph = Graph(inputs: captured, outputs: outputs)
    return Tensor.apply(Call(name: "checkpoint", attributes: [:], graph: graph, rule: .rematerialize), captured)
}

/// What `body` makes, and the older values that it reads.
func region(_ body: () -> [Tensor]) -> (outputs: [Tensor], captured: [Tensor]) {
    // Identifiers grow, so whatever the body makes is newer than a node made just before it.
    let marker = Tensor.scalar(0).node.id
    let outputs = body()
    var captured: [Tensor] = []
    var seen = Set<Tensor.Key>()
    func capture(_ tensor: Tensor) {
        let needsNoCapture = tensor.node.primitive is any ConstantPrimitive
        if !needsNoCapture && seen.insert(tensor.key).inserted { captured.append(tensor) }
    }
    func isOuter(_ tensor: Tensor) -> Bool { tensor.node.id < marker || tensor.node.primitive is Input }
    for node in Graph(inputs: [], outputs: outputs).nodes where node.id > marker {
        node.inputs.filter(isOuter).forEach(capture)
    }
    outputs.filter(isOuter).forEach(capture)
    return (outputs, captured)
}

/// A gradient rule of the caller's own: given the inputs, the outputs and the outputs' cotangents (zeros where nothing
/// flows), a cotangent, or `nil`, for each input.
public typealias GradientRule = @Sendable (_ inputs: [Tensor], _ outputs: [Tensor], _ cotangents: [Tensor]) -> [Tensor?]

/// A named operation with a decomposition into primitives; a backend may run it by a kernel of its own.
///
/// - Parameters:
///   - attributes: static numbers that a backend's own kernel needs; the decomposition must already honour them.
///   - gradient: replaces the gradient of the decomposition.
public func composite(
    _ name: String, _ inputs: [Tensor], attributes: [String: Double] = [:], gradient: GradientRule? = nil,
    decomposition: ([Tensor]) -> [Tensor]
) -> [Tensor] {
    let graph = Graph(inputs.map(\.type), decomposition)
    precondition(graph.freeInputs.isEmpty, "\(name): a decomposition may read only its inputs")
    let rule = gradient.map(Call.Rule.custom) ?? .decompose
    return Tensor.apply(Call(name: name, attributes: attributes, graph: graph, rule: rule), inputs)
}
