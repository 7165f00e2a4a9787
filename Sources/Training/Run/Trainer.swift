import Audio
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
/// The folder holds `recipe.json`, `metrics.jsonl`, `checkpoints/`, `samples/` and, once evaluated, `model.safetensors`: the averaged
/// weights.
public final class Trainer {
    public let recipe: Recipe
    public let model: Alpha
    public let folder: String
    /// Optimizer steps done.
    public private(set) var step: Int

    private let engine: Engine
    private let trainingStep: TrainingStep
    private let sampler: SegmentSampler
    private let evaluationSet: EvaluationSet
    private let store: CheckpointStore
    private let samples: SampleFolder
    private let judge: Function
    private var state: Tree<Buffer>
    /// The number of the next batch: the step, and more for every batch that a rollback left behind.
    private var batch: Int
    private var guardrail: Guardrail

    /// What a checkpoint holds beside tensors.
    private struct Position: Codable {
        var step: Int
        var batch: Int
        var recipe: Recipe
    }

    /// What a run tells of itself.
    public enum Event: Sendable {
        /// After a step; the metrics' values are those of an earlier step where reading them now would hold up the device.
        case step(Int, metrics: [String: Double])
        case evaluated(Int, Evaluation)
        case saved(Int, path: String)
        /// Too many steps in a row were not finite: the run goes on from an earlier one, with other batches.
        case rolledBack(from: Int, to: Int)
    }

    /// Opens the run in `folder`, from its newest whole checkpoint if it has one.
    ///
    /// - Throws: `TrainingError.recipeChanged` if the run was begun with another recipe (more steps are fine), and what reading
    ///   the dataset and checkpoints throws.
    public init(recipe: Recipe, data: Manifest, folder: String, engine: Engine) throws {
        self.recipe = recipe
        self.folder = folder
        self.engine = engine
        model = try Alpha(recipe.model.resolved())
        trainingStep = TrainingStep(model: model, recipe: recipe, engine: engine)
        let configuration = model.configuration
        let frames = max(1, Int((recipe.segmentSeconds * configuration.frameRate).rounded()))
        sampler = try SegmentSampler(
            data, split: "train", sampleRate: configuration.sampleRate, length: frames * configuration.hop,
            batchSize: recipe.batchSize, seed: recipe.seed)
        evaluationSet = try EvaluationSet(
            data, split: "dev", count: recipe.evaluation.clips, sampleRate: configuration.sampleRate)
        store = CheckpointStore(
            folder: "\(folder)/checkpoints", retention: .init(last: recipe.checkpoints.keep))
        samples = SampleFolder(path: "\(folder)/samples")
        judge = trainingStep.accuracy(on: engine)
        guardrail = Guardrail(limit: recipe.rollbackAfter)
        if let checkpoint = try store.latest() {
            let position: Position = try checkpoint.state()
            var comparable = position.recipe
            comparable.steps = recipe.steps
            comparable.checkpoints = recipe.checkpoints
            comparable.evaluation = recipe.evaluation
            guard comparable == recipe else { throw TrainingError.recipeChanged(folder: folder) }
            step = position.step
            batch = position.batch
            state = try Self.restore(checkpoint, trainingStep.state, engine: engine)
        } else {
            step = 0
            batch = 0
            // Before anything is compiled: a folder that cannot be made is known at once.
            try Disk.createFolder(folder)
            state = try trainingStep.initialState(on: engine)
        }
        let file = try OutputFile(path: "\(folder)/recipe.json")
        try file.write(Array(recipe.json()))
        try file.commit()
    }

    /// Runs until the recipe's last step, or until `shouldStop` says so, and saves.
    ///
    /// - Throws: `TrainingError.diverged` where going back does not help.
    public func run(shouldStop: () -> Bool = { false }, report: (Event) throws -> Void) throws {
        var batches = prefetch()
        var pending: Tree<Buffer>?
        var lastSaved = step
        /// Tells of the step before: its metrics are ready by now, where those of this one would make the device wait.
        func tell() throws {
            guard let metrics = pending else { return }
            pending = nil
            let values = try values(metrics)
            guardrail.saw(skipped: values["skipped"] == 1)
            try report(.step(step, metrics: values))
        }
        while step < recipe.steps && !shouldStop() {
            let audio = try engine.upload(HostArray(batches.next(), shape: [sampler.batchSize, sampler.length]))
            let result = try trainingStep.function(at: step)(["state": state, "audio": .leaf(audio)])
            state = result["state"]
            try tell()
            step += 1
            batch += 1
            pending = result["metrics"]
            if guardrail.isReached {
                let from = step
                pending = nil
                try rollBack()
                batches = prefetch()
                try report(.rolledBack(from: from, to: step))
                continue
            }
            // A checkpoint in a row of skipped steps would be no better than where the run stands.
            if step % recipe.checkpoints.every == 0 && guardrail.skippedInRow == 0 {
                try report(.saved(step, path: save()))
                lastSaved = step
            }
            if recipe.evaluation.every > 0 && step % recipe.evaluation.every == 0 && step < recipe.steps {
                try tell()
                try report(.evaluated(step, evaluate()))
            }
        }
        try tell()
        if lastSaved < step { try report(.saved(step, path: save())) }
        try export()
        if step >= recipe.steps { try report(.evaluated(step, evaluate())) }
    }

    private func prefetch() -> Prefetch<[Float]> {
        let sampler = sampler
        return Prefetch(start: batch) { try sampler.batch($0) }
    }

    /// Back to the newest checkpoint, or the start; batches go on from where they were, since the old ones would lead here again.
    private func rollBack() throws {
        let checkpoint = try store.latest()
        try guardrail.rolledBack(to: checkpoint?.step ?? 0, from: step, folder: folder)
        step = checkpoint?.step ?? 0
        state =
            try checkpoint.map { try Self.restore($0, trainingStep.state, engine: engine) }
            ?? trainingStep.initialState(on: engine)
    }

    /// Averaged weights and statistics: what is evaluated and shipped.
    private var deployed: Tree<Buffer> {
        let weights = recipe.optimizer.averageDecay > 0 ? state["average"] : state["parameters"]
        return Tree(weights.values.merging(state["statistics"].values) { $1 })
    }

    /// Measures the model on held-out clips, and writes some of them to `samples/`.
    public func evaluate() throws -> Evaluation {
        var shares: [Double] = []
        var written = 0
        var evaluation = try evaluationSet.evaluate(XLACodec(model: model, parameters: deployed, on: engine)) { clip in
            if written < recipe.evaluation.samples { try samples.write(clip, step: step) }
            written += 1
            if !trainingStep.discriminators.parameters.isEmpty, let share = try accuracy(on: clip) {
                shares.append(share)
            }
        }
        if !shares.isEmpty { evaluation.discriminatorAccuracy = shares.reduce(0, +) / Double(shares.count) }
        return evaluation
    }

    /// How sure the discriminators are of the beginning of a clip, as long as a segment; `nil` for a shorter clip.
    private func accuracy(on clip: Reconstruction) throws -> Double? {
        let length = sampler.length
        guard clip.decoded.samples.count >= length else { return nil }
        func segment(_ waveform: Waveform) throws -> Tree<Buffer> {
            .leaf(try engine.upload(HostArray(Array(waveform.samples.prefix(length)), shape: [1, length])))
        }
        let arguments: Tree<Buffer> = [
            "discriminators": state["discriminators"]["parameters"], "real": try segment(clip.original),
            "fake": try segment(clip.decoded),
        ]
        return try judge(arguments).value.hostArray().doubles[0]
    }

    private func values(_ metrics: Tree<Buffer>) throws -> [String: Double] {
        try metrics.values.mapValues { try $0.hostArray().doubles[0] }
    }

    /// How many programs the steps have been compiled to.
    var traceCount: Int { trainingStep.traceCount }

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
            step: step, arrays: ["training": flat], state: Position(step: step, batch: batch, recipe: recipe))
    }

    private static func restore(
        _ checkpoint: LoadedCheckpoint, _ state: TrainingState, engine: Engine
    ) throws -> Tree<Buffer> {
        let arrays = try checkpoint.arrays("training")
        let expected = Dictionary(uniqueKeysWithValues: zip(state.types.paths, state.types.leaves))
        try verify(expected: expected, found: arrays, in: checkpoint.path, finite: true)
        return try state.types.map { path, _ in try engine.upload(arrays[path]!) }
    }
}
