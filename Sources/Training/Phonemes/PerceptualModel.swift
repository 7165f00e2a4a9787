import Tensor
import Tokenizer

extension Recipe {
    /// The trained model that the perceptual loss listens with; `nil` where the loss has no weight.
    ///
    /// - Throws: `TrainingError.perceptualModel` if its rate or frames do not fit, and what reading a model file throws.
    func perceptualModel(for configuration: Alpha.Configuration) throws -> ModelFile? {
        guard losses.perceptual > 0 else { return nil }
        let file = try ModelFile(path: losses.perceptualModel)
        let other = file.model.configuration
        guard other.sampleRate == configuration.sampleRate, configuration.hop % other.hop == 0 else {
            throw TrainingError.perceptualModel(path: losses.perceptualModel, wanted: configuration)
        }
        return file
    }
}

extension ModelFile {
    /// The values of what level 1 hears with, by their paths in it.
    var listenerArrays: [String: HostArray] {
        let prefix = model.phonemeEncoder == nil ? "encoder." : "phonemeEncoder."
        return arrays.reduce(into: [:]) { found, entry in
            if entry.key.hasPrefix(prefix) { found[String(entry.key.dropFirst(prefix.count))] = entry.value }
        }
    }
}
