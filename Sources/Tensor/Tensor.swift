import Synchronization

/// A value that a graph computes: an element type, a shape, and the node that makes it.
///
/// Tensors are immutable values and cheap to copy. Nothing is computed when one is made; a backend runs a `Graph`.
public struct Tensor: Sendable {
    public internal(set) var node: Node
    /// Which of the node's outputs this is.
    public let index: Int

    init(node: Node, index: Int = 0) {
        self.node = node
        self.index = index
    }

    public var type: TensorType { node.outputs[index] }
    public var dtype: DType { type.dtype }
    public var shape: Shape { type.shape }
    public var rank: Int { type.shape.rank }

    /// Identity within a process, for use as a dictionary key; two tensors with equal keys are the same value.
    public var key: Key { Key(node: node.id, index: index) }

    public struct Key: Hashable, Sendable {
        public let node: UInt64
        public let index: Int

        public init(node: UInt64, index: Int) {
            self.node = node
            self.index = index
        }
    }
}

/// One application of a primitive in the immutable graph.
public final class Node: Sendable {
    /// Grows with creation, and a node's inputs exist before it: so order by `id` is a topological order.
    public let id: UInt64
    public let primitive: any Primitive
    public let outputs: [TensorType]

    // Written only in `deinit`, when no other reference can exist.
    nonisolated(unsafe) private var operands: [Tensor]
    public var inputs: [Tensor] { operands }

    /// Each output as a tensor.
    public var results: [Tensor] { outputs.indices.map { Tensor(node: self, index: $0) } }

    private static let nextID = Atomic<UInt64>(1)

    init(_ primitive: any Primitive, _ inputs: [Tensor], _ outputs: [TensorType]) {
        self.id = Self.nextID.wrappingAdd(1, ordering: .relaxed).oldValue
        self.primitive = primitive
        self.operands = inputs
        self.outputs = outputs
    }

    /// Frees a long chain of nodes in a loop: the automatic release would recurse once per node and overflow the stack.
    deinit {
        var pending = operands
        operands = []
        while var tensor = pending.popLast() {
            if isKnownUniquelyReferenced(&tensor.node) {
                pending.append(contentsOf: tensor.node.operands)
                tensor.node.operands = []
            }
        }
    }
}

extension Tensor: CustomStringConvertible {
    public var description: String { "Tensor(\(type), \(node.primitive.name))" }
}
