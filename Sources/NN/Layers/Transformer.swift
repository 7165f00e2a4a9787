public import Tensor

/// Two linear layers with a nonlinearity between, optionally gated (Shazeer, "GLU Variants Improve Transformer", 2020):
/// `MLP(width, hidden, activation: .silu, gated: true)` is SwiGLU.
public struct MLP: Module {
    public let expand: Linear
    public let gate: Linear?
    public let contract: Linear
    public let activation: Activation

    public init(_ width: Int, _ hidden: Int, activation: Activation = .gelu, gated: Bool = false, bias: Bool = true) {
        expand = Linear(width, hidden, bias: bias)
        gate = gated ? Linear(width, hidden, bias: bias) : nil
        contract = Linear(hidden, width, bias: bias)
        self.activation = activation
    }

    /// `x`: `[…, width]` → the same shape.
    public func callAsFunction(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        let wide = expand(x, file: file, line: line)
        return contract(gate.map { activation($0(x)) * wide } ?? activation(wide))
    }
}

/// A pre-norm transformer block: attention and MLP, each behind an RMS norm and a LayerScale.
public struct TransformerBlock: Module {
    public let attentionNorm: RMSNorm
    public let attention: Attention
    public let attentionScale: LayerScale
    public let mlpNorm: RMSNorm
    public let mlp: MLP
    public let mlpScale: LayerScale

    /// - Parameters:
    ///   - hidden: the width inside the MLP; four times `width` by default.
    ///   - layerScale: what the residual branches are multiplied by at first.
    public init(
        _ width: Int, heads: Int, keyValueHeads: Int? = nil, hidden: Int? = nil, causal: Bool = true,
        window: Int? = nil, rotaryBase: Double? = 10_000, activation: Activation = .gelu, gated: Bool = false,
        layerScale: Double = 0.01, file: StaticString = #fileID, line: UInt = #line
    ) {
        attentionNorm = RMSNorm(width)
        attention = Attention(
            width, heads: heads, keyValueHeads: keyValueHeads, causal: causal, window: window, rotaryBase: rotaryBase,
            file: file, line: line)
        attentionScale = LayerScale(width, initially: layerScale)
        mlpNorm = RMSNorm(width)
        mlp = MLP(width, hidden ?? 4 * width, activation: activation, gated: gated)
        mlpScale = LayerScale(width, initially: layerScale)
    }

    /// `x`: `[batch, time, width]` → the same shape.
    public func callAsFunction(
        _ x: Tensor, _ past: inout Past, file: StaticString = #fileID, line: UInt = #line
    ) -> Tensor {
        let x = x + attentionScale(attention(attentionNorm(x, file: file, line: line), &past, file: file, line: line))
        return x + mlpScale(mlp(mlpNorm(x)))
    }
}
