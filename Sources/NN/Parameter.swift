public import Tensor

/// A declaration of an array that a module needs: its shape, how it starts, and whether training changes it.
///
/// The value lives outside, in a dictionary from path to array (see `Module.parameters`). In a graph it is stood for by
/// `tensor`, a free input that whoever runs the graph binds.
public struct Parameter: Sendable {
    public enum Kind: Sendable, Hashable {
        /// Changed by gradients.
        case trainable
        /// Changed by rules of its own, such as running averages; no gradient is taken.
        case statistic
    }

    public let initializer: Initializer
    public let kind: Kind
    /// The placeholder in graphs, f32.
    public let tensor: Tensor

    public var shape: Shape { tensor.shape }
    public var type: TensorType { tensor.type }

    public init(_ shape: Shape, _ initializer: Initializer, kind: Kind = .trainable) {
        self.initializer = initializer
        self.kind = kind
        tensor = .input(TensorType(.f32, shape), name: "parameter")
    }

    /// The placeholder in the precision of a computation: parameters stay f32 and are rounded where they are used.
    public func tensor(as dtype: DType) -> Tensor { tensor.cast(to: dtype) }
}
