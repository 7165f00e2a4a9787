import NN
import Tensor
import TestSupport
import Tokenizer

/// A model of every part that costs next to nothing: 8 kHz, 16 samples to a frame.
enum SmallAlpha {
    static let configuration = Alpha.Configuration(
        sampleRate: 8000, width: 4, strides: [2, 8], dilations: [1, 3], latentDimension: 16,
        transformer: .init(layers: 1, heads: 2, window: 5, expansion: 2),
        quantizer: [.vq(codebookSize: 8, dimension: 4), .bsq(bits: 5)])

    /// Values of a size that keeps signals' size; vectors are scales around 1, or biases around 0.
    static func values(_ parameters: [String: Parameter], seed: UInt64 = 1) -> [String: HostArray] {
        var random = TestRandom(seed: seed)
        return parameters.sorted { $0.key < $1.key }.reduce(into: [:]) { values, entry in
            let fan = entry.value.shape.dimensions.dropLast().reduce(1, *)
            let limit = entry.value.shape.rank > 1 ? (3 / Double(fan)).squareRoot() : 0.3
            let center = entry.value.shape.rank > 1 || entry.key.hasSuffix("bias") ? 0.0 : 1
            values[entry.key] = random.array(entry.value.shape, .f32, low: center - limit, high: center + limit)
        }
    }
}

/// The outputs of a graph that reads `inputs` and a module's parameters.
struct BoundGraph {
    let graph: Graph
    let values: [HostArray]

    init(
        _ parameters: [String: Parameter], _ parameterValues: [String: HostArray],
        inputs: [(Tensor, HostArray)], outputs: [Tensor]
    ) {
        let all = parameters.sorted { $0.key < $1.key }
        graph = Graph(inputs: inputs.map(\.0) + all.map(\.value.tensor), outputs: outputs)
        values = inputs.map(\.1) + all.map { parameterValues[$0.key]! }
    }

    func run(on backend: any TestBackend) throws -> [HostArray] { try backend.run(graph, values) }
}
