#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Elements moved from one strided block to another: every operation that only moves elements is one or two of these.
struct BlockCopy: Sendable {
    /// Bytes of an element.
    private let width: Int
    /// Outermost first, merged where neighbours lie one after another on both sides.
    private var extents: [Int] = []
    private var sources: [Int] = []
    private var targets: [Int] = []

    /// - Parameters:
    ///   - sources: the distance, in elements, between neighbours along each axis where they come from.
    ///   - targets: the same where they go.
    init(width: Int, extents: [Int], sources: [Int], targets: [Int]) {
        self.width = width
        for axis in extents.indices where extents[axis] != 1 {
            let (extent, source, target) = (extents[axis], sources[axis], targets[axis])
            if let last = self.extents.indices.last, self.sources[last] == extent * source,
                self.targets[last] == extent * target
            {
                self.extents[last] *= extent
                self.sources[last] = source
                self.targets[last] = target
            } else {
                self.extents.append(extent)
                self.sources.append(source)
                self.targets.append(target)
            }
        }
    }

    func callAsFunction(from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer) {
        if extents.contains(0) { return }
        copy(0, source, target)
    }

    private func copy(_ axis: Int, _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer) {
        guard axis < extents.count else {
            memcpy(target, source, width)
            return
        }
        if axis == extents.count - 1 { return line(source, target, extents[axis], sources[axis], targets[axis]) }
        let (sourceStep, targetStep) = (sources[axis] * width, targets[axis] * width)
        for index in 0..<extents[axis] { copy(axis + 1, source + index * sourceStep, target + index * targetStep) }
    }

    private func line(
        _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ count: Int, _ sourceStep: Int,
        _ targetStep: Int
    ) {
        if sourceStep == 1 && targetStep == 1 {
            memcpy(target, source, count * width)
            return
        }
        switch width {
        case 1: words(source, target, count, sourceStep, targetStep, UInt8.self)
        case 2: words(source, target, count, sourceStep, targetStep, UInt16.self)
        case 4: words(source, target, count, sourceStep, targetStep, UInt32.self)
        default: words(source, target, count, sourceStep, targetStep, UInt64.self)
        }
    }

    private func words<Word>(
        _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ count: Int, _ sourceStep: Int,
        _ targetStep: Int, _: Word.Type
    ) {
        let source = source.assumingMemoryBound(to: Word.self)
        let target = target.assumingMemoryBound(to: Word.self)
        var index = 0
        while index < count {
            target[index * targetStep] = source[index * sourceStep]
            index += 1
        }
    }
}

/// A value moved as blocks, after what is not covered has been filled.
struct CopyStep: Step {
    /// Each goes `offset` bytes into the target.
    let parts: [(copy: BlockCopy, source: Place, offset: Int)]
    let target: Place
    /// One element that fills the whole target first, and how many elements that is.
    var fill: (source: Place, width: Int, count: Int)?

    func run(_ frame: Frame) {
        let target = frame.pointer(target)
        if let fill {
            BlockCopy(width: fill.width, extents: [fill.count], sources: [0], targets: [1])(
                from: frame.pointer(fill.source), to: target)
        }
        for part in parts { part.copy(from: frame.pointer(part.source), to: target + part.offset) }
    }
}

/// A value handed to the caller.
struct StoreStep: Step {
    let source: Place
    let output: Int
    let byteCount: Int

    func run(_ frame: Frame) { memmove(frame.outputs[output], frame.pointer(source), byteCount) }
}
