internal import CKernels
public import Tensor

/// A graph made ready to run on this CPU: what depends on constants alone is computed, weights are packed, operations are
/// joined into kernels, and every value has its place in one block of memory.
///
/// Denormal numbers count as zero. Running allocates nothing, except where a primitive has no kernel and the reference evaluator stands in. A plan does not
/// change and may run on several threads at once, each with an arena of its own.
public struct Plan: Sendable {
    public let inputTypes: [TensorType]
    public let outputTypes: [TensorType]
    /// Bytes of memory that a run needs.
    public let arenaByteCount: Int
    private let steps: [any Step]
    private let names: [String]
    /// The most that may share a run: the arena has scratch memory for each.
    private let threads: Int
    // Keeps the constants that steps point to.
    private let constants: [AlignedBuffer]

    /// How a plan is made.
    public struct Options: Sendable {
        public var precision = Precision.f32
        /// The most threads that will share a run.
        public var threads = 1
        /// For an output, the input whose memory it will be written to.
        public var aliases: [Int: Int] = [:]
        /// How many equal blocks of time the rows of every convolution fall into: frames, in a codec. Convolutions of many taps are
        /// then computed block by block with half the multiplications, and plans for other numbers of blocks give the same, bit
        /// for bit. Nil where time has no such blocks: all is then computed row by row.
        public var blocks: Int?

        public init(precision: Precision = .f32, threads: Int = 1, aliases: [Int: Int] = [:], blocks: Int? = nil) {
            self.precision = precision
            self.threads = threads
            self.aliases = aliases
            self.blocks = blocks
        }
    }

    init(_ graph: Graph, constants given: [(Tensor, ConstantPool.ID)], pool: inout ConstantPool, _ options: Options)
        throws
    {
        threads = options.threads
        inputTypes = graph.inputs.map(\.type)
        outputTypes = graph.outputs.map(\.type)
        var builder = ProgramBuilder(pool: pool, threads: options.threads)
        builder.program.inputs = graph.inputs.map { builder.program.makeValue($0.type) }
        let bound = given.map { builder.program.makeValue($0.0.type, constant: $0.1) }
        let whole = Graph(inputs: graph.inputs + given.map(\.0), outputs: graph.outputs)
        builder.program.outputs = try builder.add(whole, builder.program.inputs + bound)
        builder.program.removeUnread()
        builder = try Fusion.apply(to: builder, options)
        pool = builder.pool

        let layout = Layout(builder.program, aliases: options.aliases)
        var lowering = Lowering(program: builder.program, layout: layout, threads: options.threads, pool: pool)
        var lowered: [(any Step, String)] = []
        for operation in layout.operations {
            if let step = try lowering.step(operation) { lowered.append((step, lowering.name(operation))) }
        }
        pool = lowering.pool
        steps = lowered.map(\.0)
        names = lowered.map(\.1)
        constants = lowering.retained
        arenaByteCount = layout.arenaByteCount
    }

    /// Runs the plan on memory of the caller's.
    ///
    /// - Parameters:
    ///   - arena: `arenaByteCount` bytes, aligned to 64, of this run alone.
    ///   - inputs, outputs: one pointer for each, to arrays of their types. An output may be an input's memory if the plan was
    ///     made with that alias; otherwise nothing may overlap.
    ///   - workers: who shares the run: no more than the plan was made for.
    public func run(
        arena: UnsafeMutableRawPointer, inputs: UnsafePointer<UnsafeRawPointer>,
        outputs: UnsafePointer<UnsafeMutableRawPointer>, workers: WorkerPool?
    ) throws {
        checkWidth(of: workers)
        let denormals = ck_flush_denormals()
        defer { ck_restore_denormals(denormals) }
        let frame = Frame(arena: arena, inputs: inputs, outputs: outputs, workers: workers)
        for step in steps { try step.run(frame) }
    }

    /// The steps by name and the seconds that each took in one run; see `run`.
    public func profile(
        arena: UnsafeMutableRawPointer, inputs: UnsafePointer<UnsafeRawPointer>,
        outputs: UnsafePointer<UnsafeMutableRawPointer>, workers: WorkerPool?
    ) throws -> [(name: String, seconds: Double)] {
        checkWidth(of: workers)
        let frame = Frame(arena: arena, inputs: inputs, outputs: outputs, workers: workers)
        let clock = ContinuousClock()
        return try zip(names, steps).map { name, step in
            let elapsed = try clock.measure { try step.run(frame) }.components
            return (name, Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18)
        }
    }

    private func checkWidth(of workers: WorkerPool?) {
        let width = workers?.width ?? 1
        precondition(width <= threads, "\(width) threads for a plan that was made for \(threads)")
    }

    /// What the plan does, a line for each step.
    public var description: String { names.joined(separator: "\n") }
}
