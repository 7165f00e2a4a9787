public import NN
public import Tensor

/// What quantising gives.
public struct Quantized: Sendable {
    /// i32 `[batch, frames, codeWidth]`: one index for a VQ, 0 or 1 for each bit of a BSQ.
    public var codes: Tensor
    /// f32 `[batch, frames, codeWidth]`: what the codes are made of, of a BSQ the coordinates whose signs its bits are, and of a VQ its
    /// index.
    public var coordinates: Tensor
    /// `[batch, frames, channels]`: what the decoder sees, with gradients passed straight through.
    public var embedding: Tensor
    /// Scalars to be minimised, by name; each is weighted by the training recipe.
    public var losses: [String: Tensor]
    /// Scalars to be watched, by name.
    public var metrics: [String: Tensor]
    /// New values of statistics, by the placeholder of the parameter they replace. The mean of those of a batch's parts is the batch's
    /// where each part has as many real frames.
    public var updates: [(parameter: Parameter, value: Tensor)]
    /// f32 `[batch, frames, entries]`: how near each entry is, the chosen one highest; their softmax is what the level takes
    /// the phoneme to be. Only from a level whose entries are phonemes.
    public var logits: Tensor?
    /// `[entries]`: the mean of these probabilities, for label priors; only from a VQ. One that learns by phonemes alone gives the
    /// moving mean, others that of the frames at hand and in training only.
    public var priors: Tensor?
    /// What dead entries of codebooks are to become, `[entries, dimension]` of each; ``VectorQuantizer/settled(usage:sums:replacements:)``
    /// says which are dead.
    public var replacements: [(codebook: Parameter, values: Tensor)]
}

/// What a quantizer may know while training.
public struct QuantizerTraining: Sendable {
    /// For choosing replacements of dead codes.
    public var key: RandomKey
    /// `[batch, frames]`, 1 where a frame is speech and 0 where it is padding; `nil` for no padding.
    public var mask: Tensor?
    /// bool `[batch]`, true for clips that pass unquantised; `nil` for none. Early in training the decoder learns from these what
    /// there is to hear in a code, before the codes themselves say anything; without them both settle on saying nothing.
    public var bypass: Tensor?
    /// bool `[batch]`, true for clips that the decoder hears by level 1 alone; `nil` for none. Dropout of the quantizer (Zeghidour
    /// et al., "SoundStream", 2021): without it level 1 by itself means nothing to the decoder.
    public var levelOneAlone: Tensor?
    /// Sharpness τ of a BSQ's bit probabilities, a scalar; `nil` for the usual one.
    public var temperature: Tensor?

    public init(
        key: RandomKey, mask: Tensor? = nil, bypass: Tensor? = nil, levelOneAlone: Tensor? = nil,
        temperature: Tensor? = nil
    ) {
        self.key = key
        self.mask = mask
        self.bypass = bypass
        self.levelOneAlone = levelOneAlone
        self.temperature = temperature
    }

    /// `quantized`, or `x` for the clips that pass unquantised.
    func passing(_ x: Tensor, _ quantized: Tensor) -> Tensor {
        guard let bypass else { return quantized }
        return select(bypass.reshaped([x.shape[0], 1, 1]), x, quantized)
    }
}

/// A level of the residual quantizer; VQ and BSQ are interchangeable behind it.
public protocol Quantizer: Module {
    /// How many integers make one code in `Quantized.codes`.
    var codeWidth: Int { get }

    /// `x`: `[batch, frames, channels]`. Without `training` there are no losses, updates or replacements.
    func callAsFunction(_ x: Tensor, training: QuantizerTraining?) -> Quantized

    /// i32 codes `[batch, frames, codeWidth]` → `[batch, frames, channels]`.
    func embedding(_ codes: Tensor, as dtype: DType) -> Tensor
}

/// The value of `quantized` with the gradient of `x` (Bengio et al., 2013).
func straightThrough(_ x: Tensor, _ quantized: Tensor) -> Tensor { x + (quantized - x).stoppingGradient }

/// `x / ‖x‖` along the last axis, in f32.
func normalizedToSphere(_ x: Tensor) -> Tensor {
    let wide = x.dtype == .f64 ? x : x.cast(to: .f32)
    return wide * (wide.squared.sum(axes: [-1], keepingAxes: true) + 1e-12).rsqrt()
}
