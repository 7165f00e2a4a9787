/// The extent of each axis, outermost first; a scalar has no axes.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, RandomAccessCollection, CustomStringConvertible {
    public var dimensions: [Int]

    public init(_ dimensions: [Int]) { self.dimensions = dimensions }
    public init(arrayLiteral elements: Int...) { self.dimensions = elements }

    public var startIndex: Int { 0 }
    public var endIndex: Int { dimensions.count }
    public subscript(axis: Int) -> Int {
        get { dimensions[axis] }
        set { dimensions[axis] = newValue }
    }

    public var rank: Int { dimensions.count }

    /// The number of elements: the product of the extents, 1 for a scalar.
    public var elementCount: Int { dimensions.reduce(1, *) }

    /// The distance in elements between neighbours along each axis of a row-major array.
    public var strides: [Int] {
        var strides = [Int](repeating: 1, count: rank)
        for axis in stride(from: rank - 2, through: 0, by: -1) {
            strides[axis] = strides[axis + 1] * dimensions[axis + 1]
        }
        return strides
    }

    /// This shape with the axes at `axes` taken out.
    public func removing(_ axes: [Int]) -> Shape {
        let dropped = Set(axes)
        return Shape(dimensions.indices.filter { !dropped.contains($0) }.map { dimensions[$0] })
    }

    public var description: String { "[" + dimensions.map(String.init).joined(separator: ", ") + "]" }
}

/// Element type and shape: all that is known of a tensor before it has a value.
public struct TensorType: Hashable, Sendable, CustomStringConvertible {
    public var dtype: DType
    public var shape: Shape

    public init(_ dtype: DType, _ shape: Shape) {
        self.dtype = dtype
        self.shape = shape
    }

    public var byteCount: Int { dtype.byteCount * shape.elementCount }
    public var description: String { "\(dtype.rawValue)\(shape)" }
}
