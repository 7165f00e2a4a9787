public import NN
public import Tensor

/// Waveform to frames: causal convolutions that downsample step by step, then transformer blocks at the frame rate.
public struct RawEncoder: Module {
    let stem: CausalConv1d
    let blocks: [Block]
    let activation: Snake
    let head: CausalConv1d
    let transformer: [TransformerBlock]

    /// - Parameter layers: transformer blocks; `nil` for as many as the configuration has on both sides.
    public init(_ configuration: Alpha.Configuration, layers: Int? = nil) {
        let norm = configuration.weightNormalization
        stem = CausalConv1d(1, configuration.width, kernel: 7, weightNorm: norm)
        var channels = configuration.width
        blocks = configuration.strides.map { stride in
            defer { channels *= 2 }
            return Block(
                channels: channels, stride: stride, dilations: configuration.dilations, weightNorm: norm)
        }
        activation = Snake(channels)
        head = CausalConv1d(channels, configuration.latentDimension, kernel: 3, weightNorm: norm)
        transformer = configuration.transformerBlocks(layers ?? configuration.transformer.layers)
    }

    /// `x`: `[batch, samples, 1]`, a whole number of hops → `[batch, frames, latent]`.
    public func callAsFunction(_ x: Tensor, _ past: inout Past) -> Tensor {
        let all = features(x, &past)
        return all[all.count - 1]
    }

    /// What the layers at the frame rate make of it, `[batch, frames, latent]` each: the convolutions together, then each
    /// transformer block. The last is the encoder's output.
    public func features(_ x: Tensor, _ past: inout Past) -> [Tensor] {
        var h = stem(x, &past)
        for block in blocks { h = block(h, &past) }
        var all = [head(activation(h), &past)]
        for block in transformer { all.append(block(all[all.count - 1], &past)) }
        return all
    }

    /// Residual units at one rate, then a convolution to twice the channels at a lower rate.
    struct Block: Module {
        let units: [ResidualUnit]
        let activation: Snake
        let downsample: CausalConv1d

        init(channels: Int, stride: Int, dilations: [Int], weightNorm: Bool) {
            units = dilations.map { ResidualUnit(channels: channels, dilation: $0, weightNorm: weightNorm) }
            activation = Snake(channels)
            downsample = CausalConv1d(
                channels, 2 * channels, kernel: 2 * stride, stride: stride, weightNorm: weightNorm)
        }

        func callAsFunction(_ x: Tensor, _ past: inout Past) -> Tensor {
            var h = x
            for unit in units { h = unit(h, &past) }
            return downsample(activation(h), &past)
        }
    }
}

extension Alpha.Configuration {
    func transformerBlocks(_ count: Int) -> [TransformerBlock] {
        (0..<count).map { _ in
            TransformerBlock(
                latentDimension, heads: transformer.heads, hidden: transformer.expansion * latentDimension,
                window: transformer.window)
        }
    }
}
