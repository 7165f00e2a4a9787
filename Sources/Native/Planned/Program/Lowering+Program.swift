internal import Tensor

/// Makes steps of a program's operations, with the memory that the layout gives them.
struct Lowering {
    let program: Program
    let layout: Layout
    let threads: Int
    var pool: ConstantPool
    /// Constants that steps point to.
    private(set) var retained: [AlignedBuffer] = []

    init(program: Program, layout: Layout, threads: Int, pool: ConstantPool) {
        self.program = program
        self.layout = layout
        self.threads = threads
        self.pool = pool
    }

    mutating func step(_ operation: Layout.Operation) throws -> (any Step)? {
        switch operation {
        case .join(let join, let operation, let copied):
            if copied.isEmpty { return nil }
            let result = try located(operation.results[0])
            // What is made in place needs no address here, only its extent.
            let operands = try operation.operands.map { try located($0) }
            return CopyStep(parts: joinParts(join, operands, result, copied), target: result.place)
        case .work(let operation): return try step(operation)
        }
    }

    func name(_ operation: Layout.Operation) -> String {
        switch operation {
        case .join(_, let operation, _): "concatenate \(types(operation.results))"
        case .work(let operation): "\(operation.work.label) \(types(operation.results))"
        }
    }

    private func types(_ values: [Program.Value]) -> String {
        values.map { program.values[$0].type.description }.joined(separator: " ")
    }

    private mutating func located(_ value: Program.Value) throws -> Located {
        (try place(value), program.values[value].type)
    }

    private mutating func place(_ value: Program.Value) throws -> Place {
        if let place = layout.place(of: value) { return place }
        let (root, offset) = layout.home(value)
        guard let constant = program.values[root].constant else {
            // A result that nothing reads: never written to memory that something else has.
            return .constant(retaining(AlignedBuffer(byteCount: program.values[root].type.byteCount)).pointer + offset)
        }
        return .constant(retaining(try pool.buffer(constant)).pointer + offset)
    }

    private mutating func retaining(_ buffer: AlignedBuffer) -> AlignedBuffer {
        retained.append(buffer)
        return buffer
    }

    private mutating func step(_ operation: Program.Operation) throws -> any Step {
        switch operation.work {
        case .affine(let affine): return try affineStep(affine, operation)
        case .primitive(let primitive):
            return try lowerPrimitive(
                primitive, operands: operation.operands.map { try located($0) },
                results: operation.results.map { try located($0) })
        case .elementwise(let kind, let spreads):
            let operands = try zip(operation.operands, spreads).map {
                ElementOperand(place: try place($0), spread: $1)
            }
            return ElementwiseStep(
                kind, operands: operands, target: try place(operation.results[0]),
                count: program.values[operation.results[0]].type.shape.elementCount)
        case .pack(let weights):
            return PackStep(
                weights: weights, source: try place(operation.operands[0]), target: try place(operation.results[0]))
        case .snake(let channels, _):
            return try rowKernel(
                .snake(alpha: try place(operation.operands[1]), inverse: try place(operation.operands[2])), operation,
                channels)
        case .rmsNorm(let width, let epsilon):
            let scale = try operation.operands.dropFirst().first.map { try place($0) }
            return try rowKernel(.rmsNorm(scale: scale, epsilon: epsilon), operation, width)
        case .activation(let activation): return try rowKernel(.activation(activation), operation, 1)
        case .attention(let shape, let call): return try attentionStep(shape, call, operation)
        case .store(let output):
            return StoreStep(
                source: try place(operation.operands[0]), output: output,
                byteCount: program.values[operation.operands[0]].type.byteCount)
        }
    }

    private mutating func rowKernel(
        _ kind: RowKernelStep.Kind, _ operation: Program.Operation, _ channels: Int
    ) throws -> any Step {
        let count = program.values[operation.results[0]].type.shape.elementCount
        return RowKernelStep(
            kind: kind, rows: count / max(1, channels), channels: channels, x: try place(operation.operands[0]),
            y: try place(operation.results[0]))
    }

    private mutating func affineStep(_ affine: Affine, _ operation: Program.Operation) throws -> any Step {
        var operands = operation.operands[2...].makeIterator()
        var results = operation.results.makeIterator()
        func next<T>(_ isThere: Bool, _ values: inout T) throws -> Place?
        where T: IteratorProtocol, T.Element == Program.Value {
            isThere ? try values.next().map { try place($0) } : nil
        }
        var affine = affine
        let weights: Place
        if let constant = program.values[operation.operands[1]].constant {
            let packed = try pool.packed(constant, affine.weights)
            affine.weights = packed.weights
            weights = .constant(retaining(packed.buffer).pointer)
        } else {
            weights = try place(operation.operands[1])
        }
        var step = AffineStep(affine: affine, x: try place(operation.operands[0]), weights: weights)
        step.bias = try next(affine.hasBias, &operands)
        step.scale = try next(affine.hasScale, &operands)
        step.residual = try next(affine.hasResidual, &operands)
        step.alpha = try next(affine.hasSnake, &operands)
        step.inverse = try next(affine.hasSnake, &operands)
        step.y = try next(affine.keepsResult, &results)
        step.activated = try next(affine.hasSnake, &results)
        while let scratch = results.next() { step.scratch.append(try place(scratch)) }
        return step
    }

    private mutating func attentionStep(
        _ shape: AttentionShape, _ call: Call, _ operation: Program.Operation
    ) throws -> any Step {
        let operands = try operation.operands.map { try located($0) }
        let result = try located(operation.results[0])
        return AttentionStep(
            shape: shape, rotations: shape.rotations(), queries: operands[0].place, keys: operands[1].place,
            values: operands[2].place, mask: shape.hasMask ? operands[3].place : nil,
            scratch: try place(operation.results[1]), y: result.place,
            general: ReferenceStep(primitive: call, operands: operands, results: [result]))
    }
}

extension Work {
    /// For profiles.
    var label: String {
        switch self {
        case .primitive(let primitive): primitive.name
        case .elementwise(let kind, _): "\(kind)"
        case .affine(let affine):
            "convolution \(affine.weights.taps)×\(affine.inputs)→\(affine.outputs) dilation \(affine.dilation)"
        case .pack: "pack"
        case .snake: "snake"
        case .rmsNorm: "rmsNorm"
        case .attention: "attention"
        case .activation(let activation): "\(activation)"
        case .store: "store"
        }
    }
}
