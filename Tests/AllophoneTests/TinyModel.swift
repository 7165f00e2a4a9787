import NN
import Tensor
import TestSupport
import Tokenizer

/// A model that costs next to nothing, with weights that nobody trained: frames of 20 ms, each a code of 16 and 6 bits.
enum TinyModel {
    static let configuration = Alpha.Configuration(
        sampleRate: 24000, width: 4, strides: [4, 4, 5, 6], dilations: [1, 3], latentDimension: 16,
        transformer: .init(layers: 1, heads: 2, window: 8),
        quantizer: [.vq(codebookSize: 16, dimension: 4), .bsq(bits: 6)])

    static func model() throws -> Alpha { try Alpha(configuration) }

    /// The value of every parameter: uniform, and of a size that keeps signals' size.
    static func arrays(seed: UInt64 = 1) throws -> [String: HostArray] {
        var random = Mutator(seed: seed)
        var arrays: [String: HostArray] = [:]
        for (path, parameter) in try model().parameters.sorted(by: { $0.key < $1.key }) {
            let dimensions = parameter.shape.dimensions
            let fan = dimensions.dropLast().reduce(1, *)
            let limit = dimensions.count > 1 ? (3 / Float(fan)).squareRoot() : 0.2
            // Vectors are scales and frequencies, around 1, and biases, around 0.
            let center: Float = dimensions.count > 1 || path.hasSuffix("bias") ? 0 : 1
            let values = (0..<dimensions.reduce(1, *)).map { _ in
                center + Float.random(in: -limit...limit, using: &random)
            }
            arrays[path] = HostArray(values, shape: parameter.shape)
        }
        return arrays
    }

    /// Writes a model file into `folder` and returns its path.
    static func write(to folder: TemporaryFolder, name: String = "model.safetensors", seed: UInt64 = 1) throws -> String
    {
        let path = folder.file(name)
        try ModelFile.write(arrays(seed: seed), of: model(), to: path)
        return path
    }
}
