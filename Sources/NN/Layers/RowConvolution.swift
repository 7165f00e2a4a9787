import Tensor

// As a product whose outputs are all taps of one axis, which are then added up at their places: y[t] = Σᵢ z[t + i·d] with
// z = x · (w₀ | w₁ | …). XLA's CPU backend copies each patch that a kernel sees; taps among the outputs make patches smaller
// by their number.

/// A plane convolved with unit strides, `x: [batch, first, second, inputs]` with a kernel `[k₀, k₁, inputs, outputs]`: as
/// one convolution over rows, with the taps of the first axis among its outputs.
///
/// 3 × 9 taps of 32 channels each: 16, 17 and 28 ms forward and for both gradients, where the convolution of the plane took
/// 130, 33 and 136.
func convolvingRows(_ x: Tensor, _ kernel: Tensor, dilation: Int) -> Tensor {
    let (batch, count, outputs) = (x.shape[0], x.shape[1], kernel.shape[3])
    let taps = kernel.shape[0]
    let wide = kernel.transposed([1, 2, 0, 3]).reshaped([kernel.shape[1], kernel.shape[2], taps * outputs])
    let rows = convolve(x.reshaped([batch * count, x.shape[2], x.shape[3]]), wide)
    let products = rows.reshaped([batch, count, rows.shape[1], taps * outputs])
    let frames = count - (taps - 1) * dilation
    let parts = (0..<taps).map { tap in
        products.slice(1, tap * dilation, tap * dilation + frames).slice(3, tap * outputs, (tap + 1) * outputs)
    }
    return parts.dropFirst().reduce(parts[0], +)
}
