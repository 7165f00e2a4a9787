/// The order in which a dense array's elements lie in memory.
struct DenseLayout {
    let dimensions: [Int]
    /// The dimensions from the fastest-varying to the slowest.
    let minorToMajor: [Int]
    let elementByteCount: Int

    init(dimensions: [Int], minorToMajor: [Int], elementByteCount: Int) {
        self.dimensions = dimensions
        self.minorToMajor = minorToMajor
        self.elementByteCount = elementByteCount
    }

    init(rowMajor dimensions: [Int], elementByteCount: Int) {
        self.init(
            dimensions: dimensions, minorToMajor: dimensions.indices.reversed(), elementByteCount: elementByteCount)
    }

    /// Whether the elements lie as in row-major order; dimensions of 1 may stand anywhere.
    var isRowMajor: Bool {
        let order = minorToMajor.filter { dimensions[$0] != 1 }
        return zip(order, order.dropFirst()).allSatisfy { $0 > $1 }
    }

    /// Copies the elements of `source`, which lie in this layout, into row-major order.
    func reorder(_ source: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer) {
        guard !dimensions.contains(0) else { return }
        // The distance in `source` between neighbours along each dimension, in bytes.
        var strides = dimensions
        var next = elementByteCount
        for dimension in minorToMajor {
            strides[dimension] = next
            next *= dimensions[dimension]
        }
        var index = [Int](repeating: 0, count: dimensions.count)
        var from = 0
        for to in stride(from: 0, to: next, by: elementByteCount) {
            let element = UnsafeRawBufferPointer(rebasing: source[from..<from + elementByteCount])
            UnsafeMutableRawBufferPointer(rebasing: destination[to..<to + elementByteCount]).copyMemory(from: element)
            // Counts `index` up in row-major order, keeping `from` the offset it stands for.
            for dimension in dimensions.indices.reversed() {
                index[dimension] += 1
                from += strides[dimension]
                if index[dimension] < dimensions[dimension] { break }
                from -= index[dimension] * strides[dimension]
                index[dimension] = 0
            }
        }
    }
}
