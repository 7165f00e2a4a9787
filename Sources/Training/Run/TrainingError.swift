public import Tokenizer

/// A run that cannot go on.
public enum TrainingError: Error, CustomStringConvertible {
    case recipeChanged(folder: String)
    case dataChanged(folder: String)
    case noCheckpoints(folder: String)
    case noSpeakers(source: String)
    case perceptualModel(path: String, wanted: Alpha.Configuration)
    case initialModel(path: String)
    case initialPhonemes(path: String)
    case phonemesWithoutModel(path: String)
    case frozenWithoutModel(parts: [Recipe.Part])
    case frozenBlocks(path: String)
    case frozenBits(path: String)
    case diverged(folder: String, step: Int, checkpoint: Int)

    public var description: String {
        switch self {
        case .recipeChanged(let folder):
            "\(folder): this run was begun with another recipe (\(folder)/recipe.json). Only its steps, evaluation and "
                + "checkpoints may change; for anything else choose another --run folder"
        case .dataChanged(let folder):
            "\(folder): this run was begun with other data, or with other weights of it, and would not go on where it was. Give the "
                + "same --data and --weight in the same order, or choose another --run folder and begin it --from \(folder)'s model"
        case .noCheckpoints(let folder):
            "\(folder): has a run's model but none of its checkpoints, without which it cannot go on, and would be overwritten by a new run. "
                + "Choose another --run folder (and --from \(folder)'s model to begin there), or remove this one"
        case .noSpeakers(let source):
            "\(source): does not say of any clip who speaks, so the recipe's clips.balance cannot be had; set it to 0, or name "
                + "speakers in the dataset (docs/data.md)"
        case .perceptualModel(let path, let wanted):
            "\(path): does not listen as the model in training speaks; give a losses.perceptualModel of \(wanted.sampleRate) Hz whose "
                + "frames are \(wanted.hop) samples long or a whole part of that. `allophone info` shows both"
        case .initialModel(let path):
            "\(path): a model of another configuration than the recipe's, so its weights cannot be where the run begins; only "
                + "transformer.layers, phonemeLayers and either a BSQ's bits, latentDimension (with heads as wide) or decoderChannels may be fewer. "
                + "`allophone info` shows it, and a recipe's model may be a whole configuration"
        case .initialPhonemes(let path):
            "\(path): its level 1 is not that of the recipe's model, or hears with another encoder, so its phonemes cannot be where the run "
                + "begins; only transformer blocks may be more. `allophone info` shows both"
        case .phonemesWithoutModel(let path):
            "\(path): phonemes are put into a model, and the recipe names none to begin with; give it with --from MODEL, or as initialModel"
        case .frozenWithoutModel(let parts):
            "the recipe freezes what would start random (\(parts.map(\.rawValue).joined(separator: ", "))); name the model that it is "
                + "taken from: --from MODEL, or initialModel in the recipe"
        case .frozenBlocks(let path):
            "\(path): has fewer transformer blocks or channels than the recipe's model, and the others would start random and stay so: "
                + "the recipe freezes a part that they are in. Give as many, or freeze nothing"
        case .frozenBits(let path):
            "\(path): has fewer bits than the recipe's model, and the others would stay without a meaning: the recipe freezes the "
                + "quantizer. Leave it out of 'frozen'"
        case .diverged(let folder, let step, let checkpoint):
            "\(folder): losses or gradients are not finite at step \(step), however often the run goes on from step "
                + "\(checkpoint). Lower optimizer.learningRate or optimizer.clipNorm in another recipe"
        }
    }
}
