import Foundation
import NN
import Tensor
import Tokenizer

/// What the codec minimises: the reconstruction and quantizer losses of a recipe, weighted and summed.
struct GeneratorObjective: Sendable {
    let model: Alpha
    let losses: Recipe.Losses
    let precision: Recipe.Precision
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
        precision = recipe.precision
        warmupSteps = recipe.quantizerWarmupSteps
        mel = MultiScaleMelLoss(
            sampleRate: model.configuration.sampleRate, windows: losses.melWindows, bands: losses.melBands)
        stft = MultiResolutionSTFTLoss(sampleRate: model.configuration.sampleRate)
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
    ) -> (total: Tensor, parts: [String: Tensor], quantized: Quantized) {
        let masks = Masks(lengths: lengths, sampleCount: audio.shape[1], hop: model.configuration.hop)
        let keys = key.split(2)
        var training = QuantizerTraining(key: keys[0])
        if warmupSteps > 0 {
            let share = 1 - step.cast(to: .f32) / Double(warmupSteps)
            training.bypass = keys[1].uniform([audio.shape[0]]).isLess(than: share)
        }
        if dropout > 0 {
            training.levelOneAlone = keys[1].folding(in: 1).uniform([audio.shape[0]]).isLess(than: dropout)
        }
        training.temperature = temperature.value(at: step)
        var (estimate, quantized) = model.reconstruct(
            audio.cast(to: precision == .bf16 ? .bf16 : .f32), training: training, masks: masks)
        let (reference, signal) = (audio.squeezed(2), estimate.squeezed(2).cast(to: .f32))

        var parts: [String: Tensor] = [:]
        var total = Tensor.scalar(0)
        func add(_ name: String, weight: Double, _ value: () -> Tensor) {
            guard weight != 0 else { return }
            let value = value()
            parts[name] = value
            total = total + value * weight
        }
        add("mel", weight: losses.mel) { mel(reference, signal, masks: masks, bandwidth: bandwidth) }
        add("stft", weight: losses.stft) { stft(reference, signal, masks: masks, bandwidth: bandwidth) }
        add("waveform", weight: losses.waveform) { waveformLoss(reference, signal, masks: masks) }
        for (name, value) in quantized.losses.sorted(by: { $0.key < $1.key }) {
            let kind = name.split(separator: ".").last.map(String.init) ?? name
            let weights = ["commitment": losses.commitment, "codebook": losses.codebook, "entropy": losses.entropy]
            guard let weight = weights[kind] else {
                preconditionFailure("the quantizer's loss '\(name)' has no weight in the recipe")
            }
            add(name, weight: weight) { value.cast(to: .f32) }
        }
        if let perceptual {
            add("perceptual", weight: losses.perceptual) { perceptual(reference, signal, masks: masks) }
        }
        if let targets, let logits = quantized.logits {
            let value = phonemes(
                logits: logits, priors: quantized.priors, targets: targets, mask: masks.frames)
            add("ctc", weight: losses.ctc) { value.ctc }
            if let frames = value.frames { add("phonemeFrames", weight: losses.ctc) { frames } }
            quantized.metrics["labelled"] = value.labelled
            quantized.metrics["impossible"] = value.impossible
        }
        return (total, parts, quantized)
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
