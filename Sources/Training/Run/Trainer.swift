import Checkpoint
public import Datasets
import Foundation
import Metrics
import NN
import PJRT
import Tensor
public import Tokenizer
public import XLA

/// A training run in a folder: it begins, or goes on exactly where its newest checkpoint stands.
///
/// The folder holds `recipe.json`, `metrics.jsonl`, `checkpoints/` and, once evaluated, `model.safetensors`: the averaged weights.
public final class Trainer {
    public let recipe: Recipe
    public let model: Alpha
    public let folder: String
    /// Optimizer steps done.
    public private(set) var step: Int

    private let engine: Engine
    private let trainingStep: TrainingStep
    private let pipeline: Pipeline
    private let evaluationSet: EvaluationSet
    /// The encoder of the perceptual loss; empty without.
    private let teacher: Tree<Buffer>
    private let store: CheckpointStore
    private var state: Tree<Buffer>

    /// What a checkpoint holds beside tensors.
    private struct Position: Codable {
        var step: Int
        var recipe: Recipe
        /// The batch that comes next.
        var data: Pipeline.Position
    }

    /// What a run tells of itself.
    public enum Event: Sendable {
        /// After a step; the metrics' values are those of an earlier step where reading them now would hold up the device.
        case step(Int, metrics: [String: Double])
        case evaluated(Int, Evaluation)
        case saved(Int, path: String)
    }

    /// Opens the run in `folder`, from its newest whole checkpoint if it has one.
    ///
    /// - Throws: `TrainingError.recipeChanged` if the run was begun with another recipe (more steps are fine), and what reading
    ///   the dataset and checkpoints throws.
    /// - Parameters:
    ///   - data: what to learn from.
    ///   - heldOut: what to evaluate on.
    public init(
        recipe: Recipe, data: [WeightedSource], heldOut: any Source, folder: String, engine: Engine
    ) throws {
        self.recipe = recipe
        self.folder = folder
        self.engine = engine
        model = try Alpha(recipe.model.resolved())
        let listener = try recipe.perceptualModel(for: model.configuration)
        teacher = try engine.upload(listener?.encoderArrays ?? [:])
        trainingStep = TrainingStep(model: model, recipe: recipe, teacher: listener?.model, engine: engine)
        let labeler =
            recipe.usesPhonemes(model.configuration) ? model.configuration.phonemes.map(PhonemeLabeler.init) : nil
        evaluationSet = try EvaluationSet(
            heldOut, count: recipe.evaluation.clips, sampleRate: model.configuration.sampleRate, labeler: labeler)
        var options = try recipe.pipelineOptions()
        options.labeler = labeler
        store = CheckpointStore(
            folder: "\(folder)/checkpoints", retention: .init(last: recipe.checkpoints.keep))
        if let checkpoint = try store.latest() {
            let position: Position = try checkpoint.state()
            var comparable = position.recipe
            comparable.steps = recipe.steps
            comparable.checkpoints = recipe.checkpoints
            comparable.evaluation = recipe.evaluation
            guard comparable == recipe else { throw TrainingError.recipeChanged(folder: folder) }
            step = position.step
            pipeline = try Pipeline(data, options, at: position.data)
            state = try Self.restore(checkpoint, model: model, recipe: recipe, engine: engine)
        } else {
            step = 0
            pipeline = try Pipeline(data, options)
            // Before anything is compiled: a folder that cannot be made is known at once.
            try Disk.createFolder(folder)
            state = try trainingStep.initialState(on: engine)
        }
        let file = try OutputFile(path: "\(folder)/recipe.json")
        try file.write(Array(recipe.json()))
        try file.commit()
    }

    /// Runs until the recipe's last step, or until `shouldStop` says so, and saves.
    public func run(shouldStop: () -> Bool = { false }, report: (Event) throws -> Void) throws {
        var pending: Tree<Buffer>?
        var lastSaved = step
        while step < recipe.steps && !shouldStop() {
            let batch = try pipeline.nextBatch()
            let result = try trainingStep.function(arguments(batch))
            state = result["state"]
            step += 1
            // The metrics of the step before are ready by now; those of this one would make the device wait.
            if let pending { try report(.step(step - 1, metrics: values(pending))) }
            pending = result["metrics"]
            if step % recipe.checkpoints.every == 0 {
                try report(.saved(step, path: save()))
                lastSaved = step
            }
            if recipe.evaluation.every > 0 && step % recipe.evaluation.every == 0 && step < recipe.steps {
                try report(.evaluated(step, evaluate()))
            }
        }
        if let pending { try report(.step(step, metrics: values(pending))) }
        if lastSaved < step { try report(.saved(step, path: save())) }
        try export()
        if step >= recipe.steps { try report(.evaluated(step, evaluate())) }
    }

    private func arguments(_ batch: Batch) throws -> Tree<Buffer> {
        var arguments: [String: Tree<Buffer>] = [
            "state": state, "audio": .leaf(try engine.upload(batch.audio)),
            "lengths": .leaf(try engine.upload(batch.lengths)),
            "bandwidth": .leaf(try engine.upload(bandwidth(of: batch))),
        ]
        if recipe.usesPhonemes(model.configuration) {
            arguments["labels"] = .leaf(
                try engine.upload(batch.phonemeLabels(frameRate: model.configuration.frameRate)))
        }
        if !teacher.leaves.isEmpty { arguments["teacher"] = teacher }
        return .dictionary(arguments)
    }

    /// What was skipped of the data so far.
    public var skipped: SkipReport { pipeline.skipped }

    /// The highest frequencies that spectral losses look at.
    private func bandwidth(of batch: Batch) -> HostArray {
        recipe.clips.limitsBandwidth
            ? batch.bandwidth
            : HostArray(repeating: Double(model.configuration.sampleRate) / 2, type: batch.bandwidth.type)
    }

    /// Averaged weights and statistics: what is evaluated and shipped.
    private var deployed: Tree<Buffer> {
        let weights = recipe.optimizer.averageDecay > 0 ? state["average"] : state["parameters"]
        return Tree(weights.values.merging(state["statistics"].values) { $1 })
    }

    /// Measures the model on held-out clips.
    public func evaluate(each: (Reconstruction) throws -> Void = { _ in }) throws -> Evaluation {
        try evaluationSet.evaluate(XLACodec(model: model, parameters: deployed, on: engine), each: each)
    }

    private func values(_ metrics: Tree<Buffer>) throws -> [String: Double] {
        try metrics.values.mapValues { try $0.hostArray().doubles[0] }
    }

    // MARK: Files

    public var modelPath: String { "\(folder)/model.safetensors" }

    private func export() throws {
        try ModelFile.write(deployed.hostArrays().values, of: model, to: modelPath)
    }

    @discardableResult
    private func save() throws -> String {
        let host = try state.hostArrays()
        let flat = Dictionary(uniqueKeysWithValues: zip(host.paths, host.leaves))
        return try store.save(
            step: step, arrays: ["training": flat], state: Position(step: step, recipe: recipe, data: pipeline.position)
        )
    }

    private static func restore(
        _ checkpoint: LoadedCheckpoint, model: Alpha, recipe: Recipe, engine: Engine
    ) throws -> Tree<Buffer> {
        let arrays = try checkpoint.arrays("training")
        let parameters = model.parameters
        let trainable = parameters.filter { $0.value.kind == .trainable }.mapValues(\.type)
        let expected: Tree<TensorType> = [
            "parameters": Tree(trainable),
            "statistics": Tree(parameters.filter { $0.value.kind == .statistic }.mapValues(\.type)),
            "moments": Tree(AdamW(learningRate: .constant(0)).stateTypes(for: trainable)),
            "average": Tree(recipe.optimizer.averageDecay > 0 ? trainable : [:]),
            "step": .leaf(TensorType(.i32, [])), "key": .leaf(TensorType(.u32, [2])),
        ]
        try verify(
            expected: Dictionary(uniqueKeysWithValues: zip(expected.paths, expected.leaves)), found: arrays,
            in: checkpoint.path, finite: true)
        return try expected.map { path, _ in try engine.upload(arrays[path]!) }
    }
}

/// A run that cannot go on.
public enum TrainingError: Error, CustomStringConvertible {
    case recipeChanged(folder: String)
    case perceptualModel(path: String, sampleRate: Int, wanted: Int)

    public var description: String {
        switch self {
        case .recipeChanged(let folder):
            "\(folder): this run was begun with another recipe (\(folder)/recipe.json). Only its steps, evaluation and "
                + "checkpoints may change; for anything else choose another --run folder"
        case .perceptualModel(let path, let sampleRate, let wanted):
            "\(path): listens at \(sampleRate) Hz, and the model in training speaks at \(wanted) Hz; "
                + "give a losses.perceptualModel of that rate whose frames are no longer"
        }
    }
}
