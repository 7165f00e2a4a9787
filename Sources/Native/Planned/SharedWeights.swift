internal import Synchronization
public import Tensor

/// A model's weights, from which any number of plans are made that share what is packed.
public final class SharedWeights: Sendable {
    private let tensors: [Tensor]
    private let identifiers: [Int]
    private let pool: Mutex<ConstantPool>

    /// - Parameter values: for each weight its name, the tensor that stands for it in graphs, and its value.
    public init(_ values: [(name: String, tensor: Tensor, value: HostArray)]) {
        var pool = ConstantPool()
        tensors = values.map(\.tensor)
        identifiers = values.map { pool.weight($0.name, $0.value) }
        self.pool = Mutex(pool)
    }

    /// A plan of a graph that reads these weights.
    ///
    /// - Throws: `PlanError`.
    public func plan(_ graph: Graph, _ options: Plan.Options = Plan.Options()) throws -> Plan {
        let given = Array(zip(tensors, identifiers))
        return try pool.withLock { try Plan(graph, constants: given, pool: &$0, options) }
    }

    /// Lets go of the large weights as they were given. Plans made later may use what earlier plans packed.
    public func release() { pool.withLock { $0.releaseWeights() } }

    /// Bytes of all packed weights.
    public var packedByteCount: Int { pool.withLock { $0.packedByteCount } }
}
