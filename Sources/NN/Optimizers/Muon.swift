public import Tensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Momentum whose matrices are made nearly orthogonal before they are a step, so that every direction of a weight moves as far as the
/// one with the largest gradient; AdamW for what is no matrix.
///
/// Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024. Steps are scaled to the size of AdamW's by 0.2 √(the
/// longer side), as in Liu et al., "Muon is scalable for LLM training", 2025, so learning rates and decays are AdamW's too. Kernels
/// `[taps, in, out]` are matrices `[taps · in, out]`. State is `first.<path>`, the momentum, and AdamW's.
public struct Muon: Optimizer {
    public let learningRate: Schedule
    public let momentum: Double
    public let weightDecay: Double
    /// Moves what is no matrix.
    public let others: AdamW
    private let isMatrix: @Sendable (_ path: String, _ shape: Shape) -> Bool

    /// - Parameters:
    ///   - momentum: the decay of the running mean of gradients.
    ///   - weightDecay: of matrices, multiplied by the learning rate at each step.
    ///   - others: the optimizer of the rest.
    ///   - isMatrix: which parameters are orthogonalised, of those with two axes or more. Embeddings, codebooks and first and last layers
    ///     are better left to AdamW.
    public init(
        learningRate: Schedule, momentum: Double = 0.95, weightDecay: Double = 1e-4, others: AdamW,
        isMatrix: @escaping @Sendable (_ path: String, _ shape: Shape) -> Bool = { _, _ in true }
    ) {
        self.learningRate = learningRate
        self.momentum = momentum
        self.weightDecay = weightDecay
        self.others = others
        self.isMatrix = isMatrix
    }

    private func orthogonalises(_ path: String, _ shape: Shape) -> Bool { shape.rank >= 2 && isMatrix(path, shape) }

    public func stateTypes(for parameters: [String: TensorType]) -> [String: TensorType] {
        let rest = parameters.filter { !orthogonalises($0.key, $0.value.shape) }
        return parameters.filter { orthogonalises($0.key, $0.value.shape) }
            .reduce(into: others.stateTypes(for: rest)) { $0["first.\($1.key)"] = $1.value }
    }

    public func update(
        gradients: [String: Tensor], parameters: [String: Tensor], state: [String: Tensor], step: Tensor
    ) -> (parameters: [String: Tensor], state: [String: Tensor]) {
        let rest = parameters.filter { !orthogonalises($0.key, $0.value.shape) }
        var next = others.update(gradients: gradients, parameters: rest, state: state, step: step)
        let matrices = parameters.filter { orthogonalises($0.key, $0.value.shape) }
        let rate = learningRate(step)
        let count = step.cast(to: .f32) + 1
        // 1 - βᵗ. A mean that looks one gradient ahead (Nesterov) is of one step more.
        let ahead = -(((count + 1) * log(momentum)).expm1())
        let now = -((count * log(momentum)).expm1())
        var looked: [String: Tensor] = [:]
        for (path, _) in matrices {
            let gradient = entry(gradients, path, "gradient")
            let mean = momentum * entry(state, "first.\(path)", "state") + (1 - momentum) * gradient
            next.state["first.\(path)"] = mean
            looked[path] = momentum * (mean / ahead) + (1 - momentum) * (gradient / now)
        }
        for (path, direction) in orthogonalized(looked) {
            let parameter = parameters[path]!
            next.parameters[path] = parameter - rate * (direction + weightDecay * parameter)
        }
        return next
    }

    /// The nearest matrices with nearly equal singular values, times 0.2 √(the longer side): of the RMS of AdamW's steps.
    private func orthogonalized(_ values: [String: Tensor]) -> [String: Tensor] {
        // Those of one shape together: a program of a few products of many matrices, not of hundreds of small ones.
        var groups: [Side: [(path: String, matrix: Tensor)]] = [:]
        for (path, value) in values.sorted(by: { $0.key < $1.key }) {
            let columns = value.shape[value.rank - 1]
            let matrix = value.reshaped([value.shape.elementCount / columns, columns])
            let wide = matrix.shape[0] > columns ? matrix.transposed([1, 0]) : matrix
            groups[Side(short: wide.shape[0], long: wide.shape[1]), default: []].append((path, wide))
        }
        var directions: [String: Tensor] = [:]
        for (side, members) in groups.sorted(by: { $0.key < $1.key }) {
            let scaled = newtonSchulz(stack(members.map(\.matrix))) * (0.2 * Double(side.long).squareRoot())
            for (index, member) in members.enumerated() {
                let shape = values[member.path]!.shape
                let wide = scaled.at(index)
                let wasTall = shape[shape.rank - 1] < wide.shape[1]
                directions[member.path] = (wasTall ? wide.transposed([1, 0]) : wide).reshaped(shape)
            }
        }
        return directions
    }
}

/// The sides of a matrix.
private struct Side: Hashable, Comparable {
    let short: Int
    let long: Int

    static func < (a: Side, b: Side) -> Bool { (a.short, a.long) < (b.short, b.long) }
}

/// Matrices with the singular vectors of `x`, `[count, rows, columns]`, no taller than wide, and singular values from 0.68 to 1.2 where
/// those of `x` are more than about a hundredth of its norm; smaller ones come less far.
///
/// Five steps of a quintic whose slope at zero is steep, so that small singular values grow fast; it does not settle at 1, which does not
/// matter to a step.
private func newtonSchulz(_ x: Tensor) -> Tensor {
    func product(_ a: Tensor, _ b: Tensor, over axis: Int) -> Tensor {
        dot(a, b, contracting: ([2], [axis]), batching: ([0], [0]))
    }
    var x = x / (x.squared.sum(axes: [1, 2], keepingAxes: true).sqrt() + 1e-8)
    for _ in 0..<5 {
        let gram = product(x, x, over: 2)
        let step = -4.7750 * gram + 2.0315 * product(gram, gram, over: 1)
        x = 3.4445 * x + product(step, x, over: 1)
    }
    return x
}
