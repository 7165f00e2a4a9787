import Tensor

// A convolution of stride s over samples is one of stride 1 over blocks of s samples, each block's samples being
// channels: y[n] = Σ_k w[k]·x[n·s + k] = Σ_b Σ_r w[b·s + r]·x[(n + b)·s + r].

extension Tensor {
    /// `[batch, space…, channels]` → `[batch, space / stride…, Π stride · channels]`, each group's channels together.
    func foldingStrides(_ strides: [Int], groups: Int) -> Tensor {
        let channels = shape[rank - 1]
        var split = [shape[0]]
        var blocks = [0]
        var phases: [Int] = []
        for (axis, stride) in strides.enumerated() {
            blocks.append(split.count)
            phases.append(split.count + 1)
            split += [shape[axis + 1] / stride, stride]
        }
        let group = split.count
        split += [groups, channels / groups]
        let width = strides.reduce(channels, *)
        let outer = blocks.map { split[$0] }
        return reshaped(Shape(split)).transposed(blocks + [group] + phases + [group + 1])
            .reshaped(Shape(outer + [width]))
    }

    /// A kernel `[space…, inputs, outputs]` for operands so folded: `[space / stride…, Π stride · inputs, outputs]`.
    func foldingKernel(_ strides: [Int]) -> Tensor {
        var split: [Int] = []
        var blocks: [Int] = []
        var phases: [Int] = []
        for (axis, stride) in strides.enumerated() {
            blocks.append(split.count)
            phases.append(split.count + 1)
            split += [shape[axis] / stride, stride]
        }
        let (input, output) = (split.count, split.count + 1)
        split += [shape[rank - 2], shape[rank - 1]]
        let outer = blocks.map { split[$0] }
        let width = strides.reduce(shape[rank - 2], *)
        return reshaped(Shape(split)).transposed(blocks + phases + [input, output])
            .reshaped(Shape(outer + [width, shape[rank - 1]]))
    }
}
