import NN
import PJRT
import Tensor
import Tokenizer
import XLA

/// One optimizer step as one compiled program: losses, gradients, AdamW, codebook upkeep and weight average.
///
/// The state is a tree with `parameters`, `statistics`, `moments`, `average`, `step` and `key`; it is donated,
/// so device memory holds one copy.
struct TrainingStep: Sendable {
    let model: Alpha
    let recipe: Recipe
    let function: Function

    /// - Parameter teacher: the model that the perceptual loss listens with; its encoder's values are the argument `teacher`.
    init(model: Alpha, recipe: Recipe, teacher: Alpha? = nil, engine: Engine) {
        self.model = model
        self.recipe = recipe
        let parameters = model.parameters
        var placeholders: [String: Tensor] = [:]
        for (path, parameter) in parameters {
            let group = parameter.kind == .trainable ? "parameters" : "statistics"
            placeholders["state.\(group).\(path)"] = parameter.tensor
        }
        if let teacher {
            for (path, parameter) in teacher.encoder.parameters {
                placeholders["teacher.\(path)"] = parameter.tensor
            }
        }
        let objective = GeneratorObjective(model: model, recipe: recipe, teacher: teacher)
        let usesPhonemes = recipe.usesPhonemes(model.configuration)
        let optimizer = recipe.optimizer
        let totalSteps = recipe.steps
        function = Function("train", on: engine, placeholders: placeholders, donating: ["state"]) { arguments in
            let state = arguments["state"]
            let step = state["step"].value
            let key = RandomKey(words: state["key"].value).folding(in: step.cast(to: .u32))
            let (total, parts, quantized) = objective(
                arguments["audio"].value, lengths: arguments["lengths"].value, bandwidth: arguments["bandwidth"].value,
                targets: usesPhonemes ? PhonemeTargets(labels: arguments["labels"].value) : nil, step: step, key: key)

            let current = state["parameters"].values
            let paths = current.keys.sorted()
            let products = gradient(of: total, at: paths.map { current[$0]! })
            let gradients = Dictionary(uniqueKeysWithValues: zip(paths, products))
            let (clipped, norm) = clipByGlobalNorm(gradients, limit: optimizer.clipNorm)
            let adam = AdamW(
                learningRate: .warmupCosine(
                    peak: optimizer.learningRate, to: optimizer.learningRate * optimizer.finalShare,
                    warmup: optimizer.warmupSteps, steps: totalSteps),
                betas: (optimizer.beta1, optimizer.beta2), weightDecay: optimizer.weightDecay)
            var (updated, moments) = adam.update(
                gradients: clipped, parameters: current, state: state["moments"].values, step: step)

            let pathOf = Dictionary(uniqueKeysWithValues: parameters.map { ($1.tensor.key, $0) })
            for reset in quantized.resets {
                guard let path = pathOf[reset.parameter.tensor.key] else { continue }
                updated[path] = select(reset.mask, reset.values, updated[path]!)
                // What the old entry learned says nothing about the new one.
                let zero = Tensor.zeros(updated[path]!.type)
                for moment in ["first.\(path)", "second.\(path)"] {
                    moments[moment] = select(reset.mask, zero, moments[moment]!)
                }
            }
            var statistics = state["statistics"].values
            for update in quantized.updates {
                if let path = pathOf[update.parameter.tensor.key] { statistics[path] = update.value }
            }

            // A step whose gradients are not finite changes nothing but the counters.
            let isSound = norm.isFinite() & total.isFinite()
            func guarded(_ new: [String: Tensor], _ old: Tree<Tensor>) -> Tree<Tensor> {
                Tree(new.merging(old.values) { select(isSound, $0, $1) })
            }
            let average = ExponentialMovingAverage(decay: optimizer.averageDecay, warmsUp: true)
                .update(state["average"].values, with: updated, step: step)
            var metrics = parts.merging(quantized.metrics) { $1 }
            metrics["loss"] = total
            metrics["gradientNorm"] = norm
            metrics["learningRate"] = adam.learningRate(step)
            metrics["skipped"] = (!isSound).cast(to: .f32)
            return [
                "state": [
                    "parameters": guarded(updated, state["parameters"]),
                    "statistics": guarded(statistics, state["statistics"]),
                    "moments": guarded(moments, state["moments"]),
                    "average": guarded(average, state["average"]),
                    "step": .leaf(step + 1),
                    "key": state["key"],
                ],
                "metrics": Tree(metrics),
            ]
        }
    }

    /// The state before the first step.
    func initialState(on engine: Engine) throws -> Tree<Buffer> {
        let model = model
        let seed = recipe.seed
        let keepsAverage = recipe.optimizer.averageDecay > 0
        // The key is an argument: of a constant the compiler would compute every weight itself, slowly.
        let key = try engine.upload(RandomKey.words(seed: seed))
        return try Function("initialize", on: engine, effort: .low) { arguments in
            let values = model.initialization(key: RandomKey(words: arguments["key"].value))
            let kinds = model.parameters
            let trainable = values.filter { kinds[$0.key]?.kind == .trainable }
            let moments = AdamW(learningRate: .constant(0)).stateTypes(for: trainable.mapValues(\.type))
            return [
                "parameters": Tree(trainable),
                "statistics": Tree(values.filter { kinds[$0.key]?.kind == .statistic }),
                "moments": Tree(moments.mapValues { Tensor.zeros($0) }),
                "average": Tree(keepsAverage ? trainable : [:]),
                "step": .leaf(Tensor.scalar(0, .i32)),
                "key": .leaf(Tensor.constant(RandomKey.words(seed: seed ^ 0x5EED))),
            ]
        }(["key": .leaf(key)])
    }
}
