import Checkpoint
import NN
import Tensor
public import Tokenizer

extension ModelFile {
    /// The model as a run's checkpoint has it: what the run would evaluate and write there, its averaged weights if it keeps any.
    ///
    /// - Parameter path: The checkpoint's folder, such as `runs/1/checkpoints/step-00001200`.
    /// - Throws: `CheckpointError`, `RecipeError`, `ConfigurationError`, `TensorDifferences`, and what else reading safetensors throws.
    public init(checkpoint path: String) throws {
        struct State: Decodable {
            let recipe: StoredRecipe
        }
        let checkpoint = try CheckpointStore.checkpoint(at: path)
        let recipe = try checkpoint.state(as: State.self).recipe.recipe(path: checkpoint.path)
        let model = try Alpha(recipe.model.resolved())
        let file = try checkpoint.file("training")
        let arrays = try model.parameters.keys.reduce(into: [String: HostArray]()) { arrays, name in
            for part in [recipe.deployedPart, "statistics"] {
                let tensor = "\(part).\(name)"
                if file.types[tensor] != nil { arrays[name] = try file.array(named: tensor) }
            }
        }
        try self.init(arrays, of: model, path: path)
    }
}

extension Recipe {
    /// The part of the training state whose weights are evaluated and shipped.
    var deployedPart: String { optimizer.averageDecay > 0 ? "average" : "parameters" }
}
