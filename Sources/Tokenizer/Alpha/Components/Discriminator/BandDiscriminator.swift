import Audio
import NN
public import Tensor

/// Judges bands of a short-time spectrum apart, and their logits together.
///
/// The multi-band multi-resolution discriminator of DAC (Kumar et al., 2023).
public struct BandDiscriminator: Discriminator {
    let bands: [[Conv2d]]
    let logits: Conv2d
    private let stft: STFT

    /// The edges of the bands, as shares of all frequencies.
    static let edges = [0, 0.1, 0.25, 0.5, 0.75, 1]

    /// - Parameters:
    ///   - window: samples per transform; the hop is a quarter.
    ///   - width: channels of every convolution.
    public init(window: Int, width: Int = 32) {
        stft = STFT(length: window, padding: .none)
        bands = Self.edges.dropLast().map { _ in
            [Conv2d(2, width, kernel: (3, 9), padding: (1, 4), weightNorm: true)]
                + (0..<3).map { _ in
                    Conv2d(width, width, kernel: (3, 9), stride: (1, 2), padding: (1, 4), weightNorm: true)
                } + [Conv2d(width, width, kernel: (3, 3), padding: (1, 1), weightNorm: true)]
        }
        logits = Conv2d(width, 1, kernel: (3, 3), padding: (1, 1), weightNorm: true)
    }

    public var stride: Int { stft.hop }

    /// Maps are `[batch, frames, frequencies, channels]`; the features are those of the lowest band first.
    public func callAsFunction(_ x: Tensor, padding: LeftPadding, as dtype: DType) -> Judgement {
        let (hop, count) = (stft.hop, x.shape[1])
        // Frames are aligned as outputs of a convolution of stride `hop`: as many as hops, the edges mirrored.
        let edge = (stft.length - hop) / 2
        let after = edge + (hop - count % hop) % hop
        precondition(count > after, "\(count) samples are too few for a window of \(stft.length)")
        let mirrored = [
            x.slice(1, 1, edge + 1).reversed(axes: [1]), x,
            x.slice(1, count - 1 - after, count - 1).reversed(axes: [1]),
        ]
        let spectrum = stft(concatenate(mirrored, axis: 1))
        let parts = stack([spectrum.real, spectrum.imaginary], axis: 3).cast(to: dtype)
        let framed = padding.after(stride: hop, before: edge)
        let places = Self.edges.map { Int($0 * Double(stft.frequencyCount)) }
        let stacks = zip(bands, zip(places, places.dropFirst())).map { layers, place in
            var hidden = Hidden(parts.slice(2, place.0, place.1), padding: framed, slope: 0.1)
            for layer in layers { hidden.apply({ layer($0) }, before: 1) }
            return hidden
        }
        let joined = concatenate(stacks.map(\.values), axis: 2)
        return Judgement(
            features: stacks.flatMap(\.features),
            logits: FeatureMap(values: logits(joined), padding: stacks[0].padding.after(before: 1)))
    }
}
