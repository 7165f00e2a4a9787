import Checkpoint
import Tensor

/// The model whose weights are the mean of those of other models, of which it holds the sums.
///
/// Of runs that began where another ended, and of one run's checkpoints while its learning rate is high, the mean is often better than
/// any (Wortsman et al., "Model soups", 2022, arXiv:2203.05482; Izmailov et al., "Averaging Weights Leads to Wider Optima and Better
/// Generalization", 2018, arXiv:1803.05407).
public struct MeanModel: Sendable {
    private let first: ModelFile
    private var sums: [String: [Double]]
    private var count = 1

    public init(of first: ModelFile) {
        self.first = first
        sums = first.arrays.mapValues { $0.floats.map(Double.init) }
    }

    /// - Throws: `ModelFileError.otherConfiguration` if `file` is not of the first one's architecture.
    public mutating func add(_ file: ModelFile) throws {
        guard file.model.configuration == first.model.configuration else {
            throw ModelFileError.otherConfiguration(path: file.path, than: first.path)
        }
        for (name, array) in file.arrays {
            for (index, value) in array.floats.enumerated() { sums[name]![index] += Double(value) }
        }
        count += 1
    }

    /// Writes the mean in f32, atomically.
    ///
    /// - Throws: `FileError`; then an earlier file at `path` is as it was.
    public func write(to path: String) throws {
        let mean = first.arrays.map { name, array in
            (name, HostArray(sums[name]!.map { $0 / Double(count) }, as: array.dtype, shape: array.shape))
        }
        try Safetensors.write(Dictionary(uniqueKeysWithValues: mean), metadata: first.metadata, to: path)
    }
}
