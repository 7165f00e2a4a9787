/// Where a value lies while a plan runs.
enum Place: @unchecked Sendable {
    /// A constant, kept alive by the plan. Nothing writes to it after it is made.
    case constant(UnsafeMutableRawPointer)
    /// At this many bytes into the arena.
    case arena(Int)
    /// At this many bytes into the memory given as input number `index`.
    case input(index: Int, offset: Int)

    func offset(by bytes: Int) -> Place {
        switch self {
        case .constant(let pointer): .constant(pointer + bytes)
        case .arena(let start): .arena(start + bytes)
        case .input(let index, let start): .input(index: index, offset: start + bytes)
        }
    }
}

/// The memory of one run.
struct Frame {
    let arena: UnsafeMutableRawPointer
    let inputs: UnsafePointer<UnsafeRawPointer>
    let outputs: UnsafePointer<UnsafeMutableRawPointer>
    /// Who shares the work of a large step; `nil` on one thread.
    let workers: WorkerPool?

    @inline(__always)
    func pointer(_ place: Place) -> UnsafeMutableRawPointer {
        switch place {
        case .constant(let pointer): pointer
        case .arena(let offset): arena + offset
        // Steps write to inputs never: only to arena and outputs.
        case .input(let index, let offset): UnsafeMutableRawPointer(mutating: inputs[index]) + offset
        }
    }

    @inline(__always)
    func floats(_ place: Place) -> UnsafeMutablePointer<Float> { pointer(place).assumingMemoryBound(to: Float.self) }
}

/// A piece of a plan: reads and writes memory at places fixed when the plan was made.
protocol Step: Sendable {
    func run(_ frame: Frame) throws
}
