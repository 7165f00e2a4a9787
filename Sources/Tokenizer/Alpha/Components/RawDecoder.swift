public import NN
public import Tensor

/// Frames to waveform: the encoder mirrored.
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
        var channels = configuration.width << configuration.strides.count
        transformer = configuration.transformerBlocks()
        stem = CausalConv1d(configuration.latentDimension, channels, kernel: Self.stemFrames, weightNorm: norm)
        blocks = configuration.strides.reversed().map { stride in
            defer { channels /= 2 }
            return Block(
                channels: channels, stride: stride, dilations: configuration.dilations, weightNorm: norm)
        }
        activation = Snake(configuration.width)
        head = CausalConv1d(configuration.width, 1, kernel: 7, weightNorm: norm)
    }

    /// `x`: `[batch, frames, latent]` → `[batch, samples, 1]`.
    public func callAsFunction(_ x: Tensor, _ past: inout Past) -> Tensor {
        var h = x
        for block in transformer { h = block(h, &past) }
        h = stem(h, &past)
        for block in blocks { h = block(h, &past) }
        return head(activation(h), &past)
    }

    /// A convolution to half the channels at a higher rate, then residual units there.
    struct Block: Module {
        let activation: Snake
        let upsample: CausalConvTranspose1d
        let units: [ResidualUnit]

        init(channels: Int, stride: Int, dilations: [Int], weightNorm: Bool) {
            activation = Snake(channels)
            upsample = CausalConvTranspose1d(
                channels, channels / 2, kernel: 2 * stride, stride: stride, weightNorm: weightNorm)
            units = dilations.map { ResidualUnit(channels: channels / 2, dilation: $0, weightNorm: weightNorm) }
        }

        func callAsFunction(_ x: Tensor, _ past: inout Past) -> Tensor {
            var h = upsample(activation(x), &past)
            for unit in units { h = unit(h, &past) }
            return h
        }
    }
}
