import NN
public import Tensor

/// Judges every `period`th sample: convolutions over time of the signal folded by its period.
///
/// Kong et al., "HiFi-GAN", 2020; kernels, widths and slope are DAC's (Kumar et al., 2023). The original convolves a plane
/// by kernels one period wide, which mixes nothing across phases, so phases are clips of the batch here: unit-stride
/// convolutions over time, whose gradients took a third to a sixth of the plane's time on XLA's CPU backend.
public struct PeriodDiscriminator: Discriminator {
    let convolutions: [Conv1d]
    let logits: Conv1d
    let period: Int
    static let kernel = 5
    static let strides = [3, 3, 3, 3, 1]

    public init(period: Int, _ configuration: Discriminators.Configuration.Period = .init()) {
        self.period = period
        let widths = widths(from: configuration.width, to: configuration.maximumWidth, count: 5)
        convolutions = zip([1] + widths, widths).enumerated().map { index, pair in
            Conv1d(
                pair.0, pair.1, kernel: Self.kernel, stride: Self.strides[index], padding: Self.kernel / 2,
                weightNorm: true)
        }
        logits = Conv1d(widths[4], 1, kernel: 3, padding: 1, weightNorm: true)
    }

    public var stride: Int { period * Self.strides.reduce(1, *) }

    /// Maps are `[batch · period, frames, channels]`, a clip's phases one after another.
    public func callAsFunction(_ x: Tensor, padding: LeftPadding, as dtype: DType) -> Judgement {
        let (batch, count) = (x.shape[0], x.shape[1])
        // A whole period more where none is missing, as the original does.
        let missing = period - count % period
        let mirrored = x.slice(1, count - 1 - missing, count - 1).reversed(axes: [1])
        let folded = concatenate([x, mirrored], axis: 1).reshaped([batch, -1, period]).transposed([0, 2, 1])
        var hidden = Hidden(
            folded.reshaped([batch * period, -1, 1]).cast(to: dtype),
            padding: padding.after(stride: period).repeated(period), slope: 0.1)
        for (index, layer) in convolutions.enumerated() {
            hidden.apply({ layer($0) }, stride: Self.strides[index], before: Self.kernel / 2)
        }
        return hidden.judged(by: { logits($0) }, before: 1)
    }
}

/// `count` widths, each four times the one before, none above `limit`.
func widths(from first: Int, to limit: Int, count: Int) -> [Int] {
    (0..<count).map { min(first << (2 * $0), limit) }
}
