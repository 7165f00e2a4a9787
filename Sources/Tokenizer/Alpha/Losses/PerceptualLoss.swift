import NN
public import Tensor

/// How far apart two sounds are to an encoder that knows phonemes: the distance of its features, layer by layer.
///
/// The encoder is a trained Alpha's, and frozen: its parameters are placeholders that whoever runs the graph binds to the
/// trained values, and no gradient of them is asked for. Distances in a speech model's space did more for intelligibility
/// than any other single loss, as published codecs report.
public struct PerceptualLoss: Sendable {
    /// The model whose encoder listens.
    public let model: Alpha

    /// - Precondition: the signals are at the model's sample rate, whole numbers of its hops.
    public init(model: Alpha) { self.model = model }

    /// - Parameters:
    ///   - reference: `[batch, samples]`; no gradient flows to it.
    ///   - estimate: `[batch, samples]`.
    ///   - masks: what is real of them, in frames of any length.
    /// - Returns: a scalar: the mean over layers of mean |Δ feature| over mean |feature of the reference|. So layers count
    ///   alike, whatever the size of their features, and 0 is equal.
    public func callAsFunction(_ reference: Tensor, _ estimate: Tensor, masks: Masks? = nil) -> Tensor {
        let batch = reference.shape[0]
        let both = concatenate([reference.stoppingGradient, estimate], axis: 0).expanded(at: 2)
        var past =
            masks.map { Past.offline(mask: concatenate([$0.samples, $0.samples], axis: 0)) } ?? .offline()
        let features = model.listener.features(both, &past)
        let weights = masks.map {
            Masks(lengths: $0.lengths, sampleCount: $0.sampleCount, hop: model.configuration.hop).frames.expanded(at: 2)
        }
        return Self.distance(
            features.map { $0.slice(0, 0, batch) }, features.map { $0.slice(0, batch, 2 * batch) }, weights: weights)
    }

    /// The same of features, `[batch, frames, channels]` a layer; `weights` are `[batch, frames, 1]`.
    static func distance(_ reference: [Tensor], _ estimate: [Tensor], weights: Tensor?) -> Tensor {
        let layers = zip(reference, estimate).map { heard, judged in
            let heard = heard.stoppingGradient
            return (judged - heard).abs().mean(weights: weights) / maximum(heard.abs().mean(weights: weights), 1e-6)
        }
        return Reduction.mean(layers)
    }
}
