/// A graph applied as one node: a composite operation, a custom gradient, or a rematerialised region.
public struct Call: Primitive {
    public enum Rule: Sendable {
        /// The gradient is that of the decomposition.
        case decompose
        /// The gradient computes the graph again, after the cotangents have arrived.
        case rematerialize
        case custom(GradientRule)
    }

    public let name: String
    /// Static numbers for a backend with its own kernel for `name`.
    public let attributes: [String: Double]
    public let graph: Graph
    public let rule: Rule

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        try require(inputs == graph.inputs.map(\.type), "operands differ from the graph's inputs")
        return graph.outputs.map(\.type)
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] {
        switch rule {
        case .decompose:
            return graph.pullback(at: site.inputs, cotangents: site.cotangents)
        case .rematerialize:
            // The barrier ties the second computation to the cotangents; else the compiler would merge it with the first.
            let arrived = site.cotangents.compactMap { $0 }
            let fenced = Array(barrier(site.inputs + arrived).prefix(site.inputs.count))
            return graph.pullback(at: fenced, cotangents: site.cotangents)
        case .custom(let backward):
            return backward(site.inputs, site.outputs, site.outputs.indices.map(site.cotangentOrZeros))
        }
    }
}
