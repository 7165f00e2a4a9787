import NN
import PJRT
import Tensor
import Tokenizer
import XLA

/// What training carries from step to step, as a tree. A checkpoint is this tree, the position and the recipe.
///
///     parameters, statistics, moments, average      the model's; `average` is what is evaluated and kept
///     discriminators.parameters, .moments           empty without discriminators
///     balancer                                      empty without a balancer
///     step, key
struct TrainingState: Sendable {
    let types: Tree<TensorType>
    private let model: Alpha
    private let discriminators: Discriminators
    private let seed: UInt64
    private let keepsAverage: Bool

    init(model: Alpha, discriminators: Discriminators, recipe: Recipe) {
        self.model = model
        self.discriminators = discriminators
        seed = recipe.seed
        keepsAverage = recipe.optimizer.averageDecay > 0
        let parameters = model.parameters
        let trainable = parameters.filter { $0.value.kind == .trainable }.mapValues(\.type)
        let judges = discriminators.parameters.mapValues(\.type)
        let balancer =
            recipe.losses.balancerDecay > 0 ? LossBalancer(weights: recipe.balancedLosses).stateTypes : [:]
        types = [
            "parameters": Tree(trainable),
            "statistics": Tree(parameters.filter { $0.value.kind == .statistic }.mapValues(\.type)),
            "moments": Tree(Player(recipe.optimizer, steps: recipe.steps).momentTypes(trainable)),
            "average": Tree(keepsAverage ? trainable : [:]),
            "discriminators": [
                "parameters": Tree(judges),
                "moments": Tree(Player(recipe.adversarial, steps: recipe.steps).momentTypes(judges)),
            ],
            "balancer": Tree(balancer),
            "step": .leaf(TensorType(.i32, [])), "key": .leaf(TensorType(.u32, [2])),
        ]
    }

    /// The modules' parameters by their paths under `prefix`.
    func placeholders(under prefix: String) -> [String: Tensor] {
        var placeholders: [String: Tensor] = [:]
        for (path, parameter) in model.parameters {
            let group = parameter.kind == .trainable ? "parameters" : "statistics"
            placeholders["\(prefix).\(group).\(path)"] = parameter.tensor
        }
        for (path, parameter) in discriminators.parameters {
            placeholders["\(prefix).discriminators.parameters.\(path)"] = parameter.tensor
        }
        return placeholders
    }

    /// The state before the first step.
    func initial(on engine: Engine) throws -> Tree<Buffer> {
        let state = self
        // The key is an argument: of a constant the compiler would compute every weight itself, slowly.
        let key = try engine.upload(RandomKey.words(seed: seed))
        return try Function("initialize", on: engine, compilation: .quick) { arguments in
            let key = RandomKey(words: arguments["key"].value)
            let values = state.model.initialization(key: key)
            let judges = state.discriminators.initialization(key: key.folding(in: 1))
            let kinds = state.model.parameters
            let trainable = values.filter { kinds[$0.key]?.kind == .trainable }
            func zeros(_ types: Tree<TensorType>) -> Tree<Tensor> { types.map { Tensor.zeros($1) } }
            return [
                "parameters": Tree(trainable),
                "statistics": Tree(values.filter { kinds[$0.key]?.kind == .statistic }),
                "moments": zeros(state.types["moments"]),
                "average": Tree(state.keepsAverage ? trainable : [:]),
                "discriminators": [
                    "parameters": Tree(judges), "moments": zeros(state.types["discriminators"]["moments"]),
                ],
                "balancer": zeros(state.types["balancer"]),
                "step": .leaf(Tensor.scalar(0, .i32)),
                "key": .leaf(Tensor.constant(RandomKey.words(seed: state.seed ^ 0x5EED))),
            ]
        }(["key": .leaf(key)])
    }
}
