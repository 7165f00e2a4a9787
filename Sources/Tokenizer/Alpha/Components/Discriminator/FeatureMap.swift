public import Tensor

/// What one layer of a discriminator made of a batch, and how many of its first frames depend on padding.
///
/// Batches are padded on the left. A frame counts if no sample within its receptive field is padding; the zeros or
/// reflections that convolutions put around a signal are no padding, for a clip alone has them too. Per clip that is one
/// number, which each layer carries on (`LeftPadding`).
public struct FeatureMap: Sendable {
    /// `[batch, frames, …]`.
    public let values: Tensor
    let padding: LeftPadding

    /// The mean over the frames that count, of values `[batch, frames, …]` made of this map's.
    ///
    /// Every value of the batch weighs the same, so a clip counts by its length; it is 0 where nothing counts.
    public func mean(of values: Tensor) -> Tensor {
        let wide = values.cast(to: values.dtype == .f64 ? .f64 : .f32)
        guard let weights = padding.weights(frames: wide.shape[1], as: wide.dtype) else { return wide.mean() }
        let shape = wide.shape
        let column = weights.reshaped(Shape([shape[0], shape[1]] + shape.dropFirst(2).map { _ in 1 }))
        let others = Double(shape.dropFirst(2).reduce(1, *))
        return (wide * column).sum() / maximum(weights.sum() * others, 1)
    }
}

/// How many frames at the start of each clip depend on padding: i32 `[batch]`, or `nil` where there is no padding.
public struct LeftPadding: Sendable {
    let frames: Tensor?

    public static let none = LeftPadding(frames: nil)

    private init(frames: Tensor?) { self.frames = frames }

    /// - Parameter mask: `[batch, samples]`, not zero where a sample is real; false only before true.
    public init(mask: Tensor?) {
        frames = mask.map { mask in
            let isReal = (mask.dtype == .bool ? mask : mask.cast(to: .bool)).cast(to: .i32)
            return Double(mask.shape[1]) - isReal.sum(axes: [1])
        }
    }

    /// After a layer whose frame `n` reads from `n · stride - before` on: `⌈(frames + before) / stride⌉`.
    func after(stride: Int = 1, before: Int = 0) -> LeftPadding {
        LeftPadding(
            frames: frames.map { count in
                let next = (count + Double(before + stride - 1)) / Double(stride)
                return select(count.isGreater(than: 0), next, Tensor.zeros(count.type))
            })
    }

    /// With so many samples more before each clip. A clip without padding has none now either: zeros before it are what
    /// convolutions put there too.
    func extended(by count: Int) -> LeftPadding {
        if count == 0 { return self }
        return LeftPadding(
            frames: frames.map { select($0.isGreater(than: 0), $0 + Double(count), Tensor.zeros($0.type)) })
    }

    /// For each clip `count` times in a row.
    func repeated(_ count: Int) -> LeftPadding {
        LeftPadding(frames: frames.map { $0.expanded(at: 1).broadcast(to: [$0.shape[0], count]).reshaped([-1]) })
    }

    /// 1 for frames that count and 0 for others, `[batch, count]`.
    func weights(frames count: Int, as dtype: DType) -> Tensor? {
        frames.map { first in
            Tensor.range(count, .i32).expanded(at: 0).isAtLeast(first.expanded(at: 1)).cast(to: dtype)
        }
    }
}
