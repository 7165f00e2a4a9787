import Audio
public import Checkpoint
public import Datasets
import Metrics
import NN
import PJRT
public import Phonemes
import Tensor
public import Tokenizer
public import XLA

/// A training run in a folder: it begins, or goes on exactly where its newest checkpoint stands.
///
/// The folder holds `recipe.json`, `checkpoints/`, `samples/`, `speakers.json` where the recipe balances them and, whenever the run has
/// ended or was stopped, `model.safetensors`: the averaged weights. One trainer at a time has it.
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
    private let samples: SampleFolder
    private let judge: Function
    private var state: Tree<Buffer>
    private var guardrail: Guardrail
    private let lock: FolderLock
    private let sources: [SourceIdentity]
    /// Newer checkpoints than the one that the run goes on from, that are not whole; told of when it runs.
    private var damaged: [CheckpointError] = []

    /// What a checkpoint holds beside tensors.
    private struct Position: Codable {
        var step: Int
        var recipe: StoredRecipe
        /// What `data` is of; checkpoints of before November 2026 do not say.
        var sources: [SourceIdentity]?
        /// The batch that comes next: of the step, or later where a run went back.
        var data: Pipeline.Position
    }

    /// What a run tells of itself.
    public enum Event: Sendable {
        /// After a step, and its metrics: told once the next step has begun, since reading them before would hold up the device.
        case step(Int, metrics: [String: Double])
        case evaluated(Int, Evaluation)
        case saved(Int, path: String)
        /// Too many steps in a row were not finite: the run goes on from an earlier one, with other batches.
        case rolledBack(from: Int, to: Int)
        /// A checkpoint was passed over for an earlier one.
        case damaged(CheckpointError)
    }

    /// Opens the run in `folder`, from its newest whole checkpoint if it has one.
    ///
    /// - Throws: `TrainingError.recipeChanged` if the run was begun with another recipe (steps, evaluation and checkpoints may differ), `.dataChanged` if with
    ///   other data, `.noCheckpoints` if they are gone, `FileError` if another trainer has the folder, and what reading the dataset and checkpoints throws.
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
        teacher = try engine.upload(listener?.listenerArrays ?? [:])
        trainingStep = TrainingStep(model: model, recipe: recipe, teacher: listener?.model, engine: engine)
        let labeler = model.configuration.phonemes.map(PhonemeLabeler.init)
        evaluationSet = try EvaluationSet(
            heldOut, count: recipe.evaluation.clips, sampleRate: model.configuration.sampleRate,
            labeler: labeler)
        var options = try recipe.pipelineOptions()
        if recipe.usesLabels(model.configuration) {
            if let error = evaluationSet.unlabeled { throw error }
            options.labeler = labeler
        }
        store = CheckpointStore(
            folder: "\(folder)/checkpoints", retention: .init(last: recipe.checkpoints.keep))
        samples = SampleFolder(path: "\(folder)/samples")
        judge = trainingStep.accuracy(on: engine)
        guardrail = Guardrail(limit: recipe.rollbackAfter)
        // Before anything is compiled: a folder that cannot be made is known at once.
        try Disk.createFolder(folder)
        lock = try FolderLock(folder: folder)
        try OutputFile.removePartial(in: folder)
        let identities = data.map(SourceIdentity.init)
        sources = identities
        let data = try recipe.balanced(data, in: folder)
        if let checkpoint = try store.latest() {
            let position: Position = try checkpoint.state()
            var comparable = try position.recipe.recipe(path: checkpoint.path)
            comparable.steps = recipe.steps
            comparable.checkpoints = recipe.checkpoints
            comparable.evaluation = recipe.evaluation
            guard comparable == recipe else { throw TrainingError.recipeChanged(folder: folder) }
            guard position.sources.map({ SourceIdentity.agree($0, identities) }) ?? true else {
                throw TrainingError.dataChanged(folder: folder)
            }
            damaged = checkpoint.skipped
            step = position.step
            pipeline = try Pipeline(data, options, at: position.data)
            state = try Self.restore(checkpoint, trainingStep.state, engine: engine)
        } else {
            guard !Disk.exists("\(folder)/model.safetensors") else {
                throw TrainingError.noCheckpoints(folder: folder)
            }
            step = 0
            pipeline = try Pipeline(data, options)
            state = try Self.initialState(of: trainingStep, recipe, engine: engine)
        }
        let file = try OutputFile(path: "\(folder)/recipe.json")
        try file.write(Array(recipe.json()))
        try file.commit()
    }

    /// Runs until the recipe's last step, or until `shouldStop` says so, and saves.
    ///
    /// - Throws: `TrainingError.diverged` where going back does not help.
    public func run(shouldStop: () -> Bool = { false }, report: (Event) throws -> Void) throws {
        var pending: (step: Int, metrics: Tree<Buffer>)?
        var lastSaved = step
        var isSaveDue = false
        try tellOfDamaged(report)
        /// Tells of the step before: its metrics are ready by now, where those of this one would make the device wait.
        func tell() throws {
            guard let (number, metrics) = pending else { return }
            pending = nil
            let values = try values(metrics)
            guardrail.saw(skipped: values["skipped"] == 1)
            try report(.step(number, metrics: values))
        }
        // What could not be read, understood or written costs no steps: the run goes on from here once that is mended.
        defer { if lastSaved < step && guardrail.skippedInRow == 0 { _ = try? save() } }
        while step < recipe.steps && !shouldStop() {
            let batch = try pipeline.nextBatch()
            let result = try trainingStep.function(at: step)(arguments(batch))
            state = result["state"]
            step += 1
            try tell()
            pending = (step, result["metrics"])
            if guardrail.isReached {
                let from = step
                pending = nil
                try rollBack()
                (lastSaved, isSaveDue) = (step, false)
                try tellOfDamaged(report)
                try report(.rolledBack(from: from, to: step))
                continue
            }
            // Before the checkpoint: whoever is killed meanwhile does both again.
            if recipe.evaluation.every > 0 && step % recipe.evaluation.every == 0 && step < recipe.steps {
                try tell()
                try report(.evaluated(step, evaluate()))
            }
            if step % recipe.checkpoints.every == 0 { isSaveDue = true }
            // A checkpoint in a row of skipped steps would be no better than where the run stands.
            if isSaveDue && guardrail.skippedInRow == 0 {
                try report(.saved(step, path: save()))
                (lastSaved, isSaveDue) = (step, false)
            }
        }
        try tell()
        if lastSaved < step {
            let path = try save()
            lastSaved = step
            try report(.saved(step, path: path))
        }
        // Before the first step there is nothing to keep.
        if step > 0 { try export() }
        if step >= recipe.steps { try report(.evaluated(step, evaluate())) }
    }

    private func arguments(_ batch: Batch) throws -> Tree<Buffer> {
        var arguments: [String: Tree<Buffer>] = [
            "state": state, "audio": .leaf(try engine.upload(batch.audio)),
            "lengths": .leaf(try engine.upload(batch.lengths)),
            "bandwidth": .leaf(try engine.upload(bandwidth(of: batch))),
        ]
        if recipe.usesLabels(model.configuration) {
            arguments["labels"] = .leaf(
                try engine.upload(batch.phonemeLabels(frameRate: model.configuration.frameRate)))
        }
        if let inventory = model.configuration.phonemes, recipe.usesAlignments(model.configuration) {
            let frames = batch.phonemeFrames(
                inventory, frameRate: model.configuration.frameRate, delay: model.configuration.phonemeDelay ?? 0)
            arguments["phonemeFrames"] = .leaf(try engine.upload(frames))
        }
        if !teacher.leaves.isEmpty { arguments["teacher"] = teacher }
        return .dictionary(arguments)
    }

    /// Why evaluations tell no phoneme error rate of held-out transcripts; see ``EvaluationSet/unlabeled``.
    public var unlabeled: EspeakError? { evaluationSet.unlabeled }

    /// What was skipped of the data so far.
    public var skipped: SkipReport { pipeline.skipped }

    /// The highest frequencies that spectral losses look at.
    private func bandwidth(of batch: Batch) -> HostArray {
        recipe.clips.limitsBandwidth
            ? batch.bandwidth
            : HostArray(repeating: Double(model.configuration.sampleRate) / 2, type: batch.bandwidth.type)
    }

    private func tellOfDamaged(_ report: (Event) throws -> Void) throws {
        for error in damaged { try report(.damaged(error)) }
        damaged = []
    }

    /// Back to the newest checkpoint, or the start; the pipeline goes on from where it is, since the old batches would
    /// lead here again.
    private func rollBack() throws {
        let checkpoint = try store.latest()
        try guardrail.rolledBack(to: checkpoint?.step ?? 0, from: step, folder: folder)
        step = checkpoint?.step ?? 0
        damaged = checkpoint?.skipped ?? []
        state =
            try checkpoint.map { try Self.restore($0, trainingStep.state, engine: engine) }
            ?? Self.initialState(of: trainingStep, recipe, engine: engine)
    }

    /// Averaged weights and statistics: what is evaluated and shipped.
    private var deployed: Tree<Buffer> {
        Tree(state[recipe.deployedPart].values.merging(state["statistics"].values) { $1 })
    }

    /// Measures the model on held-out clips, and writes some of them to `samples/`.
    ///
    /// - Parameter each: given every reconstruction.
    public func evaluate(each: (Reconstruction) throws -> Void = { _ in }) throws -> Evaluation {
        var shares: [Double] = []
        var written = 0
        let parameters = deployed
        let reader = try model.phonemeReader { try parameters.values[$0]!.hostArray() }
        let codec = XLACodec(model: model, parameters: parameters, on: engine)
        var evaluation = try evaluationSet.evaluate(codec, reader: reader) { clip in
            try each(clip)
            if written < recipe.evaluation.samples { try samples.write(clip, step: step) }
            written += 1
            if !trainingStep.discriminators.parameters.isEmpty, let share = try accuracy(on: clip) {
                shares.append(share)
            }
        }
        if !shares.isEmpty { evaluation.discriminatorAccuracy = shares.reduce(0, +) / Double(shares.count) }
        return evaluation
    }

    /// How sure the discriminators are of the beginning of a clip, as long as the shortest row of a batch; `nil` for a shorter clip.
    private func accuracy(on clip: Reconstruction) throws -> Double? {
        let length = recipe.shortestRow(model.configuration) * model.configuration.hop
        guard clip.decoded.samples.count >= length else { return nil }
        func segment(_ waveform: Waveform) throws -> Tree<Buffer> {
            .leaf(try engine.upload(HostArray(Array(waveform.samples.prefix(length)), shape: [1, length])))
        }
        let arguments: Tree<Buffer> = [
            "discriminators": state["discriminators"]["parameters"], "real": try segment(clip.original),
            "fake": try segment(clip.decoded),
            "bandwidth": .leaf(try engine.upload(HostArray([Float(clip.bandwidth)]))),
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

    /// The model as it is.
    func export() throws {
        try ModelFile.write(deployed.hostArrays().values, of: model, to: modelPath)
    }

    @discardableResult
    private func save() throws -> String {
        let host = try state.hostArrays()
        let flat = Dictionary(uniqueKeysWithValues: zip(host.paths, host.leaves))
        let position = try Position(
            step: step, recipe: StoredRecipe(recipe), sources: sources, data: pipeline.position)
        return try store.save(step: step, arrays: ["training": flat], state: position)
    }

    /// The state before the first step, with the weights of the recipe's initial model if it has one. Transformer blocks that it
    /// lacks start as ever: their LayerScale makes them nearly silent, so that the model is nearly what it was. Bits, channels and later
    /// frames that it lacks say nothing yet, and an encoder of level 1's own begins as a copy of the one that it heard with.
    private static func initialState(
        of trainingStep: TrainingStep, _ recipe: Recipe, engine: Engine
    ) throws -> Tree<Buffer> {
        guard !recipe.initialModel.isEmpty else {
            guard recipe.frozen.isEmpty else { throw TrainingError.frozenWithoutModel(parts: recipe.frozen) }
            guard recipe.initialPhonemes.isEmpty else {
                throw TrainingError.phonemesWithoutModel(path: recipe.initialPhonemes)
            }
            return try trainingStep.initialState(on: engine)
        }
        let file = try ModelFile(path: recipe.initialModel)
        let (configuration, old) = (try recipe.model.resolved(), file.model.configuration)
        guard configuration.extends(old) else { throw TrainingError.initialModel(path: recipe.initialModel) }
        let isWider = configuration.latentDimension > old.latentDimension
        let decodesWider = configuration.channelsOfDecoder != old.channelsOfDecoder
        let delay = (configuration.decoderDelay ?? 0) - (old.decoderDelay ?? 0)
        guard
            recipe.frozen.isEmpty
                || !isWider && !(decodesWider && recipe.frozen.contains(.decoder))
                    && (configuration.transformer == old.transformer || recipe.frozen == [.quantizer])
        else {
            throw TrainingError.frozenBlocks(path: recipe.initialModel)
        }
        guard (configuration.phonemeLayers ?? 0) <= old.listenerLayers || !recipe.frozen.contains(.phonemeEncoder)
        else { throw TrainingError.frozenBlocks(path: recipe.initialModel) }
        let listener = try recipe.listener(for: configuration)
        guard configuration.quantizer == old.quantizer || !recipe.frozen.contains(.quantizer) else {
            throw TrainingError.frozenBits(path: recipe.initialModel)
        }
        return try trainingStep.initialState(on: engine).map { path, buffer in
            let parts = path.split(separator: ".", maxSplits: 1).map(String.init)
            guard parts.count == 2, ["parameters", "statistics", "average"].contains(parts[0]),
                var array = listener?[parts[1]] ?? file.arrays[parts[1]] ?? file.listenerArray(parts[1])
            else { return buffer }
            if delay > 0 && parts[1].hasPrefix("decoder.stem.") && array.shape.rank == 3 {
                array = array.delayed(by: delay)
            }
            if array.type == buffer.type { return try engine.upload(array) }
            let start = try buffer.hostArray()
            return try engine.upload(
                isWider || decodesWider
                    ? array.widened(parts[1], start: start) : array.withMoreBits(parts[1], start: start))
        }
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
