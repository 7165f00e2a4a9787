import Foundation
public import Tokenizer

/// An experiment as a JSON file: the model and how it is trained. A key that is left out has the default given here.
public struct Recipe: Codable, Hashable, Sendable {
    /// The name of a preset, or a whole configuration.
    public var model: Model
    public var seed: UInt64 = 0
    /// Optimizer steps in all.
    public var steps: Int = 10_000
    /// Segments in a batch.
    public var batchSize: Int = 8
    /// Equal parts that a batch is computed in, one after another: as much learning from less memory.
    public var accumulation: Int = 1
    /// Steps skipped in a row, for what is not finite, after which the run goes back to its newest checkpoint.
    public var rollbackAfter: Int = 10
    /// Length of a segment in seconds, rounded to whole frames.
    public var segmentSeconds: Double = 0.5
    /// Steps in which fewer and fewer clips of a batch, all at first and none at last, pass the quantizers unquantised.
    public var quantizerWarmupSteps: Int = 600
    public var optimizer = Optimizer()
    public var losses = Losses()
    public var adversarial = Adversarial()
    public var evaluation = Evaluation()
    public var checkpoints = Checkpoints()
    /// Element type of the computation; parameters are f32 in any case.
    public var precision: Precision = .f32

    public enum Precision: String, Codable, Sendable { case f32, bf16 }

    public enum Model: Hashable, Sendable {
        case preset(String)
        case configuration(Alpha.Configuration)

        /// - Throws: `ConfigurationError`.
        public func resolved() throws(ConfigurationError) -> Alpha.Configuration {
            switch self {
            case .preset(let name): try Alpha.Configuration.preset(name)
            case .configuration(let configuration): configuration
            }
        }
    }

    public struct Optimizer: Codable, Hashable, Sendable {
        public var learningRate: Double = 1e-3
        public var beta1: Double = 0.8
        public var beta2: Double = 0.99
        public var weightDecay: Double = 1e-2
        /// Steps in which the learning rate rises linearly from 0.
        public var warmupSteps: Int = 200
        /// What a cosine brings the learning rate to at the last step, as a share of it.
        public var finalShare: Double = 0.05
        /// The largest norm of all gradients together.
        public var clipNorm: Double = 10
        /// Decay of the averaged weights that are evaluated and kept; 0 keeps none.
        public var averageDecay: Double = 0.999

        public init() {}
    }

    /// Weights of the summed losses; 0 leaves one out.
    public struct Losses: Codable, Hashable, Sendable {
        public var mel: Double = 15
        public var stft: Double = 1
        public var waveform: Double = 1
        /// Of the negated scale-invariant signal-to-distortion ratio in dB.
        public var distortion: Double = 0
        public var commitment: Double = 0.25
        public var codebook: Double = 1
        public var entropy: Double = 1
        /// Windows of the mel loss in samples.
        public var melWindows: [Int] = [64, 128, 256, 512, 1024, 2048]
        /// Bands of each.
        public var melBands: [Int] = [5, 10, 20, 40, 80, 160]
        /// Decay of the means by which EnCodec's balancer makes weights shares of the gradient; 0 sums the losses as they are.
        public var balancerDecay: Double = 0

        public init() {}
    }

    public struct Evaluation: Codable, Hashable, Sendable {
        /// Steps between evaluations on held-out clips; 0 for none but the last.
        public var every: Int = 1000
        /// Held-out clips to use.
        public var clips: Int = 16
        /// Of these, how many are written to the run's `samples/` each time, with pictures of their spectrograms.
        public var samples: Int = 4

        public init() {}
    }

    public struct Checkpoints: Codable, Hashable, Sendable {
        /// Steps between checkpoints.
        public var every: Int = 500
        /// How many to keep.
        public var keep: Int = 3

        public init() {}
    }

    public init(model: Model) { self.model = model }
}

extension Recipe.Model: Codable {
    public init(from decoder: any Decoder) throws {
        if let name = try? decoder.singleValueContainer().decode(String.self) {
            self = .preset(name)
        } else {
            self = .configuration(try Alpha.Configuration(from: decoder))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .preset(let name):
            var container = encoder.singleValueContainer()
            try container.encode(name)
        case .configuration(let configuration): try configuration.encode(to: encoder)
        }
    }
}
