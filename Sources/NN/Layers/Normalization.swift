public import Tensor

/// Division by the root mean square over channels, and a learned scale.
///
/// Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.
public struct RMSNorm: Module {
    /// `[width]`.
    public let scale: Parameter
    public let epsilon: Double

    public init(_ width: Int, epsilon: Double = 1e-6) {
        scale = Parameter([width], .ones)
        self.epsilon = epsilon
    }

    /// `x`: `[…, width]` → the same shape.
    public func callAsFunction(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        precondition(
            x.shape.last == scale.shape[0], "RMS norm of width \(scale.shape[0]) got \(x.shape)", file: file, line: line
        )
        return rmsNorm(x, scale: scale.tensor, epsilon: epsilon)
    }
}

/// `x / √(mean(x²) + ε) · scale` over the last axis, at least in f32 whatever the type of `x`.
///
/// - Parameters:
///   - x: `[…, width]`.
///   - scale: `[width]`, or `nil` for none.
public func rmsNorm(_ x: Tensor, scale: Tensor?, epsilon: Double = 1e-6) -> Tensor {
    composite("rmsNorm", [x] + (scale.map { [$0] } ?? []), attributes: ["epsilon": epsilon]) { inputs in
        let dtype: DType = x.dtype == .f64 ? .f64 : .f32
        let wide = inputs[0].cast(to: dtype)
        let y = wide * (wide.squared.mean(axes: [-1], keepingAxes: true) + epsilon).rsqrt()
        return [(inputs.count == 2 ? y * inputs[1].cast(to: dtype) : y).cast(to: x.dtype)]
    }[0]
}

/// RMS norm whose scale and shift come from a condition, with a gate for the branch that it begins; the identity with a
/// closed gate at first ("adaLN-Zero", Peebles and Xie, "Scalable Diffusion Models with Transformers", 2023).
public struct AdaRMSZero: Module {
    public let modulation: Linear
    public let epsilon: Double

    public init(_ width: Int, condition: Int, epsilon: Double = 1e-6) {
        modulation = Linear(condition, 3 * width, initializer: .zeros)
        self.epsilon = epsilon
    }

    /// - Parameters:
    ///   - x: `[batch, time, width]`.
    ///   - condition: `[batch, condition]`, or `[batch, time, condition]`.
    /// - Returns: what the branch reads, and what its result is multiplied by: both broadcast to `[batch, time, width]`.
    public func callAsFunction(_ x: Tensor, condition: Tensor) -> (x: Tensor, gate: Tensor) {
        let condition = condition.rank == x.rank ? condition : condition.expanded(at: 1)
        let parts = modulation(condition.silu()).split(3, axis: -1)
        return (rmsNorm(x, scale: nil, epsilon: epsilon) * (1 + parts[1]) + parts[0], parts[2])
    }
}

/// A learned factor for each channel of a residual branch, small at first.
///
/// Touvron et al., "Going deeper with Image Transformers", 2021.
public struct LayerScale: Module {
    /// `[width]`.
    public let scale: Parameter

    public init(_ width: Int, initially value: Double = 0.01) { scale = Parameter([width], .constant(value)) }

    /// `x`: `[…, width]` → the same shape.
    public func callAsFunction(_ x: Tensor) -> Tensor { x * scale.tensor(as: x.dtype) }
}
