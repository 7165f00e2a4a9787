internal import CKernels
internal import Tensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What is fixed of an attention.
struct AttentionShape: Sendable {
    let batch: Int
    let rows: Int
    let past: Int
    let heads: Int
    let sharedHeads: Int
    let width: Int
    let valueWidth: Int
    let window: Int
    let rotaryBase: Double
    let hasMask: Bool

    /// - Returns: `nil` for attention that is not causal, which has no kernel.
    init?(_ types: [TensorType], _ attributes: [String: Double]) {
        guard attributes["causal"] == 1, let past = attributes["past"], let window = attributes["window"],
            let base = attributes["rotaryBase"]
        else { return nil }
        let (q, k, v) = (types[0].shape, types[1].shape, types[2].shape)
        batch = q[0]
        rows = q[1]
        self.past = Int(past)
        heads = q[2]
        sharedHeads = k[2]
        width = q[3]
        valueWidth = v[3]
        self.window = window == 0 ? k[1] : min(Int(window), k[1])
        rotaryBase = base
        hasMask = types.count == 4
    }

    var keyRows: Int { past + rows }

    var kernel: ck_attention {
        ck_attention(
            heads: heads, shared_heads: sharedHeads, width: width, value_width: valueWidth, window: window,
            cosines: nil, sines: nil)
    }

    /// Floats that one thread needs.
    var scratchCount: Int { withUnsafePointer(to: kernel) { ck_attention_scratch($0) } }

    /// Cosines, then sines, of each distance in the window times each frequency; `nil` without positions.
    func rotations() -> AlignedBuffer? {
        guard rotaryBase != 0 else { return nil }
        let half = width / 2
        let buffer = AlignedBuffer(byteCount: 2 * window * half * 4)
        let table = buffer.pointer.assumingMemoryBound(to: Float.self)
        for distance in 0..<window {
            for index in 0..<half {
                let angle = Double(distance) * pow(rotaryBase, -2 * Double(index) / Double(width))
                table[distance * half + index] = Float(cos(angle))
                table[(window + distance) * half + index] = Float(sin(angle))
            }
        }
        return buffer
    }
}

/// Attention of each query to the window of keys that ends with it.
struct AttentionStep: Step {
    let shape: AttentionShape
    /// Cosines and sines by distance.
    let rotations: AlignedBuffer?
    let queries: Place
    let keys: Place
    let values: Place
    let mask: Place?
    let scratch: Place
    let y: Place
    /// For masks with gaps, which the kernel does not know.
    let general: ReferenceStep

    func run(_ frame: Frame) throws {
        var attention = shape.kernel
        if let rotations {
            let table = rotations.pointer.assumingMemoryBound(to: Float.self)
            attention.cosines = UnsafePointer(table)
            attention.sines = UnsafePointer(table + shape.window * shape.width / 2)
        }
        for batch in 0..<shape.batch {
            guard let first = firstKey(frame, batch) else { return try general.run(frame) }
            attend(frame, attention, batch: batch, firstKey: first)
        }
    }

    /// The first key that exists; `nil` if one after it does not.
    private func firstKey(_ frame: Frame, _ batch: Int) -> Int? {
        guard let mask else { return 0 }
        let exists = frame.pointer(mask).assumingMemoryBound(to: UInt8.self) + batch * shape.keyRows
        let first = (0..<shape.keyRows).first { exists[$0] != 0 } ?? shape.keyRows
        for key in first..<shape.keyRows where exists[key] == 0 { return nil }
        return first
    }

    private func attend(_ frame: Frame, _ attention: ck_attention, batch: Int, firstKey: Int) {
        let (queryWidth, resultWidth) = (shape.heads * shape.width, shape.heads * shape.valueWidth)
        let (keyWidth, valueWidth) = (shape.sharedHeads * shape.width, shape.sharedHeads * shape.valueWidth)
        let q = frame.floats(queries) + batch * shape.rows * queryWidth
        let k = frame.floats(keys) + batch * shape.keyRows * keyWidth
        let v = frame.floats(values) + batch * shape.keyRows * valueWidth
        let y = frame.floats(y) + batch * shape.rows * resultWidth
        // Queries before the first key see none; their result has no meaning, but is finite.
        let skipped = max(0, firstKey - shape.past)
        if skipped > 0 { y.update(repeating: 0, count: skipped * resultWidth) }
        let count = shape.rows - skipped
        if count <= 0 { return }
        let scratch = frame.floats(scratch)
        let width = count >= 16 ? frame.workers?.width ?? 1 : 1
        func part(_ index: Int) {
            let start = skipped + count * index / width
            let end = skipped + count * (index + 1) / width
            if start == end { return }
            withUnsafePointer(to: attention) {
                ck_attention_run(
                    $0, q + start * queryWidth, queryWidth, k, keyWidth, v, valueWidth, shape.keyRows,
                    shape.past + start, shape.past + start - firstKey, end - start,
                    scratch + index * shape.scratchCount, y + start * resultWidth, resultWidth)
            }
        }
        if width > 1, let workers = frame.workers { workers.run(part) } else { part(0) }
    }
}

/// Snake, RMS norm or another activation on its own.
struct RowKernelStep: Step {
    enum Kind: Sendable {
        case snake(alpha: Place, inverse: Place)
        case rmsNorm(scale: Place?, epsilon: Double)
        case activation(Affine.Activation)
    }

    let kind: Kind
    let rows: Int
    let channels: Int
    let x: Place
    let y: Place

    func run(_ frame: Frame) {
        let (x, y) = (frame.floats(x), frame.floats(y))
        switch kind {
        case .snake(let alpha, let inverse):
            ck_snake(x, channels, frame.floats(alpha), frame.floats(inverse), rows, channels, y, channels)
        case .rmsNorm(let scale, let epsilon):
            ck_rms_norm(
                x, channels, scale.map { UnsafePointer(frame.floats($0)) }, Float(epsilon), rows, channels, y, channels)
        case .activation(let activation): ck_activate(activation.kernel, x, rows * channels, y)
        }
    }
}
