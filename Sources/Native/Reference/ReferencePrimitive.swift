public import Tensor

/// A primitive that the reference evaluator can run: its meaning, in plain Swift.
///
/// The rules follow the shape and gradient rules in `Tensor/Primitives`, one file for each family. Operands have the
/// types that the primitive's `infer` accepted.
public protocol ReferencePrimitive: Primitive {
    /// The values of the outputs, whose types are `results`.
    func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray]
}

/// Why a graph could not be run.
public enum EvaluationError: Error, Equatable, CustomStringConvertible {
    /// A graph of `expected` inputs got another number of arrays.
    case inputCount(expected: Int, given: Int)
    /// Input number `index` got an array of another type.
    case inputType(index: Int, expected: TensorType, given: TensorType)
    /// The outputs need an input that the graph does not list.
    case freeInput(label: String, type: TensorType)
    /// A primitive that does not conform to `ReferencePrimitive`.
    case unsupported(primitive: String)

    public var description: String {
        switch self {
        case .inputCount(let expected, let given):
            "the graph has \(expected) inputs and got \(given) arrays: give one for each input, in order"
        case .inputType(let index, let expected, let given):
            "input \(index) is \(expected) and got \(given): convert or reshape the array, or trace for its type"
        case .freeInput(let label, let type):
            "the outputs read the input \"\(label)\" (\(type)), which the graph does not list: add it to the inputs"
        case .unsupported(let primitive):
            "the reference evaluator has no rule for \(primitive): conform it to ReferencePrimitive"
        }
    }
}
