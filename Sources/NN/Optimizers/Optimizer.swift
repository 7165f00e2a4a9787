public import Tensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Turns gradients into new parameters: a function on dictionaries of tensors by path, whose state is a dictionary too.
public protocol Optimizer: Sendable {
    /// What to carry from step to step; all of it starts as zeros.
    func stateTypes(for parameters: [String: TensorType]) -> [String: TensorType]

    /// One step.
    ///
    /// - Parameters:
    ///   - gradients: for every path of `parameters`, of the same types.
    ///   - state: every entry of `stateTypes`.
    ///   - step: i32 scalar, zero for the first.
    /// - Returns: what replaces `parameters` and `state`.
    func update(
        gradients: [String: Tensor], parameters: [String: Tensor], state: [String: Tensor], step: Tensor
    ) -> (parameters: [String: Tensor], state: [String: Tensor])
}

/// Adam with decoupled weight decay; without decay it is Adam.
///
/// Kingma and Ba, "Adam", 2015; Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019. State is
/// `first.<path>` and `second.<path>`, the running means of the gradient and of its square.
public struct AdamW: Optimizer {
    public let learningRate: Schedule
    public let betas: (first: Double, second: Double)
    public let epsilon: Double
    public let weightDecay: Double
    private let decays: @Sendable (_ path: String, _ shape: Shape) -> Bool

    /// - Parameters:
    ///   - weightDecay: multiplied by the learning rate at each step.
    ///   - decays: which parameters decay; by default those of two axes or more, so neither biases nor scales.
    public init(
        learningRate: Schedule, betas: (first: Double, second: Double) = (0.9, 0.999), epsilon: Double = 1e-8,
        weightDecay: Double = 1e-4,
        decays: @escaping @Sendable (_ path: String, _ shape: Shape) -> Bool = { $1.rank >= 2 }
    ) {
        self.learningRate = learningRate
        self.betas = betas
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.decays = decays
    }

    public func stateTypes(for parameters: [String: TensorType]) -> [String: TensorType] {
        parameters.reduce(into: [:]) { state, entry in
            state["first.\(entry.key)"] = entry.value
            state["second.\(entry.key)"] = entry.value
        }
    }

    public func update(
        gradients: [String: Tensor], parameters: [String: Tensor], state: [String: Tensor], step: Tensor
    ) -> (parameters: [String: Tensor], state: [String: Tensor]) {
        let rate = learningRate(step)
        let count = step.cast(to: .f32) + 1
        // 1 - βᵗ without the cancellation of β near one and t small.
        let firstCorrection = -((count * log(betas.first)).expm1())
        let secondCorrection = -((count * log(betas.second)).expm1())
        var next = (parameters: parameters, state: state)
        // Sorted, so that the same model always gives the same program and compiles once.
        for (path, parameter) in parameters.sorted(by: { $0.key < $1.key }) {
            let gradient = entry(gradients, path, "gradient")
            let first = betas.first * entry(state, "first.\(path)", "state") + (1 - betas.first) * gradient
            let second = betas.second * entry(state, "second.\(path)", "state") + (1 - betas.second) * gradient.squared
            var direction = first / firstCorrection / ((second / secondCorrection).sqrt() + epsilon)
            if weightDecay != 0 && decays(path, parameter.shape) { direction = direction + weightDecay * parameter }
            next.parameters[path] = parameter - rate * direction
            next.state["first.\(path)"] = first
            next.state["second.\(path)"] = second
        }
        return next
    }
}

func entry(_ values: [String: Tensor], _ path: String, _ what: String) -> Tensor {
    guard let value = values[path] else { preconditionFailure("the optimizer got no \(what) for \(path)") }
    return value
}
