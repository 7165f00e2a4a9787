public import Datasets
public import Tokenizer

/// An experiment as a JSON file: the model and how it is trained. A key that is left out has the default given here.
public struct Recipe: Codable, Hashable, Sendable {
    /// The name of a preset, or a whole configuration.
    public var model: Model
    public var seed: UInt64 = 0
    /// A model's file whose weights the run begins with, of the same configuration or with fewer transformer blocks, bits or channels; empty for
    /// random ones.
    public var initialModel: String = ""
    /// A model's file whose phonemes the run begins with, in place of `initialModel`'s: for a model whose level 1 has an encoder of its own,
    /// which takes the first transformer blocks of what level 1 hears with there. Empty for none.
    public var initialPhonemes: String = ""
    /// Parts that stay as `initialModel` has them: with the encoders and the quantizer among them a model keeps its tokens, whatever else
    /// changes.
    public var frozen: [Part] = []
    /// Optimizer steps in all.
    public var steps: Int = 10_000
    /// Clips in a batch.
    public var batchSize: Int = 8
    /// Equal parts that a batch is computed in, one after another: as much learning from less memory.
    public var accumulation: Int = 1
    /// Steps skipped in a row, for what is not finite, after which the run goes back to its newest checkpoint.
    public var rollbackAfter: Int = 10
    /// Length of a segment in seconds, rounded to whole frames.
    public var segmentSeconds: Double = 0.5
    public var clips = Clips()
    /// Steps in which fewer and fewer clips of a batch, all at first and none at last, pass the quantizers unquantised.
    public var quantizerWarmupSteps: Int = 600
    /// The share of clips that the decoder hears by level 1 alone, so that it learns to speak from that.
    public var quantizerDropout: Double = 0
    public var bitTemperature = BitTemperature()
    public var optimizer = Optimizer()
    public var losses = Losses()
    public var adversarial = Adversarial()
    public var evaluation = Evaluation()
    public var checkpoints = Checkpoints()
    /// Element type of the computation; parameters are f32 in any case.
    public var precision: Precision = .f32

    /// What of the generator can be frozen.
    public enum Part: String, Choice { case encoder, phonemeEncoder, quantizer, decoder }

    /// Element types of the computation.
    public enum Precision: String, Choice { case f32, bf16 }

    /// What is trained: a preset by its name, or a configuration in full.
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

    /// How parameters move, and how fast.
    public struct Optimizer: Codable, Hashable, Sendable {
        public var method: Method = .adamW
        public var learningRate: Double = 1e-3
        public var beta1: Double = 0.8
        public var beta2: Double = 0.99
        /// Of Muon's matrices; `beta1` and `beta2` are of the rest.
        public var momentum: Double = 0.95
        public var weightDecay: Double = 1e-2
        /// Steps in which the learning rate rises linearly from 0.
        public var warmupSteps: Int = 200
        /// What a cosine brings the learning rate to at the last step, as a share of it.
        public var finalShare: Double = 0.05
        /// The largest norm of all gradients together.
        public var clipNorm: Double = 10
        /// Decay of the averaged weights that are evaluated and kept; 0 keeps none.
        public var averageDecay: Double = 0.999

        public enum Method: String, Choice {
            case adamW = "adamw"
            /// `Muon` for kernels and matrices but those of the first and last layers and codebooks, AdamW for what is left.
            case muon
        }

        public init() {}
    }

    /// Weights of the summed losses; 0 leaves one out.
    public struct Losses: Codable, Hashable, Sendable {
        public var mel: Double = 15
        public var stft: Double = 1
        public var waveform: Double = 1
        /// Of the negated scale-invariant signal-to-distortion ratio in dB.
        public var distortion: Double = 0
        /// Of one minus the correlation of envelopes, which STOI measures.
        public var intelligibility: Double = 0
        /// Of the relative difference of loudness.
        public var loudness: Double = 0
        /// Of one minus the correlation of waveforms where voices have their pitch.
        public var phase: Double = 0
        /// Of one minus the agreement of the fine structure of spectra, where harmonics are closer than mel bands.
        public var harmonics: Double = 0
        /// Of the loudness in bands of an ear that is missing or added, as PESQ weighs it.
        public var disturbance: Double = 0
        public var commitment: Double = 0.25
        public var codebook: Double = 1
        public var entropy: Double = 1
        /// Of the squared correlations of a BSQ's bits with each other and with the frame's before.
        public var redundancy: Double = 0
        /// Of CTC on the logits of level 1; counts for models with phonemes alone, and needs transcripts.
        public var ctc: Double = 1
        /// The step from which CTC counts. Before it level 1 learns phonemes from alignments alone, which it does many times faster, and
        /// CTC then begins with something to align.
        public var ctcStartStep: Int = 0
        /// Of the cross-entropy of the frames whose phoneme an alignment tells, on the same logits; for models with phonemes alone.
        public var phonemeFrames: Double = 0
        /// How much of the log of each phoneme's share is taken off its score in CTC, against peaky alignments; 0 to 1.
        public var labelPriors: Double = 0
        /// Of the distance of features in the encoder of `perceptualModel`.
        public var perceptual: Double = 0
        /// A trained model's file; its encoder listens, and stays as it is.
        public var perceptualModel: String = ""
        /// What is quieter in a band or at a frequency than white noise of this level counts as that loud to `mel` and `stft`, in dB of full
        /// scale (RMS); 0 for no such floor. Bits that are spent on a background that nobody hears are missing in the speech.
        public var quietest: Double = 0
        /// Windows of the mel loss in samples.
        public var melWindows: [Int] = [64, 128, 256, 512, 1024, 2048]
        /// Bands of each.
        public var melBands: [Int] = [5, 10, 20, 40, 80, 160]
        /// Decay of the means by which EnCodec's balancer makes weights shares of the gradient; 0 sums the losses as they are.
        public var balancerDecay: Double = 0

        public init() {}
    }

    /// How clips are prepared for training.
    public struct Clips: Codable, Hashable, Sendable {
        /// Whether batches are of whole utterances, padded to a few lengths, and not of segments.
        public var areWhole: Bool = false
        /// Whole utterances that are longer give a piece of so many seconds.
        public var longestSeconds: Double = 10
        /// The loudness that clips are brought to in LUFS; 0 leaves them as they were recorded.
        public var loudness: Double = 0
        /// Whether silence around the speech is cut off.
        public var trimsSilence: Bool = false
        /// How much less those who speak much are heard, each dataset by itself: someone who says `s` seconds of it in proportion to `s`
        /// to the power of one minus this. 0 for as long as they speak, 1 for everyone alike.
        public var balance: Double = 0
        /// By how many dB, at most, what is 45 dB and more below the loudest of a clip, at a moment and frequency, is made quieter; 0 leaves it.
        public var expansion: Double = 0
        /// How many times as fast clips are played, at random.
        public var speed = Interval(1, 1)
        /// By how many dB they are amplified, at random.
        public var gain = Interval(0, 0)
        /// By how many dB, at most, lows, a band of the middle and highs are each raised or lowered, at random; 0 leaves them.
        public var equalization: Double = 0
        /// The share of clips that lose everything above a frequency of `band`.
        public var bandShare: Double = 0
        /// In Hz.
        public var band = Interval(4000, 8000)
        /// Whether spectral losses and discriminators leave out what is above the band of a clip, which the model would else learn to
        /// be silent.
        public var limitsBandwidth: Bool = true

        public init() {}
    }

    /// The sharpness τ of the probabilities of a BSQ's bits, of which the entropy loss is made. It goes from `start` to `end`
    /// in `steps` steps, by the same factor in each.
    public struct BitTemperature: Codable, Hashable, Sendable {
        public var start: Double = 10
        public var end: Double = 10
        public var steps: Int = 0

        public init() {}
    }

    /// When the weights so far are heard, and on how much.
    public struct Evaluation: Codable, Hashable, Sendable {
        /// Steps between evaluations on held-out clips; 0 for none but the last.
        public var every: Int = 1000
        /// Held-out clips to use.
        public var clips: Int = 16
        /// Of these, how many are written to the run's `samples/` each time, with pictures of their spectrograms.
        public var samples: Int = 4

        public init() {}
    }

    /// When a run is saved, to be gone on with.
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
