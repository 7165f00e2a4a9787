/// An operation that every backend implements itself: a name, a shape rule and a gradient rule, in one place.
public protocol Primitive: Sendable {
    /// A short name in lower camel case, for messages and dumps.
    var name: String { get }

    /// The output types for these input types.
    ///
    /// - Throws: `ShapeError` where the inputs do not fit.
    func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType]

    /// The vector–Jacobian product: a cotangent for each input, `nil` where it is zero or the input has no gradient.
    func vjp(_ site: VJPSite) -> [Tensor?]
}

/// Where a gradient rule is applied: the node's inputs and outputs, and what flowed back into each output.
public struct VJPSite {
    public let inputs: [Tensor]
    public let outputs: [Tensor]
    /// `nil` for an output that does not reach the differentiated value.
    public let cotangents: [Tensor?]

    /// The cotangent of a primitive with one output.
    public var cotangent: Tensor { cotangents[0]! }
    public var output: Tensor { outputs[0] }

    /// The cotangent of output `index`, or zeros of its type.
    public func cotangentOrZeros(_ index: Int) -> Tensor {
        cotangents[index] ?? Tensor.zeros(outputs[index].type)
    }
}

/// Why operands do not fit an operation; turned into a trap at the caller's line while tracing.
public struct ShapeError: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

extension Tensor {
    /// Applies a primitive, trapping with both shapes and the caller's place where the operands do not fit.
    static func apply(
        _ primitive: some Primitive, _ inputs: [Tensor], file: StaticString = #fileID, line: UInt = #line
    ) -> [Tensor] {
        do {
            let outputs = try primitive.infer(inputs.map(\.type))
            let node = Node(primitive, inputs, outputs)
            return outputs.indices.map { Tensor(node: node, index: $0) }
        } catch {
            let operands = inputs.map(\.type.description).joined(separator: ", ")
            preconditionFailure("\(primitive.name)(\(operands)): \(error)", file: file, line: line)
        }
    }

    static func apply1(
        _ primitive: some Primitive, _ inputs: Tensor..., file: StaticString = #fileID, line: UInt = #line
    ) -> Tensor {
        apply(primitive, inputs, file: file, line: line)[0]
    }
}

func require(_ condition: Bool, _ message: @autoclosure () -> String) throws(ShapeError) {
    if !condition { throw ShapeError(message()) }
}

/// Turns a negative axis into one counted from the end, and checks it.
func normalized(_ axis: Int, rank: Int, file: StaticString = #fileID, line: UInt = #line) -> Int {
    precondition(axis >= -rank && axis < rank, "axis \(axis) is not one of rank \(rank)", file: file, line: line)
    return axis < 0 ? axis + rank : axis
}
