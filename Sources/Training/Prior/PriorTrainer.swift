import Datasets
import NN
import PJRT
import Tensor
public import Tokenizer
public import XLA

/// Fits a prior to the tokens of clips.
public struct PriorTrainer: Sendable {
    public struct Options: Hashable, Sendable {
        /// Frames that the prior looks back.
        public var past = 3
        /// Its hidden units.
        public var width = 64
        public var steps = 4000
        /// Stretches of clips in a step, and the frames of each that are learned from, after those that it looks back to.
        public var batchSize = 32
        public var frames = 64
        public var learningRate = 3e-3
        public var weightDecay = 0.02
        public var seed: UInt64 = 0

        public init() {}
    }

    private let options: Options
    private let configuration: Alpha.Configuration
    private let network: PriorNetwork
    private let optimizer: AdamW
    private let step: Function
    private let engine: Engine

    /// - Throws: `TokenLayoutError`, and `TokenPriorError` for a model whose codebooks are too large.
    public init(_ configuration: Alpha.Configuration, _ options: Options = Options(), on engine: Engine) throws {
        self.options = options
        self.configuration = configuration
        self.engine = engine
        let layout = try configuration.tokenLayout
        try TokenPrior.requireRoom(for: layout)
        let network = PriorNetwork(layout: layout, past: options.past, width: options.width)
        self.network = network
        let optimizer = AdamW(
            learningRate: .warmupCosine(
                peak: options.learningRate, to: options.learningRate / 100, warmup: min(100, options.steps / 10),
                steps: options.steps), weightDecay: options.weightDecay)
        self.optimizer = optimizer
        step = Function(
            "prior", on: engine,
            placeholders: Dictionary(
                uniqueKeysWithValues: network.parameters.map { ("parameters.\($0)", $1.tensor) }),
            donating: ["parameters", "moments"], compilation: .concurrent
        ) { arguments in
            let weights = arguments["weights"].value
            let bits = network.bits(of: arguments["columns"].value).sum(axes: [-1])
            let mean = (bits * weights).sum() / maximum(weights.sum(), 1)
            let paths = network.parameters.keys.sorted()
            let parameters = arguments["parameters"].values
            let gradients = gradient(of: mean, at: paths.map { parameters[$0]! })
            let next = optimizer.update(
                gradients: Dictionary(uniqueKeysWithValues: zip(paths, gradients)), parameters: parameters,
                state: arguments["moments"].values, step: arguments["step"].value)
            return ["parameters": Tree(next.parameters), "moments": Tree(next.state), "bits": .leaf(mean)]
        }
    }

    /// The prior that says most of `clips`: of the tokens of each.
    ///
    /// - Parameter report: told the number of steps done and the mean bits of a frame, now and then.
    /// - Throws: `PJRTError`, `TokenPriorError`, and what `report` throws.
    public func fit(_ clips: [TokenFrames], report: (Int, Double) throws -> Void = { _, _ in }) throws -> TokenPrior {
        let stretches = Stretches(clips.map { configuration.columns($0) }, options, width: configuration.codeWidth)
        let key = RandomKey.words(seed: options.seed)
        let types = network.parameters.mapValues(\.type)
        let start = Function("initialize prior", on: engine, compilation: .quick) { [network] arguments in
            Tree(network.initialization(key: RandomKey(words: arguments["key"].value)))
        }
        var parameters = try start(["key": .leaf(engine.upload(key))])
        var moments = try engine.upload(
            optimizer.stateTypes(for: types).mapValues { HostArray(repeating: 0, type: $0) })
        var random = CountedRandom(seed: options.seed)
        for number in 0..<options.steps {
            let batch = stretches.draw(&random)
            let result = try step([
                "parameters": parameters, "moments": moments, "step": .leaf(engine.upload(HostArray(Int32(number)))),
                "columns": .leaf(engine.upload(batch.columns)), "weights": .leaf(engine.upload(batch.weights)),
            ])
            (parameters, moments) = (result["parameters"], result["moments"])
            if number % 50 == 49 || number == options.steps - 1 {
                try report(number + 1, Double(result["bits"].value.hostArray().floats[0]))
            }
        }
        return try network.prior(parameters.values.mapValues { try $0.hostArray() })
    }
}

/// Stretches of clips, drawn at random; a longer clip is drawn from as much more often.
private struct Stretches {
    private let clips: [[Int32]]
    private let options: PriorTrainer.Options
    private let width: Int
    /// Frames up to the end of each clip.
    private let ends: [Int]

    init(_ clips: [[Int32]], _ options: PriorTrainer.Options, width: Int) {
        self.clips = clips.filter { !$0.isEmpty }
        self.options = options
        self.width = width
        ends = self.clips.reduce(into: []) { $0.append(($0.last ?? 0) + $1.count / width) }
    }

    /// i32 `[batch, frames, width]`, and of how much account each frame is, f32 `[batch, frames]`: none where the clip has ended, or
    /// where what came before it is not there.
    func draw(_ random: inout CountedRandom) -> (columns: HostArray, weights: HostArray) {
        let length = options.frames + options.past
        var columns = [Int32](repeating: 0, count: options.batchSize * length * width)
        var weights = [Float](repeating: 0, count: options.batchSize * length)
        for row in 0..<options.batchSize {
            guard let total = ends.last else { break }
            let place = Int(random.unit() * Double(total))
            let index = ends.partitioningIndex { $0 > place }
            let clip = clips[index]
            let count = clip.count / width
            // Anywhere from where the clip has just begun to where it just ends.
            let start = min(max(place - (ends[index] - count) - length / 2, 0), max(0, count - length))
            let taken = min(length, count - start)
            let first = row * length * width
            columns.replaceSubrange(
                first..<first + taken * width, with: clip[start * width..<(start + taken) * width])
            for frame in (start == 0 ? 0 : min(options.past, taken))..<taken { weights[row * length + frame] = 1 }
        }
        return (
            HostArray(columns, shape: [options.batchSize, length, width]),
            HostArray(weights, shape: [options.batchSize, length])
        )
    }
}

extension [Int] {
    /// The first index whose element is so, of elements that are not and then are.
    fileprivate func partitioningIndex(where isSo: (Int) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isSo(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
