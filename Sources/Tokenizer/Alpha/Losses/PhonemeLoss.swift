public import Tensor

/// What is known of the phonemes in a batch.
public struct PhonemeTargets: Sendable {
    /// i32 `[batch, labels]`: the phonemes of each clip in order, filled up at the end with 0 or less. A row without any says
    /// nothing of its clip.
    public var labels: Tensor
    /// i32 `[batch, frames]`: the phoneme of each frame, 0 in silence, less where it is not known; `nil` without alignments.
    public var frames: Tensor?

    public init(labels: Tensor, frames: Tensor? = nil) {
        self.labels = labels
        self.frames = frames
    }
}

/// What makes level 1 say which phoneme: CTC on its logits, before anything is quantised, and where alignments are known the
/// cross-entropy of frames.
///
/// CTC ahead of the quantizer beat CTC behind it in LitCodec (2025). `docs/phonemes.md` has the theory.
public struct PhonemeLoss: Sendable {
    /// How much of the log of a class's share is taken off its score; 0 is plain CTC.
    public let priorStrength: Double

    public struct Value: Sendable {
        /// Nats for each phoneme, over the clips with labels. A scalar; 0 without such clips.
        public let ctc: Tensor
        /// Nats for each frame whose phoneme is known, and the share of the real frames that these are; `nil` without alignments.
        public let frames: (loss: Tensor, known: Tensor)?
        /// The share of the batch's clips that have labels.
        public let labelled: Tensor
        /// The share of these that are too short for their labels, and count for nothing.
        public let impossible: Tensor
    }

    public init(priorStrength: Double = 0) { self.priorStrength = priorStrength }

    /// - Parameters:
    ///   - logits: `[batch, frames, entries]`, taken as f32 whatever they are.
    ///   - priors: `[entries]`; needed where priors count.
    ///   - mask: `[batch, frames]`, not zero where a frame is real.
    public func callAsFunction(
        logits: Tensor, priors: Tensor?, targets: PhonemeTargets, mask: Tensor?
    ) -> Value {
        let wide = logits.dtype == .f64 ? logits : logits.cast(to: .f32)
        let logProbabilities = wide.logSoftmax()
        let scores =
            priors.map { prior in
                priorStrength == 0
                    ? logProbabilities
                    : CTC.scores(logProbabilities: logProbabilities, priors: prior, strength: priorStrength)
            } ?? logProbabilities
        let labels = maximum(targets.labels, 0)
        let counts = labels.isGreater(than: 0).cast(to: wide.dtype).sum(axes: [1])
        let result = CTC.loss(scores: scores, labels: labels, mask: mask)
        let isLabelled = counts.isGreater(than: 0)
        let isUsed = isLabelled & result.isPossible
        let zeros = Tensor.zeros(counts.type)
        let labelledCount = isLabelled.cast(to: wide.dtype).sum()
        return Value(
            ctc: select(isUsed, result.loss, zeros).sum() / maximum(select(isUsed, counts, zeros).sum(), 1),
            frames: targets.frames.map { frames in
                let isReal = mask.map { $0.differs(from: Tensor.zeros($0.type)) }
                let known = isReal.map { select($0, frames, Tensor.scalar(-1, .i32)) } ?? frames
                let isKnown = known.isAtLeast(0).cast(to: wide.dtype)
                let realCount =
                    isReal?.cast(to: wide.dtype).sum() ?? Tensor.scalar(Double(frames.shape.elementCount), wide.dtype)
                return (
                    frameCrossEntropy(logProbabilities: logProbabilities, labels: known),
                    isKnown.sum() / maximum(realCount, 1)
                )
            },
            labelled: labelledCount * (1 / Double(labels.shape[0])),
            impossible: (isLabelled & !result.isPossible).cast(to: wide.dtype).sum() / maximum(labelledCount, 1))
    }
}
