public import Phonemes

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Alpha {
    /// Everything that decides the architecture: what a model file and a training recipe hold, as JSON.
    public struct Configuration: Codable, Hashable, Sendable {
        /// Samples per second of the audio, 8,000 to 192,000.
        public var sampleRate: Int
        /// Channels of the first convolution; doubled at each downsampling.
        public var width: Int
        /// Channels of the decoder's convolutions, from the frame rate to the sample rate, one more than there are strides; `nil` for those
        /// of the encoder.
        public var decoderChannels: [Int]?
        /// Downsampling factors of the encoder, first to last; their product is the hop.
        public var strides: [Int]
        /// Dilations of the residual units before each downsampling.
        public var dilations: [Int]
        /// Channels at the frame rate.
        public var latentDimension: Int
        public var transformer: Transformer
        public var quantizer: [Level]
        /// What the entries of level 1 stand for, or `nil` if they stand for nothing in particular.
        public var phonemes: PhonemeInventory?
        /// How many frames after a phoneme's sound level 1 names it, where alignments teach it; `nil` for none. A causal model cannot
        /// know a phoneme by its first milliseconds: it has heard so much more of it when it must decide.
        public var phonemeDelay: Int?
        /// Transformer blocks of an encoder of level 1's own, whose convolutions are as wide as the other's; `nil` where one encoder serves all
        /// levels. What tells phonemes apart and what sound is made of again are then not in each other's way.
        public var phonemeLayers: Int?
        /// How many frames after its own code the decoder gives a frame's sound; `nil` for none. It has heard the codes of so many frames
        /// more then, and they may say what there was no room for: a voice between two frames is better known from both.
        public var decoderDelay: Int?
        /// Whether convolutions have weight normalisation.
        public var weightNormalization: Bool

        /// Transformer blocks at the frame rate, on both sides; `layers` 0 leaves them out.
        public struct Transformer: Codable, Hashable, Sendable {
            public var layers: Int
            public var heads: Int
            /// How many frames, itself included, a frame attends to.
            public var window: Int
            /// Hidden channels of the feed-forward part, as a multiple of the latent dimension.
            public var expansion: Int

            public init(layers: Int, heads: Int, window: Int, expansion: Int = 4) {
                self.layers = layers
                self.heads = heads
                self.window = window
                self.expansion = expansion
            }
        }

        /// One level of the residual quantizer.
        public struct Level: Codable, Hashable, Sendable {
            /// A codebook whose nearest entry is the code (van den Oord et al., arXiv:1711.00937), or the signs on a sphere (binary
            /// spherical quantization: Zhao et al., arXiv:2406.07548).
            public enum Kind: String, Choice { case vq, bsq }

            public var kind: Kind
            /// Entries of a VQ codebook.
            public var codebookSize: Int?
            /// Channels in which a VQ compares.
            public var dimension: Int?
            /// How a VQ codebook learns.
            public var codebook: Codebook?
            /// Bits of a BSQ code.
            public var bits: Int?

            public enum Codebook: String, Choice {
                /// By the gradient of the codebook loss.
                case gradient
                /// By the moving average of what each entry is chosen for.
                case movingAverage
                /// By the phoneme loss alone: no codebook or commitment loss, no resets, and no gradient of the
                /// reconstruction reaches the codebook or the projection to it.
                case phonemes
            }

            /// A VQ that compares in `dimension` channels.
            public static func vq(
                codebookSize: Int, dimension: Int = 8, codebook: Codebook = .gradient
            ) -> Level {
                Level(kind: .vq, codebookSize: codebookSize, dimension: dimension, codebook: codebook)
            }

            /// A VQ with an entry for each phoneme, which learns by the phoneme loss alone.
            public static func phonemes(_ inventory: PhonemeInventory, dimension: Int = 16) -> Level {
                .vq(codebookSize: inventory.count, dimension: dimension, codebook: .phonemes)
            }

            /// A BSQ: a bit for each dimension of its sphere.
            public static func bsq(bits: Int) -> Level { Level(kind: .bsq, bits: bits) }

            private init(
                kind: Kind, codebookSize: Int? = nil, dimension: Int? = nil, codebook: Codebook? = nil, bits: Int? = nil
            ) {
                self.kind = kind
                self.codebookSize = codebookSize
                self.dimension = dimension
                self.codebook = codebook
                self.bits = bits
            }

            /// Bits that one code of this level takes in a token file.
            public var bitsPerCode: Int {
                switch kind {
                case .vq: Int(ceil(log2(Double(codebookSize ?? 1))))
                case .bsq: bits ?? 0
                }
            }
        }

        public init(
            sampleRate: Int, width: Int, decoderChannels: [Int]? = nil, strides: [Int], dilations: [Int] = [1, 3, 9],
            latentDimension: Int, transformer: Transformer, quantizer: [Level], phonemes: PhonemeInventory? = nil,
            phonemeDelay: Int? = nil, phonemeLayers: Int? = nil, decoderDelay: Int? = nil,
            weightNormalization: Bool = false
        ) {
            self.sampleRate = sampleRate
            self.width = width
            self.decoderChannels = decoderChannels
            self.strides = strides
            self.dilations = dilations
            self.latentDimension = latentDimension
            self.transformer = transformer
            self.quantizer = quantizer
            self.phonemes = phonemes
            self.phonemeDelay = phonemeDelay
            self.phonemeLayers = phonemeLayers
            self.decoderDelay = decoderDelay
            self.weightNormalization = weightNormalization
        }

        /// Samples per frame.
        public var hop: Int { strides.reduce(1, *) }
        /// Frames per second.
        public var frameRate: Double { Double(sampleRate) / Double(hop) }
        public var bitsPerFrame: Int { quantizer.reduce(0) { $0 + $1.bitsPerCode } }
        /// Samples that the decoder's sound is late by.
        public var delaySamples: Int { (decoderDelay ?? 0) * hop }
        /// Channels of the decoder's convolutions, from the frame rate to the sample rate.
        public var channelsOfDecoder: [Int] { decoderChannels ?? (0...strides.count).reversed().map { width << $0 } }
        /// Bits per second.
        public var bitRate: Double { Double(bitsPerFrame) * frameRate }

        /// Whether this is `other`, but for more transformer blocks, an encoder for level 1, a later decoder, more bits of its BSQs or, with as many bits, more
        /// channels at the frame rate and as many more heads or, with as many of these too, more in the decoder's convolutions: then every
        /// value of `other` has its place here.
        public func extends(_ other: Configuration) -> Bool {
            var other = other
            if !weightNormalization,
                (0..<RawDecoder.stemFrames).contains((decoderDelay ?? 0) - (other.decoderDelay ?? 0))
            {
                other.decoderDelay = decoderDelay
            }
            guard other.transformer.layers <= transformer.layers, other.quantizer.count == quantizer.count else {
                return false
            }
            if other.latentDimension < latentDimension, other.quantizer == quantizer, !weightNormalization,
                other.latentDimension * transformer.heads == latentDimension * other.transformer.heads
            {
                other.latentDimension = latentDimension
                other.transformer.heads = transformer.heads
            } else if other.latentDimension == latentDimension, other.quantizer == quantizer, !weightNormalization,
                other.strides == strides, zip(other.channelsOfDecoder, channelsOfDecoder).allSatisfy({ $0 <= $1 })
            {
                other.decoderChannels = decoderChannels
            }
            other.transformer.layers = transformer.layers
            if let phonemeLayers, (other.phonemeLayers ?? 0) <= phonemeLayers { other.phonemeLayers = phonemeLayers }
            for (index, level) in quantizer.enumerated() where level.kind == .bsq {
                guard other.quantizer[index].bitsPerCode <= level.bitsPerCode else { return false }
                other.quantizer[index].bits = level.bits
            }
            return other == self
        }

        /// - Throws: `ConfigurationError` naming the first value that no model can be built from.
        public func validate() throws(ConfigurationError) {
            func check(_ condition: Bool, _ key: String, _ rule: String) throws(ConfigurationError) {
                if !condition { throw ConfigurationError.invalid(key: key, rule: rule) }
            }
            try check(sampleRate >= 8000 && sampleRate <= 192_000, "sampleRate", "between 8000 and 192000 Hz")
            try check(width >= 1 && width <= 1024, "width", "between 1 and 1024")
            try check(!strides.isEmpty && strides.count <= 8, "strides", "1 to 8 factors")
            try check(strides.allSatisfy { (1...64).contains($0) }, "strides", "factors of 1 to 64")
            try check(hop <= sampleRate, "strides", "factors whose product is at most a second of samples")
            try check(
                (1...16).contains(dilations.count) && dilations.allSatisfy { (1...81).contains($0) }, "dilations",
                "1 to 16 numbers of 1 to 81")
            try check((1...8192).contains(latentDimension), "latentDimension", "between 1 and 8192")
            let channels = channelsOfDecoder
            try check(
                channels.count == strides.count + 1 && channels.allSatisfy { (1...262_144).contains($0) },
                "decoderChannels", "one number of channels more than there are strides, each between 1 and 262144")
            try check((0...64).contains(transformer.layers), "transformer.layers", "between 0 and 64")
            try check((0...64).contains(phonemeLayers ?? 0), "phonemeLayers", "between 0 and 64")
            try check(
                phonemeLayers == nil || phonemes != nil, "phonemeLayers", "left out in a model without phonemes")
            if transformer.layers > 0 || phonemeLayers ?? 0 > 0 {
                try check(
                    (1...latentDimension).contains(transformer.heads)
                        && latentDimension % (2 * transformer.heads) == 0, "transformer.heads",
                    "a number that divides latentDimension into even heads")
                try check((1...4096).contains(transformer.window), "transformer.window", "between 1 and 4096 frames")
                try check((1...16).contains(transformer.expansion), "transformer.expansion", "between 1 and 16")
            }
            try check((1...16).contains(quantizer.count), "quantizer", "1 to 16 levels")
            for (index, level) in quantizer.enumerated() {
                let key = "quantizer[\(index)]"
                switch level.kind {
                case .vq:
                    try check(
                        (2...65536).contains(level.codebookSize ?? 0), "\(key).codebookSize", "2 to 65536 entries")
                    try check((1...1024).contains(level.dimension ?? 0), "\(key).dimension", "between 1 and 1024")
                case .bsq: try check((1...36).contains(level.bits ?? 0), "\(key).bits", "1 to 36 bits")
                }
                try check(
                    level.codebook != .phonemes || (index == 0 && phonemes != nil), "\(key).codebook",
                    "'phonemes' at level 1 of a model with phonemes only")
            }
            if let phonemes {
                let first = quantizer[0]
                let entries = first.kind == .vq ? first.codebookSize ?? 0 : 1 << min(first.bits ?? 0, 36)
                try check(
                    entries == phonemes.count, "phonemes",
                    "as many as level 1 has entries, \(entries), and there are \(phonemes.count)")
                try check(phonemes.count <= 4096, "phonemes", "4096 at most")
            }
            try check((0...50).contains(phonemeDelay ?? 0), "phonemeDelay", "between 0 and 50 frames")
            try check((0...50).contains(decoderDelay ?? 0), "decoderDelay", "between 0 and 50 frames")
        }
    }
}

/// A configuration no model can be built from.
public enum ConfigurationError: Error, CustomStringConvertible, Equatable {
    case invalid(key: String, rule: String)
    case unknownPreset(String)

    public var description: String {
        switch self {
        case .invalid(let key, let rule): "configuration: '\(key)' must be \(rule)"
        case .unknownPreset(let name):
            "no preset is named '\(name)'; there are \(Alpha.Configuration.presets.keys.sorted().joined(separator: ", "))"
        }
    }
}

extension Alpha.Configuration {
    /// 24 kHz at 50 Hz, 1.2 kbit/s: 7 bits say which phoneme, 17 how it was said.
    public static let alpha24k50Hz = Alpha.Configuration(
        sampleRate: 24000, width: 32, strides: [2, 4, 6, 10], latentDimension: 256,
        transformer: .init(layers: 4, heads: 4, window: 100),
        quantizer: [.phonemes(.multilingual), .bsq(bits: 17)], phonemes: .multilingual, phonemeDelay: 2)

    /// 48 kHz at 50 Hz, 1.2 kbit/s.
    public static let alpha48k50Hz = Alpha.Configuration(
        sampleRate: 48000, width: 32, strides: [4, 4, 6, 10], latentDimension: 256,
        transformer: .init(layers: 4, heads: 4, window: 100),
        quantizer: [.phonemes(.multilingual), .bsq(bits: 17)], phonemes: .multilingual, phonemeDelay: 2)

    /// 24 kHz at 25 Hz, 1.0 kbit/s.
    public static let alpha24k25Hz = Alpha.Configuration(
        sampleRate: 24000, width: 32, strides: [4, 4, 6, 10], latentDimension: 256,
        transformer: .init(layers: 4, heads: 4, window: 50),
        quantizer: [.phonemes(.multilingual), .bsq(bits: 33)], phonemes: .multilingual, phonemeDelay: 1)

    /// A model that two processor cores train in minutes: 24 kHz at 50 Hz, 1.5 kbit/s.
    public static let alphaTiny = Alpha.Configuration(
        sampleRate: 24000, width: 16, strides: [4, 4, 5, 6], latentDimension: 128,
        transformer: .init(layers: 2, heads: 4, window: 50),
        quantizer: [.vq(codebookSize: 64), .bsq(bits: 24)])

    /// `alphaTiny` with phonemes at level 1: 24 kHz at 50 Hz, 1.2 kbit/s. It is trained from labelled speech.
    public static let alphaTinyPhonemes = Alpha.Configuration(
        sampleRate: 24000, width: 16, strides: [4, 4, 5, 6], latentDimension: 128,
        transformer: .init(layers: 2, heads: 4, window: 50),
        quantizer: [.phonemes(.multilingual), .bsq(bits: 17)], phonemes: .multilingual, phonemeDelay: 2)

    /// `alphaTinyPhonemes` with more transformer blocks, which at the frame rate cost little.
    public static let alphaTinyPitch = {
        var configuration = alphaTinyPhonemes
        configuration.transformer.layers = 8
        return configuration
    }()

    /// `alphaTinyPitch` with more bits: 1.55 kbit/s as codes are numbered, and about 1.2 as a prior writes them.
    public static let alphaTinyFine = {
        var configuration = alphaTinyPitch
        configuration.quantizer[1].bits = 24
        return configuration
    }()

    /// `alphaTinyFine` with half as many channels again at the frame rate, where they cost little.
    public static let alphaTinyWide = {
        var configuration = alphaTinyFine
        configuration.latentDimension = 192
        configuration.transformer.heads = 6
        return configuration
    }()

    /// `alphaTinyWide` whose decoder gives a frame's sound two frames later: 60 ms from a sample to its sound instead of 20.
    public static let alphaTinyLate = {
        var configuration = alphaTinyWide
        configuration.decoderDelay = 2
        return configuration
    }()

    /// `alphaTinyLate` with a third as many channels again at the frame rate.
    public static let alphaTinyBroad = {
        var configuration = alphaTinyLate
        configuration.latentDimension = 256
        configuration.transformer.heads = 8
        return configuration
    }()

    /// `alphaTinyBroad` whose level 1 has an encoder of its own, half as deep.
    public static let alphaTinyPhonetic = {
        var configuration = alphaTinyBroad
        configuration.phonemeLayers = 4
        return configuration
    }()

    /// The convolutional codec that benchmarks compare: no transformer.
    public static let reference = Alpha.Configuration(
        sampleRate: 24000, width: 32, strides: [2, 4, 6, 10], latentDimension: 256,
        transformer: .init(layers: 0, heads: 1, window: 1),
        quantizer: [.vq(codebookSize: 64), .bsq(bits: 18)])

    /// Configurations by name, as `--config` takes them.
    public static let presets: [String: Alpha.Configuration] = [
        "alpha-24k-50hz": .alpha24k50Hz, "alpha-48k-50hz": .alpha48k50Hz, "alpha-24k-25hz": .alpha24k25Hz,
        "alpha-tiny": .alphaTiny, "alpha-tiny-phonemes": .alphaTinyPhonemes, "alpha-tiny-pitch": .alphaTinyPitch,
        "alpha-tiny-fine": .alphaTinyFine, "alpha-tiny-wide": .alphaTinyWide, "alpha-tiny-late": .alphaTinyLate,
        "alpha-tiny-broad": .alphaTinyBroad, "alpha-tiny-phonetic": .alphaTinyPhonetic, "reference": .reference,
    ]

    /// - Throws: `ConfigurationError.unknownPreset`.
    public static func preset(_ name: String) throws(ConfigurationError) -> Alpha.Configuration {
        guard let preset = presets[name] else { throw .unknownPreset(name) }
        return preset
    }
}
