import NN
import Native
import Synchronization
import Tensor

/// One direction of a model as plans for so many frames and streams at once, with the state that a stream carries.
///
/// Every plan computes a frame from the same operands in the same order, so it does not matter which ones a stream runs on.
final class StreamProgram: Sendable {
    /// Types of the state's entries for one stream, by name.
    private let stateTypes: [(name: String, type: TensorType)]
    /// Where each entry begins in a stream's state, in floats.
    private let offsets: [Int]
    /// How many floats the state of a stream takes.
    let stateCount: Int
    private let weights: SharedWeights
    private let precision: Precision
    private let workers: WorkerPool?
    private let trace: @Sendable (_ frames: Int, _ batch: Int, _ past: inout Past) -> (input: Tensor, output: Tensor)

    private struct Size: Hashable {
        var frames: Int
        var batch: Int
        /// Whether streams go on from one state, which stays as it was.
        var isPreview = false
    }

    private struct Shared {
        var plans: [Size: Plan] = [:]
        var arenas: [AlignedBuffer] = []
    }
    private let shared = Mutex(Shared())

    /// - Parameter trace: makes the input for so many frames of so many streams, and what the model makes of it.
    init(
        weights: SharedWeights, precision: Precision, workers: WorkerPool?,
        trace: @escaping @Sendable (_ frames: Int, _ batch: Int, _ past: inout Past) -> (input: Tensor, output: Tensor)
    ) {
        self.weights = weights
        self.precision = precision
        self.workers = workers
        self.trace = trace
        let types = Past.initialState { past in _ = trace(1, 1, &past) }
        stateTypes = types.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        var (offsets, count) = ([Int](), 0)
        for (_, type) in stateTypes {
            offsets.append(count)
            // Entries begin on cache lines of their own.
            count += (type.byteCount / 4 + 15) / 16 * 16
        }
        self.offsets = offsets
        stateCount = count
    }

    /// Makes the plan for a size now, instead of when it is first needed.
    func prepare(frames: Int, batch: Int) throws { _ = try plan(Size(frames: frames, batch: batch)) }

    private func plan(_ size: Size) throws -> Plan {
        if let plan = shared.withLock({ $0.plans[size] }) { return plan }
        let inputs = stateTypes.map { entry in
            var type = entry.type
            type.shape[0] = size.isPreview ? 1 : size.batch
            return Tensor.input(type, name: entry.name)
        }
        let states = zip(stateTypes, inputs).map { entry, input in
            var shape = input.shape
            shape[0] = size.batch
            return (entry.name, input.broadcast(to: shape))
        }
        var past = Past(streaming: Dictionary(uniqueKeysWithValues: states))
        let (input, output) = trace(size.frames, size.batch, &past)
        let next = size.isPreview ? [] : stateTypes.map { past.nextState[$0.name]! }
        let plan = try weights.plan(
            Graph(inputs: [input] + inputs, outputs: [output] + next),
            Plan.Options(
                precision: precision, threads: workers?.width ?? 1,
                aliases: Dictionary(uniqueKeysWithValues: next.indices.map { ($0 + 1, $0 + 1) }), blocks: size.frames))
        shared.withLock { $0.plans[size] = plan }
        return plan
    }

    /// Runs some frames of one stream, whose state is changed.
    ///
    /// - Parameter isShared: whether the work may be split among threads.
    func run(
        frames: Int, state: inout [Float], input: UnsafeRawPointer, output: UnsafeMutableRawPointer, isShared: Bool
    ) throws {
        let plan = try plan(Size(frames: frames, batch: 1))
        try state.withUnsafeMutableBufferPointer { state in
            try run(plan, isShared: isShared, state: state.baseAddress!, offsets: offsets, input, output)
        }
    }

    /// Runs a frame of each of several streams together.
    ///
    /// - Parameters:
    ///   - input, output: those of the streams, one after another.
    func run(states: inout [[Float]], input: UnsafeRawPointer, output: UnsafeMutableRawPointer) throws {
        let count = states.count
        let plan = try plan(Size(frames: 1, batch: count))
        // Of each entry one stream's after another's, as a plan takes them.
        let memory = AlignedBuffer(byteCount: stateCount * count * 4, cleared: false)
        let group = memory.pointer.assumingMemoryBound(to: Float.self)
        func each(_ stream: Int, _ copy: (_ offset: Int, _ place: UnsafeMutablePointer<Float>, _ size: Int) -> Void) {
            for (offset, element) in zip(offsets, stateTypes) {
                let size = element.type.byteCount / 4
                copy(offset, group + offset * count + stream * size, size)
            }
        }
        for (stream, state) in states.enumerated() {
            state.withUnsafeBufferPointer { state in
                each(stream) { $1.update(from: state.baseAddress! + $0, count: $2) }
            }
        }
        try withExtendedLifetime(memory) {
            try run(plan, isShared: false, state: group, offsets: offsets.map { $0 * count }, input, output)
            for stream in states.indices {
                states[stream].withUnsafeMutableBufferPointer { state in
                    each(stream) { (state.baseAddress! + $0).update(from: $1, count: $2) }
                }
            }
        }
    }

    /// Runs some frames of each of several streams that go on from one state, which stays as it was.
    ///
    /// States are many times larger than what is decoded from them: here none is copied to or from.
    ///
    /// - Parameters:
    ///   - input, output: those of the streams, one after another.
    func preview(
        frames: Int, streams: Int, after state: [Float], input: UnsafeRawPointer, output: UnsafeMutableRawPointer
    ) throws {
        let plan = try plan(Size(frames: frames, batch: streams, isPreview: true))
        try state.withUnsafeBufferPointer { state in
            try run(
                plan, isShared: false, state: UnsafeMutablePointer(mutating: state.baseAddress!), offsets: offsets,
                input, output)
        }
    }

    private func run(
        _ plan: Plan, isShared: Bool, state: UnsafeMutablePointer<Float>, offsets: [Int], _ input: UnsafeRawPointer,
        _ output: UnsafeMutableRawPointer
    ) throws {
        // Where another run has the workers, this one goes on alone.
        let claimed = isShared && workers?.claim() == true ? workers : nil
        let arena = shared.withLock { shared in
            let fitting = shared.arenas.lastIndex { $0.byteCount >= plan.arenaByteCount }
            return fitting.map { shared.arenas.remove(at: $0) }
        }
        let memory = arena ?? AlignedBuffer(byteCount: plan.arenaByteCount)
        defer {
            shared.withLock { $0.arenas.append(memory) }
            claimed?.release()
        }
        let count = offsets.count + 1
        try withUnsafeTemporaryAllocation(of: UnsafeRawPointer.self, capacity: count) { inputs in
            try withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer.self, capacity: count) { outputs in
                inputs[0] = input
                outputs[0] = output
                for (index, offset) in offsets.enumerated() {
                    inputs[index + 1] = UnsafeRawPointer(state + offset)
                    outputs[index + 1] = UnsafeMutableRawPointer(state + offset)
                }
                try plan.run(
                    arena: memory.pointer, inputs: UnsafePointer(inputs.baseAddress!),
                    outputs: UnsafePointer(outputs.baseAddress!), workers: claimed)
            }
        }
    }

    /// The steps of some frames of a new stream, all zeros, and the seconds that each took.
    func profile(frames: Int) throws -> [(name: String, seconds: Double)] {
        let plan = try plan(Size(frames: frames, batch: 1))
        let memory = AlignedBuffer(byteCount: plan.arenaByteCount)
        let input = AlignedBuffer(byteCount: plan.inputTypes[0].byteCount)
        let output = AlignedBuffer(byteCount: plan.outputTypes[0].byteCount)
        let state = AlignedBuffer(byteCount: stateCount * 4)
        let places = offsets.map { state.pointer + $0 * 4 }
        let inputs = [UnsafeRawPointer(input.pointer)] + places.map { UnsafeRawPointer($0) }
        return try withExtendedLifetime((memory, input, output, state)) {
            try plan.profile(
                arena: memory.pointer, inputs: inputs, outputs: [output.pointer] + places, workers: nil)
        }
    }
}
