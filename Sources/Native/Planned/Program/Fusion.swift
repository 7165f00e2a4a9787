internal import Tensor

/// Joins what one kernel can do, and reads repeated operands where they lie.
struct Fusion {
    private var builder: ProgramBuilder
    private let options: Plan.Options
    private let source: [Program.Operation]
    private let useCounts: [Int]
    private var producers: [Program.Value: Int] = [:]
    private var consumers: [Program.Value: [Int]] = [:]

    /// The operations that a fused one stands for end at this one.
    private var fused: [Int: Chain] = [:]
    private var absorbed: Set<Int> = []

    static func apply(to builder: ProgramBuilder, _ options: Plan.Options) throws -> ProgramBuilder {
        var fusion = Fusion(builder, options)
        for index in fusion.source.indices where !fusion.absorbed.contains(index) { fusion.grow(from: index) }
        return try fusion.rewritten()
    }

    private init(_ builder: ProgramBuilder, _ options: Plan.Options) {
        self.builder = builder
        self.options = options
        source = builder.program.operations
        useCounts = builder.program.useCounts
        for (index, operation) in source.enumerated() {
            for result in operation.results { producers[result] = index }
            for operand in operation.operands { consumers[operand, default: []].append(index) }
        }
    }

    /// A product and what has been joined to it so far.
    private struct Chain {
        var affine: Affine
        var x: Program.Value
        /// Zeros before and after the rows of x.
        var padding: (low: Int, high: Int)
        var weights: Program.Value
        /// The result so far.
        var result: Program.Value
        var vectors: [Vector] = []
        var residual: Program.Value?
        var alpha: (value: Program.Value, epsilon: Double, result: Program.Value)?
        var operations: [Int]

        /// One number for each of some channels, in the order of the epilogue.
        enum Vector {
            case bias(Program.Value)
            case scale(Program.Value)
        }
    }

    // MARK: - Finding chains

    private mutating func grow(from index: Int) {
        guard var chain = start(at: index) else { return }
        while let next = extended(chain) { chain = next }
        let end = chain.operations.max()!
        if let (index, epsilon) = snake(after: chain, at: end) {
            let operation = source[index]
            chain.alpha = (operation.operands[1], epsilon, operation.results[0])
            chain.affine.hasSnake = true
            chain.affine.keepsResult = useCounts[chain.result] > 1
            absorbed.insert(index)
        }
        absorbed.formUnion(chain.operations)
        fused[end] = chain
    }

    private func type(_ value: Program.Value) -> TensorType { builder.program.values[value].type }

    private func start(at index: Int) -> Chain? {
        let operation = source[index]
        guard case .primitive(let primitive) = operation.work,
            operation.results.count == 1, type(operation.results[0]).dtype == .f32,
            type(operation.results[0]).shape.elementCount > 0
        else { return nil }
        let (x, w) = (operation.operands.first.map(type), operation.operands.last.map(type))
        guard let x, let w else { return nil }
        var affine: Affine
        var padding = (low: 0, high: 0)
        switch primitive {
        case let convolution as Convolution:
            guard convolution.layout == .channelsLast(spatialRank: 1), convolution.strides == [1],
                convolution.operandDilation == [1], convolution.batchGroups == 1
            else { return nil }
            let groups = convolution.featureGroups
            padding = convolution.padding[0]
            affine = Affine(
                weights: .init(
                    taps: w.shape[0], inputs: w.shape[1], outputs: w.shape[2] / groups, groups: groups,
                    precision: options.precision),
                dilation: convolution.kernelDilation[0], batch: x.shape[0],
                rows: type(operation.results[0]).shape[1])
        case let dot as Dot:
            guard w.shape.rank == 2, dot.batchAxes.left.isEmpty, dot.contractedAxes.right == [0],
                dot.contractedAxes.left == [x.shape.rank - 1], x.shape.rank >= 2
            else { return nil }
            let inputs = w.shape[0]
            affine = Affine(
                weights: .init(taps: 1, inputs: inputs, outputs: w.shape[1], groups: 1, precision: options.precision),
                dilation: 1, batch: 1, rows: x.shape.elementCount / max(1, inputs))
        default: return nil
        }
        if affine.weights.inputs == 0 || affine.weights.taps == 0 { return nil }
        affine.weights = affine.weights.supported
        if let blocks = options.blocks, affine.rows % blocks == 0, affine.isFaster(inBlocksOf: affine.rows / blocks) {
            affine.weights.blockRows = affine.rows / blocks
        }
        if let blocks = options.blocks {
            // For few rows the time is that of reading weights. To more, widening them costs a seventh.
            let result = type(operation.results[0]).shape
            affine.weights.mayBeNarrow = result[result.rank - 2] < 4 * blocks
        }
        return Chain(
            affine: affine, x: operation.operands[0], padding: padding, weights: operation.operands[1],
            result: operation.results[0], operations: [index])
    }

    /// The chain with the operation that alone reads its result, if the kernel can do that too.
    private func extended(_ chain: Chain) -> Chain? {
        guard useCounts[chain.result] == 1, let index = consumers[chain.result]?.first, !absorbed.contains(index) else {
            return nil
        }
        let operation = source[index]
        var next = chain
        next.operations.append(index)
        next.result = operation.results[0]
        switch operation.work {
        case .activation(let activation):
            guard chain.affine.activation == .none, !chain.affine.hasScale, !chain.affine.hasResidual else {
                return nil
            }
            next.affine.activation = activation
            return next
        case .primitive(is Reshape):
            // Rows keep their memory; worth passing only if something behind it can be joined.
            return extended(next)
        case .primitive(let binary as Binary) where binary.kind == .add || binary.kind == .multiply:
            let other = operation.operands[operation.operands[0] == chain.result ? 1 : 0]
            if let vector = vector(other, of: chain) {
                return binary.kind == .add ? adding(vector, to: next) : scaling(vector, next)
            }
            guard binary.kind == .add, !chain.affine.hasResidual else { return nil }
            next.affine.hasResidual = true
            next.residual = other
            return next
        default: return nil
        }
    }

    private func adding(_ bias: Program.Value, to chain: Chain) -> Chain? {
        let affine = chain.affine
        if affine.hasBias || affine.hasScale || affine.hasResidual || affine.activation != .none { return nil }
        var next = chain
        next.affine.hasBias = true
        next.vectors.append(.bias(bias))
        return next
    }

    private func scaling(_ scale: Program.Value, _ chain: Chain) -> Chain? {
        if chain.affine.hasScale || chain.affine.hasResidual { return nil }
        var next = chain
        next.affine.hasScale = true
        next.vectors.append(.scale(scale))
        return next
    }

    /// `value` if it has one element for each channel, or group of channels, of a chain's result.
    private func vector(_ value: Program.Value, of chain: Chain) -> Program.Value? {
        guard let (source, spread) = builder.repeats[value], spread.inner == 1 || spread.period == 1 else { return nil }
        return chain.affine.outputs % spread.period == 0 && type(source).shape.elementCount == spread.period
            ? source : nil
    }

    private func snake(after chain: Chain, at end: Int) -> (index: Int, epsilon: Double)? {
        for index in consumers[chain.result] ?? [] where !absorbed.contains(index) {
            guard case .snake(let channels, let epsilon) = source[index].work,
                source[index].operands[0] == chain.result, chain.affine.outputs % channels == 0
            else { continue }
            // The frequencies must be there by then.
            if producers[source[index].operands[1]].map({ $0 < end }) ?? true { return (index, epsilon) }
        }
        return nil
    }

    // MARK: - Rewriting

    private func rewritten() throws -> ProgramBuilder {
        var result = builder
        result.program.operations = []
        for (index, operation) in source.enumerated() {
            if let chain = fused[index] {
                try emit(chain, into: &result)
            } else if !absorbed.contains(index) {
                var operation = elementwise(operation) ?? operation
                if case .snake(_, let epsilon) = operation.work {
                    operation.operands.append(try result.add([operation.operands[1]]) { 1 / ($0[0] + epsilon) })
                }
                result.program.operations.append(operation)
            }
        }
        result.program.removeUnread()
        result.program.roundWhereWritten()
        return result
    }

    private func emit(_ chain: Chain, into builder: inout ProgramBuilder) throws {
        let affine = chain.affine
        var x = chain.x
        if chain.padding != (0, 0) {
            x = try builder.add([x]) { $0[0].padded(axis: 1, low: chain.padding.low, high: chain.padding.high) }
        }
        var weights = chain.weights
        if builder.program.values[weights].constant == nil {
            let size = affine.weights.packedByteCount * affine.weights.groups
            weights = builder.append(.pack(affine.weights), [weights], [TensorType(.u8, [size])])[0]
        }
        var operands = [x, weights]
        for vector in chain.vectors {
            switch vector {
            case .bias(let value), .scale(let value):
                operands.append(try tiled(value, to: affine.outputs, in: &builder))
            }
        }
        if let residual = chain.residual { operands.append(residual) }
        var results: [Program.Value] = []
        if affine.keepsResult { results.append(chain.result) }
        if let alpha = chain.alpha {
            let frequencies = try tiled(alpha.value, to: affine.outputs, in: &builder)
            operands.append(frequencies)
            operands.append(try builder.add([frequencies]) { 1 / ($0[0] + alpha.epsilon) })
            results.append(alpha.result)
        }
        results += affine.scratch(threads: options.threads).map { builder.program.makeValue($0) }
        builder.program.operations.append(
            Program.Operation(work: .affine(affine), operands: operands, results: results))
    }

    private func tiled(
        _ value: Program.Value, to count: Int, in builder: inout ProgramBuilder
    ) throws -> Program.Value {
        let period = builder.program.values[value].type.shape.elementCount
        if period == count { return value }
        return try builder.add([value]) {
            $0[0].reshaped([1, period]).broadcast(to: [count / period, period]).reshaped([count])
        }
    }

    /// The operation with its operands read where they lie, if it is elementwise and has a loop.
    private func elementwise(_ operation: Program.Operation) -> Program.Operation? {
        guard case .primitive(let primitive) = operation.work,
            let kind = ElementwiseStep.kind(of: primitive, operation.operands.map(type))
        else { return nil }
        let count = type(operation.results[0]).shape.elementCount
        var direct = operation
        let spreads = operation.operands.indices.map { index -> Spread in
            guard let (source, spread) = builder.repeats[operation.operands[index]] else { return .full(count) }
            direct.operands[index] = source
            return spread
        }
        direct.work = .elementwise(kind, spreads)
        return direct
    }
}
