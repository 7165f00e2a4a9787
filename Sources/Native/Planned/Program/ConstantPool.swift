internal import Tensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The weights of a model and what follows from them alone, computed once and shared by every plan.
///
/// A constant is known by how it is made, not by which trace made it: plans of one model for other lengths and batches find
/// the same reshaped, transposed and packed arrays. Values are computed when a plan asks for them and live as long as a plan
/// holds them.
struct ConstantPool {
    typealias ID = Int

    private enum Definition {
        case array(HostArray)
        case derived(any Primitive, operands: [ID], index: Int, results: [TensorType])
        case released
    }

    private struct Entry {
        let type: TensorType
        var definition: Definition
        var buffer: WeakBuffer?
    }

    private struct WeakBuffer {
        weak var buffer: AlignedBuffer?
    }

    private struct Packing: Hashable {
        var constant: ID
        var weights: Affine.Weights
    }

    struct Packed {
        /// How they lie there.
        var weights: Affine.Weights
        var buffer: AlignedBuffer
    }

    private var entries: [Entry] = []
    private var named: [String: ID] = [:]
    private var literals: [HostArray: ID] = [:]
    private var packed: [Packing: Packed] = [:]
    private var memory = PackedMemory()

    func type(of id: ID) -> TensorType { entries[id].type }

    /// Bytes of all that is packed.
    var packedByteCount: Int { packed.values.reduce(0) { $0 + $1.buffer.byteCount } }

    /// A weight, known by its name.
    mutating func weight(_ name: String, _ value: HostArray) -> ID {
        if value.shape.rank > 1 { memory.expect(elements: value.count, columns: value.shape[value.shape.rank - 1]) }
        return intern("weight \(name)", value.type, .array(value))
    }

    /// An array written in the graph, known by its content.
    mutating func literal(_ value: HostArray) -> ID {
        if let id = literals[value] { return id }
        entries.append(Entry(type: value.type, definition: .array(value)))
        literals[value] = entries.count - 1
        return entries.count - 1
    }

    /// Output `index` of a primitive applied to constants.
    mutating func derived(_ primitive: any Primitive, _ operands: [ID], index: Int, results: [TensorType]) -> ID {
        intern(
            "\(primitive) \(operands) \(index)", results[index],
            .derived(primitive, operands: operands, index: index, results: results))
    }

    private mutating func intern(_ signature: String, _ type: TensorType, _ definition: Definition) -> ID {
        if let id = named[signature] { return id }
        entries.append(Entry(type: type, definition: definition))
        named[signature] = entries.count - 1
        return entries.count - 1
    }

    /// The value, computed if no plan holds it.
    ///
    /// - Throws: `PlanError.released`, or what evaluation throws.
    mutating func buffer(_ id: ID) throws -> AlignedBuffer {
        if let buffer = entries[id].buffer?.buffer { return buffer }
        let buffer = try compute(id)
        entries[id].buffer = WeakBuffer(buffer: buffer)
        return buffer
    }

    private mutating func compute(_ id: ID) throws -> AlignedBuffer {
        let type = entries[id].type
        switch entries[id].definition {
        case .released: throw PlanError.released(type: type)
        case .array(let value):
            let buffer = AlignedBuffer(byteCount: type.byteCount)
            value.bytes.withUnsafeBytes { bytes in
                if let source = bytes.baseAddress { memcpy(buffer.pointer, source, bytes.count) }
            }
            return buffer
        case .derived(let primitive, let operands, let index, let results):
            let sources = try operands.map { try buffer($0) }
            if primitive.isView { return sources[index] }
            let targets = results.map { AlignedBuffer(byteCount: $0.byteCount) }
            let step = try lowerPrimitive(
                primitive,
                operands: zip(sources, operands).map { (.constant($0.pointer), entries[$1].type) },
                results: zip(targets, results).map { (.constant($0.pointer), $1) })
            try step.run(onConstants: sources)
            return targets[index]
        }
    }

    /// Where a value lies already, which saves a copy of a weight as it was given, or of a view of one; else its buffer.
    private mutating func source(_ id: ID) throws -> Source {
        switch entries[id].definition {
        case .array(let value): .array(value)
        case .derived(let primitive, let operands, let index, _) where primitive.isView: try source(operands[index])
        default: .buffer(try buffer(id))
        }
    }

    private enum Source {
        case array(HostArray)
        case buffer(AlignedBuffer)

        func withFloats<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result {
            switch self {
            case .array(let value): try value.bytes.withUnsafeBytes { try $0.withMemoryRebound(to: Float.self, body) }
            case .buffer(let buffer):
                try withExtendedLifetime(buffer) {
                    try body(
                        UnsafeBufferPointer(
                            start: buffer.pointer.assumingMemoryBound(to: Float.self), count: buffer.byteCount / 4))
                }
            }
        }
    }

    /// A constant as the kernels read it, made once.
    mutating func packed(_ id: ID, _ weights: Affine.Weights) throws -> Packed {
        let key = Packing(constant: id, weights: weights)
        if let packed = packed[key] { return packed }
        let source = try source(id)
        let narrow = weights.narrow.flatMap { source.withFloats(areOfBF16) ? $0 : nil }
        let weights = narrow ?? weights
        let result = Packed(weights: weights, buffer: memory.take(weights.groups * weights.packedByteCount))
        try source.withFloats { floats in
            if let start = floats.baseAddress { try weights.pack(start, to: result.buffer.pointer) }
        }
        packed[key] = result
        return result
    }

    /// Lets go of the weights as they were given; plans made later use what earlier ones packed.
    mutating func releaseWeights() {
        for id in entries.indices {
            if case .array(let value) = entries[id].definition, value.bytes.count > Self.smallByteCount {
                entries[id].definition = .released
            }
        }
    }

    /// Biases, scales and codebooks stay: they are read as they are.
    private static let smallByteCount = 1 << 16
}

/// Whether the lower halves of all values are zeros.
private func areOfBF16(_ floats: UnsafeBufferPointer<Float>) -> Bool {
    let piece = 4096
    for start in stride(from: 0, to: floats.count, by: piece) {
        var bits: UInt32 = 0
        for index in start..<min(start + piece, floats.count) { bits |= floats[index].bitPattern }
        if bits & 0xFFFF != 0 { return false }
    }
    return true
}

extension Step {
    /// Runs a step whose places are all constants.
    fileprivate func run(onConstants sources: [AlignedBuffer]) throws {
        let nothing = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
        defer { nothing.deallocate() }
        try withExtendedLifetime(sources) {
            try withUnsafePointer(to: UnsafeRawPointer(nothing)) { inputs in
                try withUnsafePointer(to: nothing) { outputs in
                    try run(Frame(arena: nothing, inputs: inputs, outputs: outputs, workers: nil))
                }
            }
        }
    }
}
