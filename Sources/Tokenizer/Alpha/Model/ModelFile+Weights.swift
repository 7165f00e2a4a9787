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
        try Safetensors.write(stored, metadata: metadata, to: path)
    }

    /// Writes, in f32 and atomically, the model whose weights are the mean of those of `files`.
    ///
    /// Of runs that began where another ended, the mean is often better than any (Wortsman et al., "Model soups", 2022,
    /// arXiv:2203.05482; Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", 2018, arXiv:1803.05407).
    ///
    /// - Precondition: There is a file.
    /// - Throws: `ModelFileError.otherConfiguration` if they are not of one architecture, or `FileError`.
    public static func writeMean(of files: [ModelFile], to path: String) throws {
        let first = files[0]
        for file in files where file.model.configuration != first.model.configuration {
            throw ModelFileError.otherConfiguration(path: file.path, than: first.path)
        }
        let mean = first.arrays.map { name, array in
            var sums = [Double](repeating: 0, count: array.count)
            for file in files {
                for (index, value) in file.arrays[name]!.floats.enumerated() { sums[index] += Double(value) }
            }
            return (name, HostArray(sums.map { $0 / Double(files.count) }, as: array.dtype, shape: array.shape))
        }
        try Safetensors.write(Dictionary(uniqueKeysWithValues: mean), metadata: first.metadata, to: path)
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
