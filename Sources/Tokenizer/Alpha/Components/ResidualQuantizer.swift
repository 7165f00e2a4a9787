public import NN
public import Tensor

/// Levels of quantizers, each given what the levels before it left.
public struct ResidualQuantizer: Module {
    package let levels: [any Quantizer]

    public init(_ configuration: Alpha.Configuration) {
        let channels = configuration.latentDimension
        levels = configuration.quantizer.enumerated().map { index, level -> any Quantizer in
            let namesPhonemes = index == 0 && configuration.phonemes != nil
            return switch level.kind {
            case .vq:
                VectorQuantizer(
                    channels: channels, codebookSize: level.codebookSize ?? 64, dimension: level.dimension ?? 8,
                    learning: level.codebook ?? .gradient, namesPhonemes: namesPhonemes)
            case .bsq:
                BinarySphericalQuantizer(channels: channels, bits: level.bits ?? 18, namesPhonemes: namesPhonemes)
            }
        }
    }

    /// How many integers make one frame in `codes`.
    public var codeWidth: Int { levels.reduce(0) { $0 + $1.codeWidth } }

    /// `x`: `[batch, frames, channels]` → codes of all levels side by side, and the sum of their embeddings.
    ///
    /// Losses and metrics are named `levels.0.commitment` and so on. Logits and priors are level 1's.
    ///
    /// Where gradients go: to a level from its own losses and, straight through its codes, from the decoder; none through
    /// one level's codes into another. A level 1 that learns by `.phonemes` hears of the phoneme loss alone, and what the
    /// decoder wants of it goes no further than its output projection.
    ///
    /// - Parameter phonetic: what level 1 is given, `[batch, frames, channels]`; `nil` for `x`. Level 2 is given what level 1 leaves of `x` in any
    ///   case.
    public func callAsFunction(_ x: Tensor, phonetic: Tensor? = nil, training: QuantizerTraining? = nil) -> Quantized {
        var rest = x
        var results: [Quantized] = []
        let keys = training?.key.split(levels.count)
        for (index, level) in levels.enumerated() {
            var step = training
            if let keys { step?.key = keys[index] }
            var result = level(index == 0 ? phonetic ?? rest : rest, training: step)
            // A level answers for its own error alone: the next sees the residual as given.
            rest = rest - result.embedding.stoppingGradient
            if index > 0, let isAlone = training?.levelOneAlone {
                let silent = Tensor.zeros(result.embedding.type)
                result.embedding = select(isAlone.reshaped([x.shape[0], 1, 1]), silent, result.embedding)
            }
            results.append(result)
        }
        func named(_ part: (Quantized) -> [String: Tensor]) -> [String: Tensor] {
            var all: [String: Tensor] = [:]
            for (index, result) in results.enumerated() {
                for (name, value) in part(result) { all["levels.\(index).\(name)"] = value }
            }
            return all
        }
        return Quantized(
            codes: concatenate(results.map(\.codes), axis: 2),
            coordinates: concatenate(results.map(\.coordinates), axis: 2),
            embedding: results.dropFirst().reduce(results[0].embedding) { $0 + $1.embedding },
            losses: named(\.losses), metrics: named(\.metrics), updates: results.flatMap(\.updates),
            logits: results[0].logits, priors: results[0].priors, replacements: results.flatMap(\.replacements))
    }

    /// i32 codes `[batch, frames, codeWidth]` → `[batch, frames, channels]`.
    ///
    /// - Parameter levelCount: how many levels to use, all by default.
    public func embedding(_ codes: Tensor, levelCount: Int? = nil, as dtype: DType = .f32) -> Tensor {
        var start = 0
        var sum: Tensor?
        for level in levels.prefix(levelCount ?? levels.count) {
            let part = level.embedding(codes.slice(2, start, start + level.codeWidth), as: dtype)
            sum = sum.map { $0 + part } ?? part
            start += level.codeWidth
        }
        guard let sum else { preconditionFailure("a decoder needs at least one level") }
        return sum
    }
}
