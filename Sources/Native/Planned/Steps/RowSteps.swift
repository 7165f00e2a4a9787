internal import Tensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A shape seen as `[outer, length, inner]` around the axes that an operation works along.
struct Lines: Sendable {
    let outer: Int
    let length: Int
    let inner: Int

    /// - Returns: `nil` where other axes lie between those of `axes`.
    init?(_ shape: Shape, axes: [Int]) {
        guard let first = axes.min(), let last = axes.max() else { return nil }
        for axis in first...last where !axes.contains(axis) && shape[axis] != 1 { return nil }
        outer = shape.dimensions[..<first].reduce(1, *)
        length = shape.dimensions[first...last].reduce(1, *)
        inner = shape.dimensions[(last + 1)...].reduce(1, *)
    }
}

/// Reductions of f32, accumulated in f64 and rounded once, and of bool.
struct ReduceStep: Step {
    let kind: Reduce.Kind
    let lines: Lines
    let source: Place
    let target: Place

    func run(_ frame: Frame) {
        switch kind {
        case .sum: fold(frame, 0.0) { (x: Double, y: Double) in x + y }
        case .product: fold(frame, 1.0) { (x: Double, y: Double) in x * y }
        case .maximum: fold(frame, -Double.infinity) { $1 > $0 || $1.isNaN ? $1 : $0 }
        case .minimum: fold(frame, Double.infinity) { $1 < $0 || $1.isNaN ? $1 : $0 }
        case .all: fold(frame, 1 as UInt8) { $0 & $1 }
        case .any: fold(frame, 0 as UInt8) { $0 | $1 }
        }
    }

    @inline(__always)
    private func fold(_ frame: Frame, _ initial: Double, _ combine: (Double, Double) -> Double) {
        let (x, y) = (frame.floats(source), frame.floats(target))
        each { start, result in
            var value = initial
            for index in 0..<lines.length { value = combine(value, Double(x[start + index * lines.inner])) }
            y[result] = Float(value)
        }
    }

    @inline(__always)
    private func fold(_ frame: Frame, _ initial: UInt8, _ combine: (UInt8, UInt8) -> UInt8) {
        let x = frame.pointer(source).assumingMemoryBound(to: UInt8.self)
        let y = frame.pointer(target).assumingMemoryBound(to: UInt8.self)
        each { start, result in
            var value = initial
            for index in 0..<lines.length { value = combine(value, x[start + index * lines.inner]) }
            y[result] = value
        }
    }

    @inline(__always)
    private func each(_ body: (_ start: Int, _ result: Int) -> Void) {
        for outer in 0..<lines.outer {
            for inner in 0..<lines.inner {
                body(outer * lines.length * lines.inner + inner, outer * lines.inner + inner)
            }
        }
    }
}

/// The first largest f32 element of each line; NaN counts as larger than any number.
struct ArgMaxStep: Step {
    let lines: Lines
    let source: Place
    let target: Place

    func run(_ frame: Frame) {
        let x = frame.floats(source)
        let y = frame.pointer(target).assumingMemoryBound(to: Int32.self)
        for outer in 0..<lines.outer {
            for inner in 0..<lines.inner {
                let start = x + outer * lines.length * lines.inner + inner
                var winner = 0
                for index in 1..<max(1, lines.length) {
                    let (best, value) = (start[winner * lines.inner], start[index * lines.inner])
                    if best < value || (value.isNaN && !best.isNaN) { winner = index }
                }
                y[outer * lines.inner + inner] = Int32(winner)
            }
        }
    }
}

/// Slices chosen by i32 indices, which are moved inside.
struct GatherStep: Step {
    let lines: Lines
    let width: Int
    let source: Place
    let indices: Place
    let indexCount: Int
    let target: Place

    func run(_ frame: Frame) {
        let (source, target) = (frame.pointer(source), frame.pointer(target))
        let indices = frame.pointer(indices).assumingMemoryBound(to: Int32.self)
        let bytes = lines.inner * width
        for outer in 0..<lines.outer {
            for index in 0..<indexCount {
                let row = max(0, min(Int(indices[index]), lines.length - 1))
                memcpy(
                    target + (outer * indexCount + index) * bytes, source + (outer * lines.length + row) * bytes, bytes)
            }
        }
    }
}

/// A product of f32 arrays whose weights are not known beforehand, accumulated in f64 and rounded once.
struct DotStep: Step {
    /// The distances of left and right, and the extents, of the batch, left, right and contracted axes.
    struct Axes: Sendable {
        var extents: [Int] = []
        var left: [Int] = []
        var right: [Int] = []

        mutating func append(_ extent: Int, left: Int, right: Int) {
            extents.append(extent)
            self.left.append(left)
            self.right.append(right)
        }

        /// The offsets of every position, row-major.
        var offsets: (left: [Int], right: [Int]) {
            (Native.offsets(extents, left), Native.offsets(extents, right))
        }
    }

    let rows: (left: [Int], right: [Int])
    let columns: [Int]
    let terms: (left: [Int], right: [Int])
    let left: Place
    let right: Place
    let target: Place

    init(_ dot: Dot, _ left: TensorType, _ right: TensorType, places: (left: Place, right: Place, target: Place)) {
        var (outer, inner, contracted) = (Axes(), Axes(), Axes())
        let (l, r) = (left.shape, right.shape)
        for (a, b) in zip(dot.batchAxes.left, dot.batchAxes.right) {
            outer.append(l[a], left: l.strides[a], right: r.strides[b])
        }
        for axis in l.indices where !dot.batchAxes.left.contains(axis) && !dot.contractedAxes.left.contains(axis) {
            outer.append(l[axis], left: l.strides[axis], right: 0)
        }
        for axis in r.indices where !dot.batchAxes.right.contains(axis) && !dot.contractedAxes.right.contains(axis) {
            inner.append(r[axis], left: 0, right: r.strides[axis])
        }
        for (a, b) in zip(dot.contractedAxes.left, dot.contractedAxes.right) {
            contracted.append(l[a], left: l.strides[a], right: r.strides[b])
        }
        rows = outer.offsets
        columns = inner.offsets.right
        terms = contracted.offsets
        self.left = places.left
        self.right = places.right
        target = places.target
    }

    func run(_ frame: Frame) {
        let (x, w, y) = (frame.floats(left), frame.floats(right), frame.floats(target))
        withUnsafeTemporaryAllocation(of: Double.self, capacity: max(1, columns.count)) { sums in
            for row in rows.left.indices {
                sums.update(repeating: 0)
                for term in terms.left.indices {
                    let factor = Double(x[rows.left[row] + terms.left[term]])
                    let base = w + rows.right[row] + terms.right[term]
                    for column in columns.indices { sums[column] += factor * Double(base[columns[column]]) }
                }
                for column in columns.indices { y[row * columns.count + column] = Float(sums[column]) }
            }
        }
    }
}

/// Whatever has no step of its own, by the reference evaluator.
struct ReferenceStep: Step {
    let primitive: any ReferencePrimitive
    let operands: [(place: Place, type: TensorType)]
    let results: [(place: Place, type: TensorType)]

    func run(_ frame: Frame) throws {
        let inputs = operands.map { operand in
            HostArray(
                type: operand.type,
                bytes: [UInt8](
                    UnsafeRawBufferPointer(start: frame.pointer(operand.place), count: operand.type.byteCount)))
        }
        for (result, value) in zip(results, try primitive.evaluate(inputs, results: results.map(\.type))) {
            value.bytes.withUnsafeBytes { bytes in
                guard let source = bytes.baseAddress, !bytes.isEmpty else { return }
                _ = memcpy(frame.pointer(result.place), source, bytes.count)
            }
        }
    }
}
