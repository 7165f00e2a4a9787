public import NN
public import Tensor

/// Frames to waveform: the encoder mirrored, with channels of its own if it is told some.
public struct RawDecoder: Module {
    let transformer: [TransformerBlock]
    let stem: CausalConv1d
    let blocks: [Block]
    let activation: Snake
    let head: CausalConv1d

    /// Frames that the first convolution sees at once.
    static let stemFrames = 7

    public init(_ configuration: Alpha.Configuration) {
        let norm = configuration.weightNormalization
        let channels = configuration.channelsOfDecoder
        transformer = configuration.transformerBlocks(configuration.transformer.layers)
        stem = CausalConv1d(configuration.latentDimension, channels[0], kernel: Self.stemFrames, weightNorm: norm)
        blocks = configuration.strides.reversed().enumerated().map { index, stride in
            Block(
                channels[index], channels[index + 1], stride: stride, dilations: configuration.dilations,
                weightNorm: norm)
        }
        activation = Snake(channels[blocks.count])
        head = CausalConv1d(channels[blocks.count], 1, kernel: 7, weightNorm: norm)
    }

    /// `x`: `[batch, frames, latent]` → `[batch, samples, 1]`.
    public func callAsFunction(_ x: Tensor, _ past: inout Past) -> Tensor {
        var h = x
        for block in transformer { h = block(h, &past) }
        h = stem(h, &past)
        for block in blocks { h = block(h, &past) }
        return head(activation(h), &past)
    }

    /// A convolution to other channels at a higher rate, mostly half as many, then residual units there.
    struct Block: Module {
        let activation: Snake
        let upsample: CausalConvTranspose1d
        let units: [ResidualUnit]

        init(_ inputs: Int, _ outputs: Int, stride: Int, dilations: [Int], weightNorm: Bool) {
            activation = Snake(inputs)
            upsample = CausalConvTranspose1d(
                inputs, outputs, kernel: 2 * stride, stride: stride, weightNorm: weightNorm)
            units = dilations.map { ResidualUnit(channels: outputs, dilation: $0, weightNorm: weightNorm) }
        }

        func callAsFunction(_ x: Tensor, _ past: inout Past) -> Tensor {
            var h = upsample(activation(x), &past)
            for unit in units { h = unit(h, &past) }
            return h
        }
    }
}
