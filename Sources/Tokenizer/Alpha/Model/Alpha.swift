public import NN
public import Tensor

/// A speech tokenizer: waveform → frames of codes → waveform, every part causal.
///
/// `[batch, samples, 1]` at `configuration.sampleRate` becomes i32 `[batch, samples / hop, codeWidth]` and back.
public struct Alpha: Module {
    public let configuration: Configuration
    public let encoder: RawEncoder
    /// Level 1's own encoder, if it has one.
    public let phonemeEncoder: RawEncoder?
    public let quantizer: ResidualQuantizer
    public let decoder: RawDecoder

    /// - Throws: `ConfigurationError`.
    public init(_ configuration: Configuration) throws(ConfigurationError) {
        try configuration.validate()
        self.configuration = configuration
        encoder = RawEncoder(configuration)
        phonemeEncoder = configuration.phonemeLayers.map { RawEncoder(configuration, layers: $0) }
        quantizer = ResidualQuantizer(configuration)
        decoder = RawDecoder(configuration)
    }

    /// What level 1 hears with.
    package var listener: RawEncoder { phonemeEncoder ?? encoder }

    private func quantized(_ audio: Tensor, _ past: inout Past, training: QuantizerTraining? = nil) -> Quantized {
        let latent = encoder(audio, &past)
        return quantizer(latent, phonetic: phonemeEncoder?(audio, &past), training: training)
    }

    /// `audio`: `[batch, samples, 1]`, a whole number of hops → i32 codes `[batch, frames, codeWidth]`.
    public func encode(_ audio: Tensor, _ past: inout Past) -> Tensor {
        quantized(audio, &past).codes
    }

    /// What `encode` makes codes of, f32 `[batch, frames, codeWidth]`: how sure each bit is, and which way; see `Quantized.coordinates`.
    public func coordinates(_ audio: Tensor, _ past: inout Past) -> Tensor {
        quantized(audio, &past).coordinates
    }

    /// How likely each phoneme is in each frame, `audio` `[batch, samples, 1]` → f32 `[batch, frames, entries]`, in nats: the logarithm of
    /// its probability less `priorStrength` times that of its share of all frames. A model without phonemes has none.
    ///
    /// - Parameter priorStrength: 0 for probabilities; 1 for how much likelier than anywhere, by which blank has no advantage. Of no
    ///   effect where level 1 keeps no shares: a BSQ, or a VQ whose codebook learns by `gradient` or `movingAverage`.
    public func phonemeScores(_ audio: Tensor, priorStrength: Double, _ past: inout Past) -> Tensor {
        let quantized = self.quantized(audio, &past)
        guard let logits = quantized.logits else { preconditionFailure("a model without phonemes") }
        let logProbabilities = logits.cast(to: .f32).logSoftmax()
        guard let priors = quantized.priors, priorStrength != 0 else { return logProbabilities }
        return CTC.scores(logProbabilities: logProbabilities, priors: priors, strength: priorStrength)
    }

    /// i32 codes `[batch, frames, codeWidth]` → `[batch, samples, 1]`, clamped to ±1.
    ///
    /// - Parameter levelCount: how many levels to hear, all by default.
    public func decode(_ codes: Tensor, levelCount: Int? = nil, _ past: inout Past, as dtype: DType = .f32) -> Tensor {
        decoder(quantizer.embedding(codes, levelCount: levelCount, as: dtype), &past).cast(to: .f32).clamped(-1, 1)
    }

    /// The whole codec with gradients, for training: `audio` `[batch, samples, 1]` → what the decoder makes of it, not
    /// clamped, and how the quantizers did.
    ///
    /// - Parameter masks: what is real of clips of several lengths; each then gives what it gives alone.
    public func reconstruct(
        _ audio: Tensor, training: QuantizerTraining?, masks: Masks? = nil
    ) -> (audio: Tensor, quantized: Quantized) {
        // Each walks its own layers, and counts from the start.
        func past() -> Past { masks.map { .offline(mask: $0.samples) } ?? .offline() }
        var (encoding, decoding) = (past(), past())
        var training = training
        if let masks { training?.mask = masks.frames.cast(to: .f32) }
        let quantized = self.quantized(audio, &encoding, training: training)
        return (decoder(quantized.embedding, &decoding), quantized)
    }
}
