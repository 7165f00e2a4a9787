import NN
public import Tensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Judges the waveform, or the waveform at a lower rate, by strided convolutions in groups of four channels.
///
/// Kumar et al., "MelGAN", 2019; shapes are those of DAC (Kumar et al., 2023).
public struct ScaleDiscriminator: Discriminator {
    let convolutions: [Conv1d]
    let logits: Conv1d
    private let factor: Int

    /// Kernel and stride of each convolution.
    static let shapes = [(15, 1), (41, 4), (41, 4), (41, 4), (41, 4), (5, 1)]

    /// - Parameter factor: by how much the sample rate is lowered first.
    public init(factor: Int = 1, _ configuration: Discriminators.Configuration.Scale = .init()) {
        self.factor = factor
        let widths = widths(from: configuration.width, to: configuration.maximumWidth, count: Self.shapes.count)
        convolutions = zip(zip([1] + widths, widths), Self.shapes).map { channels, shape in
            Conv1d(
                channels.0, channels.1, kernel: shape.0, stride: shape.1, padding: shape.0 / 2,
                groups: shape.1 > 1 ? channels.0 / 4 : 1, weightNorm: true)
        }
        logits = Conv1d(widths[5], 1, kernel: 3, padding: 1, weightNorm: true)
    }

    public var stride: Int { factor * Self.shapes.reduce(1) { $0 * $1.1 } }

    /// Maps are `[batch, frames, channels]`.
    public func callAsFunction(_ x: Tensor, padding: LeftPadding, as dtype: DType) -> Judgement {
        let lowered = factor == 1 ? x : Decimation(factor: factor)(x)
        var hidden = Hidden(
            lowered.expanded(at: 2).cast(to: dtype),
            padding: factor == 1 ? padding : padding.after(stride: factor, before: Decimation(factor: factor).reach),
            slope: 0.1)
        for (layer, shape) in zip(convolutions, Self.shapes) {
            hidden.apply({ layer($0) }, stride: shape.1, before: shape.0 / 2)
        }
        return hidden.judged(by: { logits($0) }, before: 1)
    }
}

/// A lower sample rate by a whole factor: a windowed sinc of 24 zero crossings, its edge at 94.5 % of the new band.
///
/// Smith, "Digital Audio Resampling Home Page"; the numbers are julius's, by which DAC resamples.
struct Decimation {
    let factor: Int
    private let zeros = 24.0
    private let rolloff = 0.945

    /// Samples before and after an output's own that it is made of.
    var reach: Int { Int((zeros * Double(factor) / rolloff).rounded(.up)) }

    /// `x`: `[batch, samples]` → `[batch, samples / factor]`; the edges go on level.
    func callAsFunction(_ x: Tensor) -> Tensor {
        let (batch, count) = (x.shape[0], x.shape[1])
        let taps = (-reach..<(reach + factor)).map { index in
            let t = Double.pi * min(zeros, max(-zeros, Double(index) / Double(factor) * rolloff))
            return (t == 0 ? 1 : sin(t) / t) * pow(cos(t / zeros / 2), 2)
        }
        let total = taps.reduce(0, +)
        // A kernel of whole blocks: the convolution is one of unit stride over blocks of `factor` samples.
        let blocks = (taps.count + factor - 1) / factor
        let kernel = taps.map { $0 / total } + [Double](repeating: 0, count: blocks * factor - taps.count)
        let outputs = count / factor
        let first = x.slice(1, 0, 1).broadcast(to: [batch, reach])
        let last = x.slice(1, count - 1, count).broadcast(to: [batch, reach + 2 * factor])
        let padded = concatenate([first, x, last], axis: 1).slice(1, 0, (outputs - 1 + blocks) * factor)
        return convolve(
            padded.reshaped([batch, outputs - 1 + blocks, factor]),
            .constant(kernel, x.dtype, shape: [blocks, factor, 1])
        ).squeezed(2)
    }
}
