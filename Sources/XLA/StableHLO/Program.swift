public import Tensor

/// A graph as a StableHLO module.
public struct Program: Sendable, Hashable {
    /// The module, in MLIR's textual form.
    public let text: String

    init(text: String) { self.text = text }

    /// - Parameters:
    ///   - name: the module's name; what is not a letter, digit or underscore becomes an underscore.
    ///   - aliases: for an argument that may be overwritten, the result that takes its memory. Both have one type.
    ///   - usesKernels: whether the program will run where this package's own kernels are registered.
    public init(_ graph: Graph, name: String, aliases: [Int: Int] = [:], usesKernels: Bool = false) {
        let free = graph.freeInputs
        precondition(
            free.isEmpty,
            "\(name) reads values that are not its arguments: \(free.prefix(4).map { ($0.node.primitive as? Input)?.label ?? "?" })"
        )
        let arguments = graph.inputs.enumerated().map { index, input in
            let alias = aliases[index].map { " {tf.aliasing_output = \($0) : i32}" } ?? ""
            return "%arg\(index): \(mlir(input.type))\(alias)"
        }
        var emitter = Emitter(usesKernels: usesKernels)
        let results = emitter.inline(graph, graph.inputs.indices.map { "%arg\($0)" })
        let types = graph.outputs.map { mlir($0.type) }.joined(separator: ", ")
        emitter.line(results.isEmpty ? "return" : "return \(results.joined(separator: ", ")) : \(types)")
        let module = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        text = """
            module @\(module) {
              func.func public @main(\(arguments.joined(separator: ", "))) -> (\(types)) {
              \(emitter.lines.joined(separator: "\n  "))
              }
            }

            """
    }
}
