import NN
import Tensor
import Tokenizer

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The losses of a recipe but for those of discriminators: of reconstruction, quantizers and phonemes.
struct GeneratorObjective: Sendable {
    let model: Alpha
    let losses: Recipe.Losses
    let dtype: DType
    let warmupSteps: Int
    /// Level 1 alone for this share of clips.
    let dropout: Double
    let temperature: Recipe.BitTemperature
    /// Listens with the parameters that the step is given as `teacher`.
    let perceptual: PerceptualLoss?
    private let phonemes: PhonemeLoss
    private let mel: MultiScaleMelLoss
    private let stft: MultiResolutionSTFTLoss

    init(model: Alpha, recipe: Recipe, teacher: Alpha? = nil) {
        self.model = model
        dropout = recipe.quantizerDropout
        temperature = recipe.bitTemperature
        perceptual = recipe.losses.perceptual > 0 ? teacher.map(PerceptualLoss.init) : nil
        phonemes = PhonemeLoss(priorStrength: recipe.losses.labelPriors)
        losses = recipe.losses
        dtype = recipe.precision.dtype
        warmupSteps = recipe.quantizerWarmupSteps
        mel = MultiScaleMelLoss(
            sampleRate: model.configuration.sampleRate, windows: losses.melWindows, bands: losses.melBands,
            quietest: losses.quietest == 0 ? nil : losses.quietest)
        stft = MultiResolutionSTFTLoss(
            sampleRate: model.configuration.sampleRate, quietest: losses.quietest == 0 ? nil : losses.quietest)
    }

    /// - Parameters:
    ///   - audio: f32 `[batch, samples, 1]`, a whole number of hops.
    ///   - lengths: i32 `[batch]`: samples of each clip, at the end of its row.
    ///   - bandwidth: f32 `[batch]`, the highest frequency of each clip that spectral losses look at, in Hz.
    ///   - targets: the phonemes of each clip; of no account to a model without any.
    ///   - step: i32 scalar.
    func callAsFunction(
        _ audio: Tensor, lengths: Tensor, bandwidth: Tensor, targets: PhonemeTargets? = nil, step: Tensor,
        key: RandomKey
    ) -> Attempt {
        let masks = Masks(lengths: lengths, sampleCount: audio.shape[1], hop: model.configuration.hop)
        let (estimate, quantized) = model.reconstruct(
            audio.cast(to: dtype), training: training(clips: audio.shape[0], step: step, key: key), masks: masks)
        var attempt = Attempt(
            audio: audio.squeezed(2), signal: estimate.squeezed(2).cast(to: .f32),
            delay: model.configuration.delaySamples, masks: masks, quantized: quantized)
        let (reference, signal, sounding) = (attempt.reference, attempt.signal, attempt.masks)
        func heard(_ name: String, weight: Double, _ value: () -> Tensor) {
            if weight != 0 { attempt.outputTerms.append(.init(name: name, weight: weight, value: value())) }
        }
        func inner(_ name: String, weight: Double, _ value: Tensor) {
            if weight != 0 { attempt.innerTerms.append(.init(name: name, weight: weight, value: value)) }
        }
        heard("mel", weight: losses.mel) { mel(reference, signal, masks: sounding, bandwidth: bandwidth) }
        heard("stft", weight: losses.stft) { stft(reference, signal, masks: sounding, bandwidth: bandwidth) }
        heard("waveform", weight: losses.waveform) { waveformLoss(reference, signal, masks: sounding) }
        heard("distortion", weight: losses.distortion) {
            scaleInvariantSDRLoss(reference, signal, mask: sounding.samples)
        }
        heard("phase", weight: losses.phase) {
            PhaseLoss(sampleRate: model.configuration.sampleRate)(reference, signal, masks: sounding)
        }
        heard("harmonics", weight: losses.harmonics) {
            HarmonicsLoss(sampleRate: model.configuration.sampleRate)(
                reference, signal, masks: sounding, bandwidth: bandwidth)
        }
        heard("intelligibility", weight: losses.intelligibility) {
            IntelligibilityLoss(sampleRate: model.configuration.sampleRate)(
                reference, signal, masks: sounding, bandwidth: bandwidth)
        }
        heard("loudness", weight: losses.loudness) {
            LoudnessLoss(sampleRate: model.configuration.sampleRate)(
                reference, signal, masks: sounding, bandwidth: bandwidth)
        }
        heard("disturbance", weight: losses.disturbance) {
            DisturbanceLoss(sampleRate: model.configuration.sampleRate)(
                reference, signal, masks: sounding, bandwidth: bandwidth)
        }
        if let perceptual {
            heard("perceptual", weight: losses.perceptual) { perceptual(reference, signal, masks: sounding) }
        }
        for (name, value) in quantized.losses.sorted(by: { $0.key < $1.key }) {
            let kind = name.split(separator: ".").last.map(String.init) ?? name
            let weights = [
                "commitment": losses.commitment, "codebook": losses.codebook, "entropy": losses.entropy,
                "redundancy": losses.redundancy,
            ]
            guard let weight = weights[kind] else {
                preconditionFailure("the quantizer's loss '\(name)' has no weight in the recipe")
            }
            inner(name, weight: weight, value.cast(to: .f32))
        }
        if let targets, let logits = quantized.logits {
            let value = phonemes(logits: logits, priors: quantized.priors, targets: targets, mask: masks.frames)
            if losses.ctc > 0 {
                let counts = step.isAtLeast(Double(losses.ctcStartStep))
                inner(
                    "ctc", weight: losses.ctc,
                    losses.ctcStartStep == 0 ? value.ctc : select(counts, value.ctc, Tensor.scalar(0)))
                attempt.quantized.metrics["labelled"] = value.labelled
                attempt.quantized.metrics["impossible"] = value.impossible
            }
            if let frames = value.frames {
                inner("phonemeFrames", weight: losses.phonemeFrames, frames.loss)
                attempt.quantized.metrics["aligned"] = frames.known
            }
        }
        return attempt
    }

    /// Which clips pass unquantised, and which are heard by level 1 alone.
    private func training(clips: Int, step: Tensor, key: RandomKey) -> QuantizerTraining {
        let keys = key.split(2)
        var training = QuantizerTraining(key: keys[0])
        if warmupSteps > 0 {
            let share = 1 - step.cast(to: .f32) / Double(warmupSteps)
            training.bypass = keys[1].uniform([clips]).isLess(than: share)
        }
        if dropout > 0 {
            training.levelOneAlone = keys[1].folding(in: 1).uniform([clips]).isLess(than: dropout)
        }
        training.temperature = temperature.value(at: step)
        return training
    }
}

extension Recipe.BitTemperature {
    /// An f32 scalar; `nil` for the usual temperature at every step.
    func value(at step: Tensor) -> Tensor? {
        if start == end || steps == 0 {
            return end == BinarySphericalQuantizer.usualTemperature ? nil : Tensor.scalar(end)
        }
        let progress = minimum(step.cast(to: .f32) / Double(steps), Tensor.scalar(1))
        return (progress * log(end / start)).exp() * start
    }
}

extension Recipe.Precision {
    var dtype: DType {
        switch self {
        case .f32: .f32
        case .bf16: .bf16
        }
    }
}

extension Recipe.Losses {
    /// Weights of the losses of the sound that the decoder makes.
    var reconstruction: [String: Double] {
        [
            "mel": mel, "stft": stft, "waveform": waveform, "distortion": distortion,
            "intelligibility": intelligibility, "loudness": loudness, "phase": phase, "harmonics": harmonics,
            "disturbance": disturbance, "perceptual": perceptual,
        ]
    }
}

extension Recipe {
    /// The losses that a balancer weighs, in any phase.
    var balancedLosses: [String: Double] {
        var weights = losses.reconstruction
        if !adversarial.discriminators.isEmpty {
            weights["adversarial"] = adversarial.weight
            weights["features"] = adversarial.featureMatching
        }
        return weights.filter { $0.value > 0 }
    }
}
