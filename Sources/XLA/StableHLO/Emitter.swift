import Tensor

/// Writes one StableHLO function, line by line, in static single assignment form.
struct Emitter {
    /// The name of a value in the text, such as `%12` or `%12#1`.
    typealias Name = String

    /// Whether custom calls of `Kernels` may be written.
    let usesKernels: Bool
    private(set) var lines: [String] = []
    private var counter = 0
    private var depth = 1
    /// Names by operation, in this region: those of another need not be known in it.
    private var assigned: [String: Name] = [:]

    init(usesKernels: Bool) { self.usesKernels = usesKernels }

    /// A name not used before.
    mutating func fresh() -> Name {
        defer { counter += 1 }
        return "%\(counter)"
    }

    mutating func line(_ text: String) { lines.append(String(repeating: "  ", count: depth) + text) }

    /// One operation with one result, written `%n = operation`, or the name it has if it was written before.
    ///
    /// So the weights of a discriminator, which hears real and generated sound, are packed for our kernels once.
    mutating func assign(_ operation: String) -> Name {
        if let name = assigned[operation] { return name }
        let name = fresh()
        line("\(name) = \(operation)")
        assigned[operation] = name
        return name
    }

    mutating func indented(_ body: (inout Emitter) -> Void) {
        let outer = assigned
        assigned = [:]
        depth += 1
        body(&self)
        depth -= 1
        assigned = outer
    }

    /// A constant of `type` with `value` everywhere: a scalar constant, repeated.
    mutating func full(_ value: Double, _ type: TensorType) -> Name {
        let scalar = TensorType(type.dtype, [])
        let name = assign("stablehlo.constant dense<\(literal(value, type.dtype))> : \(mlir(scalar))")
        return type.shape.rank == 0 ? name : broadcast(name, scalar, to: type, axes: [])
    }

    mutating func broadcast(_ operand: Name, _ from: TensorType, to type: TensorType, axes: [Int]) -> Name {
        assign("stablehlo.broadcast_in_dim \(operand), dims = \(list(axes)) : (\(mlir(from))) -> \(mlir(type))")
    }

    mutating func reshape(_ operand: Name, _ from: TensorType, to type: TensorType) -> Name {
        from == type ? operand : assign("stablehlo.reshape \(operand) : (\(mlir(from))) -> \(mlir(type))")
    }

    /// Writes the nodes of a graph, its inputs standing for `arguments`; returns the names of its outputs.
    mutating func inline(_ graph: Graph, _ arguments: [Name]) -> [Name] {
        var names: [Tensor.Key: Name] = [:]
        for (input, argument) in zip(graph.inputs, arguments) { names[input.key] = argument }
        let nodes = graph.nodes
        var read = Set(graph.outputs.map(\.key))
        for node in nodes { read.formUnion(node.inputs.map(\.key)) }
        for node in nodes where !(node.primitive is Input) {
            guard let primitive = node.primitive as? any StableHLOPrimitive else {
                preconditionFailure("\(node.primitive.name) has no StableHLO lowering")
            }
            let site = LoweringSite(
                operands: node.inputs.map { input in
                    guard let name = names[input.key] else {
                        preconditionFailure("\(input) is read but not given; pass it as an argument of the function")
                    }
                    return name
                },
                operandTypes: node.inputs.map(\.type), types: node.outputs,
                isRead: node.outputs.indices.map { read.contains(Tensor.Key(node: node.id, index: $0)) },
                factors: node.primitive is Reduce ? factors(of: node.inputs[0], names) : nil)
            for (index, name) in primitive.lower(site, into: &self).enumerated() {
                // An input in the middle of the graph keeps the name it was given.
                let key = Tensor.Key(node: node.id, index: index)
                if names[key] == nil { names[key] = name }
            }
        }
        return graph.outputs.map { names[$0.key]! }
    }
}

/// What `product` is the product of; nil if it is none, or if a factor is one that is repeated, which XLA keeps out of memory.
private func factors(of product: Tensor, _ names: [Tensor.Key: Emitter.Name]) -> [Emitter.Name]? {
    guard (product.node.primitive as? Binary)?.kind == .multiply,
        !product.node.inputs.contains(where: { $0.node.primitive is Broadcast })
    else { return nil }
    let factors = product.node.inputs.compactMap { names[$0.key] }
    return factors.count == 2 ? factors : nil
}

/// Where a primitive is lowered: the names and types of its operands, and its result types.
struct LoweringSite {
    let operands: [Emitter.Name]
    let operandTypes: [TensorType]
    let types: [TensorType]
    /// For each result, whether anything reads it; one that nothing reads may be given any name.
    let isRead: [Bool]
    /// Of a reduction whose operand is a product: of what.
    var factors: [Emitter.Name]?

    var type: TensorType { types[0] }

    /// `(operand types) -> (result types)`.
    var signature: String {
        let results = types.map(mlir).joined(separator: ", ")
        return "(\(operandTypes.map(mlir).joined(separator: ", "))) -> \(types.count == 1 ? results : "(\(results))")"
    }
}

/// A primitive that can be written as StableHLO.
protocol StableHLOPrimitive: Primitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name]
}

func mlir(_ dtype: DType) -> String {
    switch dtype {
    case .f64, .f32, .bf16, .f16, .i64, .i32, .i16, .i8: dtype.rawValue
    case .u64, .u32, .u16, .u8: "ui" + dtype.rawValue.dropFirst()
    case .bool: "i1"
    }
}

func mlir(_ type: TensorType) -> String {
    "tensor<" + type.shape.map { "\($0)x" }.joined() + mlir(type.dtype) + ">"
}

func list(_ values: some Sequence<Int>) -> String { "[" + values.map(String.init).joined(separator: ", ") + "]" }

/// One number as MLIR reads it: exact, because what decimal cannot say is written as bits.
func literal(_ value: Double, _ dtype: DType) -> String {
    if dtype == .bool { return value != 0 ? "true" : "false" }
    if !dtype.isFloating {
        // A u64 above 2^63 cannot be given as a Double in general; `HostArray` constants carry those.
        return value < 0 ? String(Int64(value)) : String(UInt64(value))
    }
    guard value.isFinite else {
        let bytes = HostArray([value], as: dtype, shape: []).bytes
        return "0x" + bytes.reversed().map { hexadecimal($0) }.joined()
    }
    var text = "\(value)"
    if let exponent = text.firstIndex(of: "e"), !text[..<exponent].contains(".") {
        text.insert(contentsOf: ".0", at: exponent)
    }
    return text
}

private func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return digits.count == 1 ? "0" + digits : digits
}

/// An array as MLIR reads it: booleans listed, everything else as the bytes themselves.
func literal(_ array: HostArray) -> String {
    if array.count == 0 { return "" }
    if array.dtype == .bool {
        var values = array.values(as: Bool.self).map { $0 ? "true" : "false" }[...]
        return nested(array.shape.dimensions[...], &values)
    }
    return "\"0x" + array.bytes.map(hexadecimal).joined() + "\""
}

private func nested(_ shape: ArraySlice<Int>, _ values: inout ArraySlice<String>) -> String {
    guard let count = shape.first else { return values.removeFirst() }
    return "[" + (0..<count).map { _ in nested(shape.dropFirst(), &values) }.joined(separator: ", ") + "]"
}
