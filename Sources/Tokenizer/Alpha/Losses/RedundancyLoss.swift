import NN
public import Tensor

/// How much bits tell of each other: the squares of the correlations of each bit with the others of its frame and with all of the
/// frame before, summed, and averaged over bits.
///
/// Bits that are set as often as not may still follow from each other, and then say less than they could. It is 0 for bits that are
/// drawn apart, of which n frames show (2 L - 1) / n, and 2 L - 1 where all L bits are one that seldom changes. Zbontar et al., "Barlow
/// Twins: Self-supervised learning via redundancy reduction", 2021, ask the same of features.
///
/// - Parameters:
///   - bits: `[batch, frames, bits]`, two values.
///   - mask: bool `[batch, frames]`, true where a frame is real; all are without it.
/// - Returns: a scalar.
public func redundancyLoss(_ bits: Tensor, mask: Tensor? = nil) -> Tensor {
    let (batch, frames, count) = (bits.shape[0], bits.shape[1], bits.shape[2])
    let weights = (mask?.cast(to: bits.dtype) ?? .ones(TensorType(bits.dtype, [batch, frames]))).expanded(at: 2)
    let total = maximum(weights.sum(), 1)
    let centred = (bits - (bits * weights).sum(axes: [0, 1]) / total) * weights
    let deviation = (centred.squared.sum(axes: [0, 1]) / total + 1e-4).sqrt()
    let scaled = centred / deviation

    func correlations(_ a: Tensor, _ b: Tensor, over count: Tensor) -> Tensor {
        dot(a, b, contracting: ([0, 1], [0, 1])) / maximum(count, 1)
    }
    let apart = HostArray(
        (0..<count * count).map { Float($0 % (count + 1) == 0 ? 0 : 1) }, shape: [count, count])
    let within = correlations(scaled, scaled, over: total).squared
    let others = (within * Tensor.constant(apart).cast(to: bits.dtype)).sum()
    guard frames > 1 else { return others / Double(count) }
    let pairs = (weights.slice(1, 0, frames - 1) * weights.slice(1, 1, frames)).sum()
    let across = correlations(scaled.slice(1, 0, frames - 1), scaled.slice(1, 1, frames), over: pairs).squared.sum()
    return (others + across) / Double(count)
}
