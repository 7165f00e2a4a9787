public import Tensor

/// What is real in a batch of clips of several lengths, at every rate.
///
/// Clips stand at the end of their rows, with padding before them, so that what a causal model computes for a clip has the same
/// past as when the clip is alone: silence. A batch then gives what each clip gives alone, if the padding is a whole number of
/// frames and nothing counts it:
///
/// - layers, through `Past.offline(mask: masks.samples)`: zero for convolutions, absent for attention;
/// - quantizers, through `QuantizerTraining.mask`;
/// - losses, which average over what is real.
public struct Masks: Sendable {
    /// i32 `[batch]`: samples of each clip, a whole number of frames.
    public let lengths: Tensor
    /// Samples of a row.
    public let sampleCount: Int
    /// Samples of a frame.
    public let hop: Int

    /// - Parameters:
    ///   - lengths: i32 `[batch]`, each a multiple of `hop` and at most `sampleCount`.
    ///   - sampleCount: the length of a row, a multiple of `hop`.
    public init(lengths: Tensor, sampleCount: Int, hop: Int, file: StaticString = #fileID, line: UInt = #line) {
        precondition(
            lengths.rank == 1 && lengths.dtype == .i32, "lengths are i32 [batch], not \(lengths.type)", file: file,
            line: line)
        precondition(
            hop > 0 && sampleCount % hop == 0, "rows of \(sampleCount) samples are not whole frames of \(hop)",
            file: file, line: line)
        self.lengths = lengths
        self.sampleCount = sampleCount
        self.hop = hop
    }

    public var batch: Int { lengths.shape[0] }
    public var frameCount: Int { sampleCount / hop }

    /// i32 `[batch]`: where each clip begins in its row.
    public var starts: Tensor { Double(sampleCount) - lengths }

    /// bool `[batch, samples]`, true where a sample is real.
    public var samples: Tensor { real(sampleCount, step: 1) }

    /// bool `[batch, frames]` at the model's frame rate, true where a frame is real.
    public var frames: Tensor { real(frameCount, step: hop) }

    /// Which frames a frame attends to: bool `[batch, frames, frames]`, queries before keys.
    ///
    /// A frame sees itself and those before it in its clip, `window` in all. The compact form of the same is `frames` and the
    /// window, which is what attention takes: this one grows with the square of the length, and is for layers that need it
    /// written out.
    public func causal(window: Int? = nil) -> Tensor {
        let type = TensorType(.i32, [1, frameCount, frameCount])
        let age = Tensor.iota(type, axis: 1) - Tensor.iota(type, axis: 2)
        var band = age.isAtLeast(0)
        if let window { band = band & age.isLess(than: Double(window)) }
        return band & frames.expanded(at: 1) & frames.expanded(at: 2)
    }

    /// bool `[batch, frames]`: which of the `count` frames of a spectrogram have their centre in the clip or within a step of it.
    ///
    /// - Parameter step: samples between frames, of which the last is centred on the row's end.
    public func spectrogramFrames(_ count: Int, step: Int) -> Tensor {
        let beforeEnd = (Double(count - 1) - Tensor.range(count)) * Double(step)
        return beforeEnd.expanded(at: 0).isLess(than: (lengths + Double(step)).expanded(at: 1))
    }

    private func real(_ count: Int, step: Int) -> Tensor {
        (Tensor.range(count) * Double(step)).expanded(at: 0).isAtLeast(starts.expanded(at: 1))
    }
}

extension Tensor {
    /// The mean of the elements whose weight in `weights`, of a shape that broadcasts to this one, is 1 and not 0; of all of
    /// them without weights. 0 where none counts.
    func mean(weights: Tensor?) -> Tensor {
        guard let weights else { return mean() }
        let spread = weights.cast(to: dtype).broadcast(to: shape)
        // Chosen and not multiplied: what stands in padding may be anything, infinities too.
        return select(spread.isGreater(than: 0), self * spread, Tensor.scalar(0, dtype)).sum()
            / maximum(spread.sum(), 1)
    }
}
