internal import Tensor

/// A graph laid flat: operations in order on numbered values, composites without a kernel written out, and everything that
/// follows from constants alone marked as such.
struct Program {
    typealias Value = Int

    struct ValueInfo {
        let type: TensorType
        var constant: ConstantPool.ID?
    }

    struct Operation {
        var work: Work
        var operands: [Value]
        var results: [Value]
    }

    var values: [ValueInfo] = []
    var operations: [Operation] = []
    var inputs: [Value] = []
    var outputs: [Value] = []

    mutating func makeValue(_ type: TensorType, constant: ConstantPool.ID? = nil) -> Value {
        values.append(ValueInfo(type: type, constant: constant))
        return values.count - 1
    }

    /// How many operations read each value, and how many outputs it is.
    var useCounts: [Int] {
        var counts = [Int](repeating: 0, count: values.count)
        for operation in operations { for operand in operation.operands { counts[operand] += 1 } }
        for output in outputs { counts[output] += 1 }
        return counts
    }

    /// Drops operations that nothing reads.
    mutating func removeUnread() {
        var isRead = [Bool](repeating: false, count: values.count)
        for output in outputs { isRead[output] = true }
        var kept: [Operation] = []
        for operation in operations.reversed() where operation.results.contains(where: { isRead[$0] }) {
            for operand in operation.operands { isRead[operand] = true }
            kept.append(operation)
        }
        operations = kept.reversed()
    }

    /// Has Snake's result rounded as it is written where only a product in bf16 reads it.
    mutating func roundWhereWritten() {
        let useCounts = useCounts
        var producers: [Value: Int] = [:]
        for index in operations.indices {
            guard case .affine(var reader) = operations[index].work else { continue }
            if reader.hasSnake { producers[operations[index].results[reader.keepsResult ? 1 : 0]] = index }
            let x = operations[index].operands[0]
            guard reader.inputPrecision == .bf16, useCounts[x] == 1, let producer = producers[x],
                case .affine(var writer) = operations[producer].work
            else { continue }
            let rounded = makeValue(TensorType(.bf16, values[x].type.shape))
            writer.roundsActivated = true
            operations[producer].work = .affine(writer)
            operations[producer].results[writer.keepsResult ? 1 : 0] = rounded
            reader.isInputRounded = true
            operations[index].work = .affine(reader)
            operations[index].operands[0] = rounded
            // Its scratch memory was the rounded input.
            operations[index].results.removeLast()
        }
    }
}

/// What an operation does.
enum Work {
    /// As the graph says.
    case primitive(any Primitive)
    /// Elementwise, with operands spread over the result instead of repeated.
    case elementwise(ElementwiseStep.Kind, [Spread])
    /// Convolution or matrix product with what follows it; see `Affine` for the order of operands and results.
    case affine(Affine)
    /// Weights laid out for `affine`, where they are not known beforehand.
    case pack(Affine.Weights)
    /// Operands: x, alpha, and once fusion is done `1 / (alpha + ε)`.
    case snake(channels: Int, epsilon: Double)
    /// Operands: x, and a scale if there is one.
    case rmsNorm(width: Int, epsilon: Double)
    /// Operands: queries, keys, values, and which keys exist if not all do.
    /// The second result is scratch memory.
    case attention(AttentionShape, Call)
    case activation(Affine.Activation)
    /// Hands the operand to the caller.
    case store(output: Int)
}

/// Writes graphs into a program.
struct ProgramBuilder {
    var program = Program()
    var pool: ConstantPool
    /// Values that repeat another, and how they lie over it.
    private(set) var repeats: [Program.Value: (source: Program.Value, spread: Spread)] = [:]
    private let threads: Int

    /// - Parameter threads: the most that will share a step.
    init(pool: ConstantPool, threads: Int) {
        self.pool = pool
        self.threads = threads
    }

    /// Adds what `graph` computes from `arguments`.
    ///
    /// - Throws: `PlanError.freeInput`, `PlanError.unsupported`.
    mutating func add(_ graph: Graph, _ arguments: [Program.Value]) throws -> [Program.Value] {
        var known: [Tensor.Key: Program.Value] = [:]
        for (input, argument) in zip(graph.inputs, arguments) { known[input.key] = argument }
        for node in graph.nodes {
            let results = try add(node, node.inputs.map { known[$0.key]! })
            for (index, result) in results.enumerated() {
                let key = Tensor.Key(node: node.id, index: index)
                if known[key] == nil { known[key] = result }
            }
        }
        return graph.outputs.map { known[$0.key]! }
    }

    private mutating func add(_ node: Node, _ operands: [Program.Value]) throws -> [Program.Value] {
        switch node.primitive {
        case let input as Input: throw PlanError.freeInput(label: input.label, type: input.type)
        case let constant as Constant:
            return [program.makeValue(constant.value.type, constant: pool.literal(constant.value))]
        case let call as Call:
            if let work = call.kernelWork(operands.map { program.values[$0].type }),
                !operands.allSatisfy({ program.values[$0].constant != nil })
            {
                guard case .attention(let shape, _) = work else { return append(work, operands, node.outputs) }
                let scratch = TensorType(.f32, [shape.scratchCount * threads])
                return [append(work, operands, node.outputs + [scratch])[0]]
            }
            return try add(call.graph, operands)
        default: return try apply(node.primitive, operands, node.outputs)
        }
    }

    private mutating func apply(
        _ primitive: any Primitive, _ operands: [Program.Value], _ types: [TensorType]
    ) throws -> [Program.Value] {
        guard primitive is any ReferencePrimitive else { throw PlanError.unsupported(primitive: primitive.name) }
        let results = result(of: primitive, operands, types)
        noteRepetition(primitive, operands, results[0])
        return results
    }

    private mutating func result(
        of primitive: any Primitive, _ operands: [Program.Value], _ types: [TensorType]
    ) -> [Program.Value] {
        let constants = operands.compactMap { program.values[$0].constant }
        // A loop's body is known by identity, not by how it is written, so what it makes cannot be found again.
        if constants.count == operands.count && !(primitive is any ControlFlowPrimitive) {
            return types.indices.map { index in
                program.makeValue(
                    types[index], constant: pool.derived(primitive, constants, index: index, results: types))
            }
        }
        return append(.primitive(primitive), operands, types)
    }

    private mutating func noteRepetition(
        _ primitive: any Primitive, _ operands: [Program.Value], _ result: Program.Value
    ) {
        switch primitive {
        case let full as Full:
            let scalar = HostArray([full.value], as: full.type.dtype, shape: [])
            let source = program.makeValue(scalar.type, constant: pool.literal(scalar))
            repeats[result] = (source, Spread(inner: 1, period: 1))
        case let broadcast as Broadcast:
            let operand = operands[0]
            if let known = repeats[operand], known.spread.period == 1 {
                repeats[result] = known
            } else if let spread = Spread(
                program.values[operand].type.shape, axes: broadcast.axes, over: broadcast.shape)
            {
                repeats[result] = (operand, spread)
            }
        default: break
        }
    }

    mutating func append(_ work: Work, _ operands: [Program.Value], _ types: [TensorType]) -> [Program.Value] {
        let results = types.map { program.makeValue($0) }
        program.operations.append(Program.Operation(work: work, operands: operands, results: results))
        return results
    }

    /// Adds a small computation, written with tensors.
    mutating func add(_ operands: [Program.Value], _ body: ([Tensor]) -> Tensor) throws -> Program.Value {
        try add(Graph(operands.map { program.values[$0].type }) { [body($0)] }, operands)[0]
    }
}

/// Primitives that hold graphs.
protocol ControlFlowPrimitive: Primitive {}
extension Conditional: ControlFlowPrimitive {}
extension While: ControlFlowPrimitive {}
extension Scan: ControlFlowPrimitive {}

extension Primitive {
    /// Whether the results are the operands' bytes under another type.
    var isView: Bool { self is Reshape || self is StopGradient || self is Barrier || self is Bitcast }
}

extension Call {
    /// The kernel for this composite on operands of these types, if there is one.
    func kernelWork(_ types: [TensorType]) -> Work? {
        guard types.prefix(3).allSatisfy({ $0.dtype == .f32 }) else { return nil }
        switch name {
        case "snake": return .snake(channels: types[1].shape[0], epsilon: attributes["epsilon"]!)
        case "rmsNorm": return .rmsNorm(width: types[0].shape[types[0].shape.rank - 1], epsilon: attributes["epsilon"]!)
        case "gelu": return .activation(.gelu)
        case "silu": return .activation(.silu)
        case "attention": return AttentionShape(types, attributes).map { .attention($0, self) }
        default: return nil
        }
    }
}
