public import Tensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Runs any graph by a plan, from and to host arrays.
///
/// What runs often makes its plan once (`SharedWeights.plan`) and gives it memory of its own.
public struct PlannedExecutor: Sendable {
    private let options: Plan.Options
    private let workers: WorkerPool?

    public init(_ options: Plan.Options = Plan.Options()) {
        self.options = options
        workers = options.threads > 1 ? WorkerPool(width: options.threads) : nil
    }

    /// The values of `graph.outputs` for these values of `graph.inputs`.
    ///
    /// - Parameter constants: which inputs to treat as known beforehand, by index.
    /// - Throws: `PlanError`, `EvaluationError`.
    public func callAsFunction(_ graph: Graph, _ inputs: [HostArray], constants: Set<Int> = []) throws -> [HostArray] {
        guard inputs.count == graph.inputs.count else {
            throw PlanError.inputCount(expected: graph.inputs.count, given: inputs.count)
        }
        for (index, input) in graph.inputs.enumerated() where input.type != inputs[index].type {
            throw PlanError.inputType(index: index, expected: input.type, given: inputs[index].type)
        }
        let weights = SharedWeights(constants.sorted().map { ("input \($0)", graph.inputs[$0], inputs[$0]) })
        let varying = graph.inputs.indices.filter { !constants.contains($0) }
        let plan = try weights.plan(
            Graph(inputs: varying.map { graph.inputs[$0] }, outputs: graph.outputs), options)
        // Where another run has the workers, this one goes on alone.
        let claimed = workers?.claim() == true ? workers : nil
        defer { claimed?.release() }
        return try plan(varying.map { inputs[$0] }, workers: claimed)
    }
}

extension Plan {
    /// Runs the plan once, in memory of its own.
    ///
    /// - Parameter workers: no more than the plan was made for.
    /// - Throws: `PlanError`, `EvaluationError`.
    public func callAsFunction(_ inputs: [HostArray], workers: WorkerPool? = nil) throws -> [HostArray] {
        guard inputs.count == inputTypes.count else {
            throw PlanError.inputCount(expected: inputTypes.count, given: inputs.count)
        }
        for (index, type) in inputTypes.enumerated() where inputs[index].type != type {
            throw PlanError.inputType(index: index, expected: type, given: inputs[index].type)
        }
        let arena = AlignedBuffer(byteCount: arenaByteCount)
        let sources = inputs.map { input -> AlignedBuffer in
            let buffer = AlignedBuffer(byteCount: input.bytes.count)
            input.bytes.withUnsafeBytes { bytes in
                if let source = bytes.baseAddress { memcpy(buffer.pointer, source, bytes.count) }
            }
            return buffer
        }
        let targets = outputTypes.map { AlignedBuffer(byteCount: $0.byteCount) }
        // One more, so that neither list is empty.
        let inputPointers = sources.map { UnsafeRawPointer($0.pointer) } + [UnsafeRawPointer(arena.pointer)]
        let outputPointers = targets.map(\.pointer) + [arena.pointer]
        try withExtendedLifetime((arena, sources, targets)) {
            try run(arena: arena.pointer, inputs: inputPointers, outputs: outputPointers, workers: workers)
        }
        return zip(targets, outputTypes).map { target, type in
            HostArray(
                type: type, bytes: [UInt8](UnsafeRawBufferPointer(start: target.pointer, count: type.byteCount)))
        }
    }
}
