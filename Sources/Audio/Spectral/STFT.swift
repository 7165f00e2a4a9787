public import Tensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The short-time Fourier transform, as a graph.
///
/// Frames are weighted by a periodic Hann window, as in librosa and `torch.stft`.
public struct STFT: Sendable {
    public enum Padding: Sendable {
        /// Frame `t` is centred on sample `t·hop`; the edges are mirrored (librosa's and PyTorch's `reflect`).
        case reflect
        /// Frame `t` is centred on sample `t·hop`; the edges are zeros.
        case zeros
        /// Frame `t` begins at sample `t·hop`; only whole frames count.
        case none
    }

    public let length: Int
    public let hop: Int
    public let windowLength: Int
    public let padding: Padding

    /// - Parameters:
    ///   - length: samples per transform; gives `length / 2 + 1` frequencies.
    ///   - hop: samples between frames; a quarter of `length` by default.
    ///   - windowLength: at most `length`, by default equal; a shorter window is centred.
    public init(length: Int, hop: Int? = nil, windowLength: Int? = nil, padding: Padding = .reflect) {
        self.length = length
        self.hop = hop ?? max(1, length / 4)
        self.windowLength = windowLength ?? length
        self.padding = padding
        precondition(
            length > 0 && self.hop > 0 && self.windowLength > 0 && self.windowLength <= length,
            "an STFT of length \(length), hop \(self.hop) and window \(self.windowLength)")
    }

    public var frequencyCount: Int { length / 2 + 1 }

    /// How many frames a signal of `sampleCount` has.
    public func frameCount(_ sampleCount: Int) -> Int {
        let padded = padding == .none ? sampleCount : sampleCount + length / 2 * 2
        return padded < length ? 0 : (padded - length) / hop + 1
    }

    /// `x: [batch, samples]` → the spectrum `[batch, frames, frequencies]`.
    public func callAsFunction(_ x: Tensor) -> ComplexTensor {
        rfft(frames(x) * Tensor.constant(window, x.dtype))
    }

    /// `x: [batch, samples]` → magnitudes `[batch, frames, frequencies]`.
    ///
    /// - Parameter floor: the smallest power taken a root of, which keeps the gradient finite at silence.
    public func magnitude(_ x: Tensor, floor: Double = 1e-12) -> Tensor {
        maximum(self(x).power, floor).sqrt()
    }

    /// The window, centred in `length` samples.
    public var window: [Double] {
        let low = (length - windowLength) / 2
        return (0..<length).map { index in
            let position = index - low
            guard position >= 0 && position < windowLength else { return 0 }
            return 0.5 - 0.5 * cos(2 * Double.pi * Double(position) / Double(windowLength))
        }
    }

    /// The mean magnitude of white noise of so many dB of full scale (RMS): of a complex Gaussian, √π/2 times its RMS.
    public func noiseMagnitude(decibels: Double) -> Double {
        pow(10, decibels / 20) * (Double.pi / 4 * window.reduce(0) { $0 + $1 * $1 }).squareRoot()
    }

    private func frames(_ x: Tensor) -> Tensor {
        let half = length / 2
        let padded =
            switch padding {
            case .none: x
            case .zeros: x.padded(axis: 1, low: half, high: half)
            case .reflect: reflected(x, half)
            }
        let count = frameCount(x.shape[1])
        precondition(count > 0, "\(x.shape[1]) samples are too few for a transform of \(length)")
        if length % hop == 0 {
            // Whole blocks of one hop, side by side: slices and a concatenation, whose gradient is as cheap.
            let perFrame = length / hop
            let blocks = padded.slice(1, 0, (count + perFrame - 1) * hop)
                .reshaped([x.shape[0], count + perFrame - 1, hop])
            return concatenate((0..<perFrame).map { blocks.slice(1, $0, $0 + count) }, axis: 2)
        }
        let positions =
            Tensor.iota(TensorType(.i32, [count, length]), axis: 0) * Double(hop)
            + Tensor.iota(TensorType(.i32, [count, length]), axis: 1)
        return padded.gathering(positions, axis: 1)
    }

    private func reflected(_ x: Tensor, _ edge: Int) -> Tensor {
        let count = x.shape[1]
        precondition(count > edge, "\(count) samples are too few to mirror \(edge) at each end; pad them first")
        if edge == 0 { return x }
        return concatenate(
            [
                x.slice(1, 1, edge + 1).reversed(axes: [1]), x,
                x.slice(1, count - edge - 1, count - 1).reversed(axes: [1]),
            ], axis: 1)
    }
}
