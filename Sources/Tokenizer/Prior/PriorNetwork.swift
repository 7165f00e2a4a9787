public import NN
public import Tensor

/// A `TokenPrior` while it learns: the same network with real weights, as a graph.
public struct PriorNetwork: Module {
    /// `[past, features, width]`.
    public let past: Parameter
    /// `[features, width]`.
    public let present: Parameter
    /// `[features, width]`.
    public let head: Parameter
    /// `[features]`.
    public let headBias: Parameter
    /// `[width]`.
    public let bias: Parameter
    private let layout: TokenLayout

    public init(layout: TokenLayout, past: Int, width: Int) {
        let features = TokenPrior.features(of: layout).count
        self.layout = layout
        self.past = Parameter([past, features, width], .normal(0.1))
        present = Parameter([features, width], .normal(0.1))
        head = Parameter([features, width], .zeros)
        headBias = Parameter([features], .zeros)
        bias = Parameter([width], .constant(0.1))
    }

    /// What each frame takes after those before it, in bits: `columns`, i32 `[batch, frames, codeWidth]` as models compute with them
    /// (an integer for a VQ code, one for each bit of a BSQ code) → f32 `[batch, frames, levels]`.
    public func bits(of columns: Tensor) -> Tensor {
        let features = features(of: columns)
        var hidden = bias.tensor
        for lag in 0..<past.shape[0] {
            let before = features.padded(axis: 1, low: lag + 1, high: -lag - 1)
            hidden = hidden + matmul(before, past.tensor.at(lag))
        }
        var cost: [Tensor] = []
        for (level, start) in zip(layout.levels, TokenPrior.features(of: layout).starts) {
            func rows(_ parameter: Parameter) -> Tensor { parameter.tensor.slice(0, start, start + level.featureCount) }
            let codes = features.slice(2, start, start + level.featureCount)
            switch level {
            case .vq:
                let scores = matmul(hidden.relu(), rows(head).transposed) + rows(headBias)
                cost.append(-(scores.logSoftmax() * codes).sum(axes: [-1]))
            case .bsq(let bits):
                // Each bit's own view: what is known of the bits below it.
                let below = HostArray(
                    (0..<bits * bits).map { Float($0 % bits < $0 / bits ? 1 : 0) }, shape: [bits, bits])
                let known = codes.expanded(at: 2) * Tensor.constant(below)
                let views = (hidden.expanded(at: 2) + matmul(known, rows(present))).relu()
                let scores = (views * rows(head)).sum(axes: [-1]) + rows(headBias)
                // -log σ(±score).
                let wrong = scores * codes * -1
                cost.append((maximum(wrong, 0) + (wrong.abs() * -1).exp().log1p()).sum(axes: [-1]))
            }
            hidden = hidden + matmul(codes, rows(present))
        }
        return stack(cost, axis: 2) * (1 / 0.6931471805599453)
    }

    /// `[batch, frames, features]`: 1 for the entry that is, 0 for the others; 1 for a bit that is set, else -1.
    private func features(of columns: Tensor) -> Tensor {
        let (batch, frames) = (columns.shape[0], columns.shape[1])
        var place = 0
        let parts = layout.levels.map { level -> Tensor in
            switch level {
            case .vq(let size):
                let entries = Tensor.iota(TensorType(.i32, [batch, frames, size]), axis: 2)
                defer { place += 1 }
                return entries.equals(columns.slice(2, place, place + 1)).cast(to: .f32)
            case .bsq(let bits):
                defer { place += bits }
                return columns.slice(2, place, place + bits).cast(to: .f32) * 2 - 1
            }
        }
        return concatenate(parts, axis: 2)
    }

    /// The prior of these weights, rounded to what it computes with; `values` by the names of the parameters.
    ///
    /// - Throws: `TokenPriorError` if the layout has no room for one.
    public func prior(_ values: [String: HostArray]) throws(TokenPriorError) -> TokenPrior {
        let limit = Double(TokenPrior.largestWeight)
        let arrays = parameters.map { name, parameter in
            let rounded = (values[name]?.doubles ?? []).map {
                min(max(($0 * Double(TokenPrior.unit)).rounded(), -limit), limit)
            }
            return (TokenPrior.prefix + name, HostArray(rounded, as: .i16, shape: parameter.shape))
        }
        return try TokenPrior(Dictionary(uniqueKeysWithValues: arrays), layout: layout)
    }
}
