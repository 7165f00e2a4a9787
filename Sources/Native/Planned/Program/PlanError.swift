public import Tensor

/// Why no plan could be made of a graph, or run.
public enum PlanError: Error, Equatable, CustomStringConvertible {
    /// The graph reads an input that is neither given when it runs nor a constant.
    case freeInput(label: String, type: TensorType)
    /// The reference evaluator does not know this primitive, and nothing here does either.
    case unsupported(primitive: String)
    /// A plan made after the weights were let go needs one that no earlier plan had packed.
    case released(type: TensorType)
    /// Weights that are to become int8, or what is computed of them, hold a NaN or an infinity.
    case notFinite(type: TensorType)
    case inputCount(expected: Int, given: Int)
    case inputType(index: Int, expected: TensorType, given: TensorType)

    public var description: String {
        switch self {
        case .freeInput(let label, let type):
            "the outputs read the input \"\(label)\" (\(type)), which is neither an input of the graph nor a constant"
        case .unsupported(let primitive): "no kernel and no reference evaluation is known for \(primitive)"
        case .released(let type):
            "a weight of \(type) has been released: make every plan that reads it unpacked before releasing the weights"
        case .notFinite(let type):
            "a weight of \(type) is not finite and has no int8 form: use another precision, or repair it"
        case .inputCount(let expected, let given): "the plan has \(expected) inputs and got \(given) arrays"
        case .inputType(let index, let expected, let given): "input \(index) is \(expected) and got \(given)"
        }
    }
}
