import Audio
import NN
import PJRT
import Tensor
import Tokenizer
import XLA

/// One step of training as one compiled program for each phase: losses, gradients, both players' AdamW, codebook upkeep and
/// weight average. The state (`TrainingState`) is donated, so device memory holds one copy.
///
/// Its arguments are `state`; `audio`, f32 `[clips, samples, 1]`; `lengths`, i32 `[clips]`, and `bandwidth`, f32 `[clips]`, as
/// `GeneratorObjective` takes them; `labels`, i32 `[clips, labels]`, and `phonemeFrames`, i32 `[clips, frames]`, for models that learn
/// phonemes from transcripts and from alignments; and `teacher`, where there is a perceptual loss.
///
/// Both players move from the same state: the generator is judged by the discriminators that it has just been compared by, not by
/// what they become in this step. Their work on real and generated sound is thus done once for both players, where turns would
/// need it twice, and a batch in parts needs no second pass. Turns differ by one discriminator step of a small learning rate.
struct TrainingStep: Sendable {
    let model: Alpha
    let discriminators: Discriminators
    let state: TrainingState
    private let recipe: Recipe
    private let functions: [Phase: Function]

    /// - Parameter teacher: the model that the perceptual loss listens with; its encoder's values are the argument `teacher`.
    init(model: Alpha, recipe: Recipe, teacher: Alpha? = nil, engine: Engine) {
        self.model = model
        self.recipe = recipe
        let discriminators = Discriminators(recipe.adversarial.discriminators)
        self.discriminators = discriminators
        let state = TrainingState(model: model, discriminators: discriminators, recipe: recipe)
        self.state = state
        let body = Body(
            recipe: recipe, model: model, discriminators: discriminators,
            objective: GeneratorObjective(model: model, recipe: recipe, teacher: teacher),
            generator: Player(recipe.optimizer, steps: recipe.steps),
            judges: Player(recipe.adversarial, steps: recipe.steps))
        var placeholders = state.placeholders(under: "state")
        for (path, parameter) in teacher?.listener.parameters ?? [:] {
            placeholders["teacher.\(path)"] = parameter.tensor
        }
        let parts =
            ["audio", "lengths", "bandwidth"] + (recipe.usesLabels(model.configuration) ? ["labels"] : [])
            + (recipe.usesAlignments(model.configuration) ? ["phonemeFrames"] : [])
        functions = Dictionary(
            uniqueKeysWithValues: [false, true].flatMap { trains in
                [false, true].map { hears in
                    let phase = Phase(trainsDiscriminators: trains, isAdversarial: hears)
                    let function = Function(
                        phase.name, on: engine, placeholders: placeholders, donating: ["state"],
                        compilation: trains || hears ? .concurrent : .standard
                    ) { arguments in
                        let batch = Dictionary(uniqueKeysWithValues: parts.map { ($0, arguments[$0]) })
                        return body(arguments["state"], batch: .dictionary(batch), phase)
                    }
                    return (phase, function)
                }
            })
    }

    /// The state before the first step.
    func initialState(on engine: Engine) throws -> Tree<Buffer> { try state.initial(on: engine) }

    /// The program for a step, counted from zero.
    func function(at step: Int) -> Function { functions[recipe.phase(at: step)]! }

    /// How many programs have been traced.
    var traceCount: Int { functions.values.reduce(0) { $0 + $1.traceCount } }

    /// How sure the discriminators are of `real` and `fake` sound, `[batch, samples]` each, of so much `bandwidth`, `[batch]`: the
    /// share they get right.
    func accuracy(on engine: Engine) -> Function {
        let (discriminators, recipe, configuration) = (discriminators, recipe, model.configuration)
        let placeholders = Dictionary(
            uniqueKeysWithValues: discriminators.parameters.map { ("discriminators.\($0)", $1.tensor) })
        return Function("judge", on: engine, placeholders: placeholders) { arguments in
            func judged(_ name: String) -> [Judgement] {
                let bandwidth = arguments["bandwidth"].value
                return discriminators(recipe.clips.band(of: arguments[name].value, to: bandwidth, configuration))
            }
            return .leaf(discriminatorAccuracy(real: judged("real"), fake: judged("fake"), recipe.adversarial.loss))
        }
    }
}

extension Recipe.Clips {
    /// What discriminators hear of sounds `[batch, samples]`: both sides without what is above the clip's band, or they would learn
    /// that real speech has nothing there.
    fileprivate func band(of x: Tensor, to bandwidth: Tensor, _ configuration: Alpha.Configuration) -> Tensor {
        limitsBandwidth ? BandLimit(sampleRate: configuration.sampleRate)(x, to: bandwidth) : x
    }
}

extension Recipe.Adversarial {
    /// How many steps the discriminators have made before `step`, i32, at which they learn; ``steps(before:)`` counts them for the host.
    func steps(before step: Tensor, alone: Bool) -> Tensor {
        let (divisor, offset) = pace(alone: alone)
        var since = step - Double(startStep)
        // Of integers, and whole: they learn at multiples of it. XLA multiplies floats by the reciprocal, by which 41 / 41 is below 1.
        if divisor > 1 { since = since / Double(divisor) }
        if offset != 0 { since = since + Double(offset) }
        return since
    }

    /// How much of the discriminators' losses the generator hears at `step`, i32: 1 but for a ramp.
    func share(at step: Tensor) -> Tensor {
        guard warmup == .ramp, warmupSteps > 0 else { return .scalar(1) }
        let since = step.cast(to: .f32) - Double(startStep - 1)
        return minimum(since / Double(warmupSteps), 1)
    }
}

/// The step as a graph.
private struct Body: Sendable {
    let recipe: Recipe
    let model: Alpha
    let discriminators: Discriminators
    let objective: GeneratorObjective
    let generator: Player
    let judges: Player

    /// - Parameter batch: `audio`, `lengths`, `bandwidth` and, to learn phonemes, `labels` and `phonemeFrames`.
    func callAsFunction(_ state: Tree<Tensor>, batch: Tree<Tensor>, _ phase: Phase) -> Tree<Tensor> {
        let step = state["step"].value
        let key = RandomKey(words: state["key"].value).folding(in: step.cast(to: .u32))
        let lesson = accumulated(batch, parts: recipe.accumulation) { part, number in
            learn(from: part, state, step: step, key: recipe.accumulation > 1 ? key.folding(in: number) : key, phase)
        }
        let means = lesson["mean"]
        var metrics = means["metrics"].values

        let gradients = means["gradients"].values
        let current = state["parameters"].values
        var moved = generator.moved(
            current.filter { gradients.keys.contains($0.key) }, by: gradients, moments: state["moments"].values,
            step: step)
        moved.parameters.merge(current) { learned, _ in learned }
        var statistics = means["statistics"].values
        settle(&moved.parameters, &moved.moments, &statistics, replacements: lesson["last"].values)
        let average = ExponentialMovingAverage(decay: recipe.optimizer.averageDecay, warmsUp: true)
            .update(state["average"].values, with: moved.parameters, step: step)
        metrics["gradientNorm"] = moved.norm
        metrics["learningRate"] = generator.learningRate(step)

        // A step that is not finite for either player changes nothing but the counters.
        var isSound = moved.norm.isFinite() & metrics["loss"]!.isFinite()
        var opponent = state["discriminators"]
        if phase.trainsDiscriminators {
            let since = recipe.adversarial.steps(before: step, alone: !phase.isAdversarial)
            let next = judges.moved(
                opponent["parameters"].values, by: means["discriminatorGradients"].values,
                moments: opponent["moments"].values, step: since)
            isSound = isSound & next.norm.isFinite() & metrics["discriminator/loss"]!.isFinite()
            metrics["discriminator/gradientNorm"] = next.norm
            metrics["discriminator/learningRate"] = judges.learningRate(since)
            opponent = ["parameters": Tree(next.parameters), "moments": Tree(next.moments)]
        }
        metrics["skipped"] = (!isSound).cast(to: .f32)
        func guarded(_ new: [String: Tensor], _ old: Tree<Tensor>) -> Tree<Tensor> {
            Tree(new.merging(old.values) { select(isSound, $0, $1) })
        }
        return [
            "state": [
                "parameters": guarded(moved.parameters, state["parameters"]),
                "statistics": guarded(statistics, state["statistics"]),
                "moments": guarded(moved.moments, state["moments"]),
                "average": guarded(average, state["average"]),
                "discriminators": [
                    "parameters": guarded(opponent["parameters"].values, state["discriminators"]["parameters"]),
                    "moments": guarded(opponent["moments"].values, state["discriminators"]["moments"]),
                ],
                "balancer": guarded(means["balancer"].values, state["balancer"]),
                "step": .leaf(step + 1),
                "key": state["key"],
            ],
            "metrics": Tree(metrics),
        ]
    }

    /// What one part of a batch teaches both players.
    private func learn(
        from batch: Tree<Tensor>, _ state: Tree<Tensor>, step: Tensor, key: RandomKey, _ phase: Phase
    ) -> Tree<Tensor> {
        var attempt = objective(
            batch["audio"].value, lengths: batch["lengths"].value, bandwidth: batch["bandwidth"].value,
            targets: targets(in: batch), step: step, key: key)
        var metrics: [String: Tensor] = [:]
        var opposing: [String: Tensor] = [:]
        if phase.trainsDiscriminators || phase.isAdversarial {
            let adversarial = recipe.adversarial
            let dtype = recipe.precision.dtype
            let mask = attempt.masks.samples
            func judged(_ x: Tensor) -> [Judgement] {
                let heard = select(mask, x, Tensor.scalar(0))
                return discriminators(
                    recipe.clips.band(of: heard, to: batch["bandwidth"].value, model.configuration), mask: mask,
                    as: dtype)
            }
            let (real, fake) = (judged(attempt.reference), judged(attempt.signal))
            if phase.isAdversarial { attempt.add((real, fake), adversarial, share: adversarial.share(at: step)) }
            if phase.trainsDiscriminators {
                let loss = discriminatorLoss(real: real, fake: fake, adversarial.loss, adversarial.reduction)
                opposing = gradients(of: loss, at: state["discriminators"]["parameters"].values)
                metrics["discriminator/loss"] = loss
            }
            metrics["discriminator/accuracy"] = discriminatorAccuracy(real: real, fake: fake, adversarial.loss)
        }
        let current = state["parameters"].values
        let learning = current.keys.filter(learns).sorted()
        let (products, balancer) = attempt.gradients(
            at: learning.map { current[$0]! }, balancerDecay: recipe.losses.balancerDecay,
            state: state["balancer"].values)
        metrics.merge(attempt.values) { $1 }
        metrics.merge(attempt.quantized.metrics) { $1 }
        metrics["loss"] = attempt.total

        let paths = paths
        var statistics = state["statistics"].values
        for update in attempt.quantized.updates {
            if let path = paths[update.parameter.tensor.key], learns(path) { statistics[path] = update.value }
        }
        var replacements: [String: Tensor] = [:]
        for entries in attempt.quantized.replacements {
            if let path = paths[entries.codebook.tensor.key], learns(path) { replacements[path] = entries.values }
        }
        return [
            "mean": [
                "gradients": Tree(Dictionary(uniqueKeysWithValues: zip(learning, products))),
                "discriminatorGradients": Tree(opposing), "statistics": Tree(statistics), "balancer": Tree(balancer),
                "metrics": Tree(metrics),
            ],
            "last": Tree(replacements),
        ]
    }

    /// Whether what is at `path` is of no part that the recipe has frozen.
    private func learns(_ path: String) -> Bool { !recipe.frozen.contains { path.hasPrefix($0.rawValue + ".") } }

    /// What a batch says of its phonemes; nothing for a model that learns none.
    private func targets(in batch: Tree<Tensor>) -> PhonemeTargets? {
        let frames = recipe.usesAlignments(model.configuration) ? batch["phonemeFrames"].value : nil
        if recipe.usesLabels(model.configuration) {
            return PhonemeTargets(labels: batch["labels"].value, frames: frames)
        }
        // Rows without labels say nothing.
        return frames.map { PhonemeTargets(labels: Tensor.zeros(TensorType(.i32, [$0.shape[0], 1])), frames: $0) }
    }

    private func gradients(of loss: Tensor, at parameters: [String: Tensor]) -> [String: Tensor] {
        let paths = parameters.keys.sorted()
        return Dictionary(uniqueKeysWithValues: zip(paths, gradient(of: loss, at: paths.map { parameters[$0]! })))
    }

    /// Where each of the model's parameters is, by its placeholder.
    private var paths: [Tensor.Key: String] {
        Dictionary(uniqueKeysWithValues: model.parameters.map { ($1.tensor.key, $0) })
    }

    /// Gives dead codebook entries new places. What the old entry learned says nothing about the new one.
    private func settle(
        _ parameters: inout [String: Tensor], _ moments: inout [String: Tensor], _ statistics: inout [String: Tensor],
        replacements: [String: Tensor]
    ) {
        let paths = paths
        for level in model.quantizer.levels.compactMap({ $0 as? VectorQuantizer }) {
            guard let path = paths[level.codebook.tensor.key], let values = replacements[path],
                let usage = paths[level.usage.tensor.key]
            else { continue }
            let sums = level.sums.flatMap { paths[$0.tensor.key] }
            let settled = level.settled(
                usage: statistics[usage]!, sums: sums.map { statistics[$0]! }, replacements: values)
            statistics[usage] = settled.usage
            if let sums, let moved = settled.moved {
                statistics[sums] = moved.sums
                statistics[path] = moved.codebook
            } else {
                parameters[path] = select(settled.isDead, values, parameters[path]!)
                let zero = Tensor.zeros(values.type)
                for moment in ["first.\(path)", "second.\(path)"] {
                    moments[moment] = select(settled.isDead, zero, moments[moment]!)
                }
            }
        }
    }
}
