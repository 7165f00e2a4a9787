import Checkpoint
import NN
import Tensor

extension ModelFile {
    /// What a file holds a model's weights in.
    public enum Weights: String, CaseIterable, Sendable {
        case f32
        /// Half the room: the upper half of an f32, with 8 significant bits.
        case bf16
    }

    /// Writes this model anew, atomically, with its weights in `weights` and all else as it was read.
    ///
    /// To f32 every value is kept, and with it the fingerprint. To bf16 values are rounded to the nearest, in the middle to
    /// even, which makes another model with tokens of its own.
    ///
    /// - Throws: `TensorDifferences` if a value is so large that it rounds to infinity, or `FileError`; then an earlier file at
    ///   `path` is as it was.
    public func write(as weights: Weights, to path: String) throws {
        let stored = Dictionary(uniqueKeysWithValues: arrays.map { ($0, weights.stored($0, $1)) })
        try verify(expected: stored.mapValues(\.type), found: stored, in: self.path, finite: true)
        try Safetensors.write(stored.merging(prior?.arrays ?? [:]) { $1 }, metadata: metadata, to: path)
    }

    /// Writes this model anew, atomically, with `prior` and all else as it was read.
    ///
    /// - Throws: `FileError`; then an earlier file at `path` is as it was.
    public func write(with prior: TokenPrior, to path: String) throws {
        let stored = arrays.map { name, array in (name, array.converted(to: storedTypes[name] ?? .f32)) }
        try Safetensors.write(
            Dictionary(uniqueKeysWithValues: stored).merging(prior.arrays) { $1 }, metadata: metadata, to: path)
    }
}

extension ModelFile.Weights {
    /// A parameter as a file holds it: of an f32 `array`, narrow only if that saves anything worth the error.
    fileprivate func stored(_ name: String, _ array: HostArray) -> HostArray {
        // Kernels and matrices are 99 of 100 parameters. Of the others, quantizers decide which code a frame gets, and vectors
        // (Snake's frequencies, scales, biases) act on whole channels: rounded too, they would double the codes that change.
        let isKept = self == .f32 || name.hasPrefix("quantizer.") || array.shape.rank < 2
        return isKept ? array : array.converted(to: .bf16)
    }
}
