import NN
import PJRT
import Tensor
import Tokenizer
import XLA

/// One optimizer step as one compiled program: losses, gradients, AdamW, codebook upkeep and weight average.
///
/// The state is a tree with `parameters`, `statistics`, `moments` (`first`, `second`), `average`, `step` and `key`; it is donated,
/// so device memory holds one copy.
struct TrainingStep: Sendable {
    let model: Alpha
    let recipe: Recipe
    let function: Function

    init(model: Alpha, recipe: Recipe, engine: Engine) {
        self.model = model
        self.recipe = recipe
        let parameters = model.parameters
        var placeholders: [String: Tensor] = [:]
        for (path, parameter) in parameters {
            let group = parameter.kind == .trainable ? "parameters" : "statistics"
            placeholders["state.\(group).\(path)"] = parameter.tensor
        }
        let objective = GeneratorObjective(model: model, recipe: recipe)
        let optimizer = recipe.optimizer
        let totalSteps = recipe.steps
        function = Function("train", on: engine, placeholders: placeholders, donating: ["state"]) { arguments in
            let state = arguments["state"]
            let step = state["step"].value
            let key = RandomKey(words: state["key"].value).folding(in: step.cast(to: .u32))
            let (total, parts, quantized) = objective(arguments["audio"].value, key: key)

            let current = state["parameters"].values
            let paths = current.keys.sorted()
            let products = gradient(of: total, at: paths.map { current[$0]! })
            let gradients = Dictionary(uniqueKeysWithValues: zip(paths, products))
            let (clipped, norm) = clipByGlobalNorm(gradients, maximum: optimizer.clipNorm)
            let adam = AdamW(
                learningRate: .warmupCosine(
                    peak: optimizer.learningRate, warmupSteps: optimizer.warmupSteps, totalSteps: totalSteps,
                    end: optimizer.learningRate * optimizer.finalShare),
                beta1: optimizer.beta1, beta2: optimizer.beta2, weightDecay: optimizer.weightDecay,
                decays: { path in parameters[path].map { $0.shape.rank > 1 } ?? false })
            let moments = AdamW.State(
                first: state["moments"]["first"].values, second: state["moments"]["second"].values)
            var (updated, updatedMoments) = adam.update(
                gradients: clipped, parameters: current, state: moments, step: step)

            let pathOf = Dictionary(uniqueKeysWithValues: parameters.map { ($1.tensor.key, $0) })
            for reset in quantized.resets {
                guard let path = pathOf[reset.parameter.tensor.key] else { continue }
                updated[path] = select(reset.mask, reset.values, updated[path]!)
                // What the old entry learned says nothing about the new one.
                let zero = Tensor.zeros(updated[path]!.type)
                updatedMoments.first[path] = select(reset.mask, zero, updatedMoments.first[path]!)
                updatedMoments.second[path] = select(reset.mask, zero, updatedMoments.second[path]!)
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
            let average = state["average"].values.reduce(into: [String: Tensor]()) { result, entry in
                // The average begins as a plain mean, so that it does not drag the first weights along.
                let seen = step.cast(to: .f32)
                let decay = minimum((seen + 1) / (seen + 10), optimizer.averageDecay)
                result[entry.key] = entry.value * decay + updated[entry.key]! * (1 - decay)
            }
            var metrics = parts.merging(quantized.metrics) { $1 }
            metrics["loss"] = total
            metrics["gradientNorm"] = norm
            metrics["learningRate"] = adam.learningRate(step)
            metrics["skipped"] = (!isSound).cast(to: .f32)
            return [
                "state": [
                    "parameters": guarded(updated, state["parameters"]),
                    "statistics": guarded(statistics, state["statistics"]),
                    "moments": [
                        "first": guarded(updatedMoments.first, state["moments"]["first"]),
                        "second": guarded(updatedMoments.second, state["moments"]["second"]),
                    ],
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
        return try Function("initialize", on: engine) { _ in
            let values = model.initialization(key: RandomKey(seed: seed))
            let kinds = model.parameters
            let trainable = values.filter { kinds[$0.key]?.kind == .trainable }
            let zeros = trainable.mapValues { Tensor.zeros($0.type) }
            return [
                "parameters": Tree(trainable),
                "statistics": Tree(values.filter { kinds[$0.key]?.kind == .statistic }),
                "moments": ["first": Tree(zeros), "second": Tree(zeros)],
                "average": Tree(keepsAverage ? trainable : [:]),
                "step": .leaf(Tensor.scalar(0, .i32)),
                "key": .leaf(Tensor.constant(RandomKey.words(seed: seed ^ 0x5EED))),
            ]
        }([:])
    }
}
