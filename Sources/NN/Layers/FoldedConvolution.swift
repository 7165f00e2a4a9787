import Tensor

// Of few channels, as of many: `fold` neighbours along the second axis stand beside each other, before the convolution as its
// channels and after it as its outputs: y[fold·n + p] = Σ_b Σ_r w[fold·b + r - p]·x[fold·(n + b) + r]. Most of the wider kernel's
// products are with zeros, and it still takes less time: as XLA's CPU backend convolves two channels, it copies a patch of few
// numbers for each output.

/// A plane convolved with unit strides, `x: [batch, first, second, inputs]` with a kernel `[k₀, k₁, inputs, outputs]`.
///
/// - Parameter fold: neighbours that stand beside each other.
func convolvingFolded(_ x: Tensor, _ kernel: Tensor, dilation: Int, fold: Int) -> Tensor {
    let (batch, taps, window, inputs, outputs) = (
        x.shape[0], kernel.shape[0], kernel.shape[1], kernel.shape[2], kernel.shape[3]
    )
    let (frames, count) = (x.shape[1] - (taps - 1) * dilation, x.shape[2] - window + 1)
    let blocks = (count + fold - 1) / fold
    let reach = (window - 1 + 2 * fold - 1) / fold
    let spread = (0..<fold).map { phase in
        kernel.padded(low: [0, phase, 0, 0], high: [0, reach * fold - window - phase, 0, 0])
    }
    let wide = stack(spread, axis: 3).reshaped([taps, reach, fold * inputs, fold * outputs]).transposed([1, 0, 2, 3])
    let whole = x.padded(low: [0, 0, 0, 0], high: [0, 0, (blocks + reach - 1) * fold - x.shape[2], 0])
        .reshaped([batch, x.shape[1], blocks + reach - 1, fold * inputs])
    let seen = concatenate((0..<taps).map { whole.slice(1, $0 * dilation, $0 * dilation + frames) }, axis: 3)
    let y = convolve(
        seen.reshaped([batch * frames, blocks + reach - 1, taps * fold * inputs]),
        wide.reshaped([reach, taps * fold * inputs, fold * outputs]))
    return y.reshaped([batch, frames, blocks * fold, outputs]).slice(2, 0, count)
}
