/// A primitive without inputs whose value is known while tracing.
public protocol ConstantPrimitive: Primitive {}

extension ConstantPrimitive {
    public func vjp(_ site: VJPSite) -> [Tensor?] { [] }
}

/// A value given from outside when the graph runs: an argument, or a parameter of a module.
public struct Input: Primitive {
    /// For messages; identity is the node's.
    public let label: String
    public let type: TensorType
    public var name: String { "input" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] { [type] }
    public func vjp(_ site: VJPSite) -> [Tensor?] { [] }
}

/// An array written into the program. Keep these small: weights are inputs.
public struct Constant: ConstantPrimitive {
    public let value: HostArray
    public var name: String { "constant" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] { [value.type] }
}

/// One number in every element.
public struct Full: ConstantPrimitive {
    public let value: Double
    public let type: TensorType
    public var name: String { "full" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] { [type] }
}

/// Each element's position along one axis.
public struct Iota: ConstantPrimitive {
    public let axis: Int
    public let type: TensorType
    public var name: String { "iota" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        try require(type.shape.indices.contains(axis), "axis \(axis) is not one of \(type.shape)")
        return [type]
    }
}

extension Tensor {
    /// A value to be given when the graph runs.
    public static func input(_ type: TensorType, name: String) -> Tensor {
        apply1(Input(label: name, type: type))
    }

    /// An array known while tracing.
    public static func constant(_ value: HostArray) -> Tensor { apply1(Constant(value: value)) }

    /// A vector or array of constants of this dtype.
    public static func constant(_ values: [Double], _ dtype: DType, shape: Shape? = nil) -> Tensor {
        constant(HostArray(values, as: dtype, shape: shape ?? [values.count]))
    }

    public static func full(_ value: Double, _ type: TensorType) -> Tensor { apply1(Full(value: value, type: type)) }
    public static func zeros(_ type: TensorType) -> Tensor { full(0, type) }
    public static func ones(_ type: TensorType) -> Tensor { full(1, type) }

    /// A scalar.
    public static func scalar(_ value: Double, _ dtype: DType = .f32) -> Tensor { full(value, TensorType(dtype, [])) }

    /// `0, 1, 2, …` along `axis`.
    public static func iota(_ type: TensorType, axis: Int) -> Tensor { apply1(Iota(axis: axis, type: type)) }

    /// The vector `0 … count-1`.
    public static func range(_ count: Int, _ dtype: DType = .i32) -> Tensor {
        iota(TensorType(dtype, [count]), axis: 0)
    }
}
