public import NN
public import Tensor

/// What a discriminator thinks of a batch.
public struct Judgement: Sendable {
    /// What each hidden layer made of it, after its activation.
    public let features: [FeatureMap]
    /// `[batch, frames, …, 1]`: high where it takes the sound for real.
    public let logits: FeatureMap
}

/// One judge of waveforms.
public protocol Discriminator: Module {
    /// Samples from one frame of the last layer to the next.
    var stride: Int { get }

    /// - Parameters:
    ///   - x: `[batch, samples]`.
    ///   - padding: how many samples at the start of each clip are padding.
    ///   - dtype: what convolutions compute in; transforms are computed in `x`'s.
    func callAsFunction(_ x: Tensor, padding: LeftPadding, as dtype: DType) -> Judgement
}

/// Convolutions with a leaky rectifier after each, and one more for the logits.
struct Hidden {
    private(set) var features: [FeatureMap] = []
    private(set) var values: Tensor
    private(set) var padding: LeftPadding
    let slope: Double

    init(_ x: Tensor, padding: LeftPadding, slope: Double) {
        values = x
        self.padding = padding
        self.slope = slope
    }

    mutating func apply(_ layer: (Tensor) -> Tensor, stride: Int = 1, before: Int) {
        values = layer(values).leakyReLU(slope)
        padding = padding.after(stride: stride, before: before)
        features.append(FeatureMap(values: values, padding: padding))
    }

    func judged(by layer: (Tensor) -> Tensor, before: Int) -> Judgement {
        Judgement(
            features: features, logits: FeatureMap(values: layer(values), padding: padding.after(before: before)))
    }
}

/// The discriminators of a configuration, which judge the same waveforms.
public struct Discriminators: Module {
    let stft: [STFTDiscriminator]
    let period: [PeriodDiscriminator]
    let scale: [ScaleDiscriminator]
    let band: [BandDiscriminator]
    private let levelsOut: Bool

    public init(_ configuration: Configuration) {
        stft = configuration.stft.windows.map { STFTDiscriminator(window: $0, width: configuration.stft.width) }
        period = configuration.period.periods.map { PeriodDiscriminator(period: $0, configuration.period) }
        scale = configuration.scale.factors.map { ScaleDiscriminator(factor: $0, configuration.scale) }
        band = configuration.band.windows.map { BandDiscriminator(window: $0, width: configuration.band.width) }
        levelsOut = configuration.levelsOut
    }

    private var all: [any Discriminator] { stft + period + scale + band }

    /// `x`: `[batch, samples]` → one judgement by each discriminator.
    ///
    /// With a mask, frames are counted from the end of a row, where clips end: they begin at the same samples of a clip
    /// however long its padding is. Samples that are missing before the first one are zeros.
    ///
    /// - Parameters:
    ///   - mask: `[batch, samples]`, not zero where a sample is real, false only before true; `nil` for no padding.
    ///   - dtype: what convolutions compute in.
    public func callAsFunction(_ x: Tensor, mask: Tensor? = nil, as dtype: DType = .f32) -> [Judgement] {
        let padding = LeftPadding(mask: mask)
        let level = levelsOut ? leveled(x, mask: mask) : x
        return all.map { discriminator in
            let rest = mask == nil ? 0 : x.shape[1] % discriminator.stride
            let missing = rest == 0 ? 0 : discriminator.stride - rest
            return discriminator(
                level.padded(low: [0, missing], high: [0, 0]), padding: padding.extended(by: missing), as: dtype)
        }
    }

    /// Without its mean, and with its peak at 0.8: DAC's preparation.
    private func leveled(_ x: Tensor, mask: Tensor?) -> Tensor {
        let weights = mask.map { $0.cast(to: x.dtype) }
        let mean =
            weights.map {
                (x * $0).sum(axes: [1], keepingAxes: true) / maximum($0.sum(axes: [1], keepingAxes: true), 1)
            }
            ?? x.mean(axes: [1], keepingAxes: true)
        let centred = weights.map { (x - mean) * $0 } ?? (x - mean)
        return centred * 0.8 / (centred.abs().max(axes: [1], keepingAxes: true) + 1e-9)
    }
}

extension Discriminators {
    /// Which discriminators there are, and how wide. A list that is empty leaves its kind out.
    public struct Configuration: Codable, Hashable, Sendable {
        /// EnCodec's, with 32 filters and windows of 2048, 1024, 512, 256 and 128 samples.
        public var stft = Spectral()
        /// HiFi-GAN's multi-period: periods 2, 3, 5, 7 and 11, widths 32, 128, 512, 1024 and 1024.
        public var period = Period()
        /// MelGAN's multi-scale as DAC has it: widths 16, 64, 256 and 1024 three times.
        public var scale = Scale()
        /// DAC's multi-band, with 32 filters and windows of 2048, 1024 and 512 samples.
        public var band = Spectral()
        /// Whether waveforms lose their mean and level before they are judged, as in DAC.
        public var levelsOut = false

        /// Discriminators of spectrograms, one for each window.
        public struct Spectral: Codable, Hashable, Sendable {
            /// Samples per transform; hops are a quarter.
            public var windows: [Int] = []
            /// Channels of every convolution.
            public var width = 32

            public init(windows: [Int] = [], width: Int = 32) {
                self.windows = windows
                self.width = width
            }
        }

        /// Discriminators of every so-many-th sample, one for each period.
        public struct Period: Codable, Hashable, Sendable {
            public var periods: [Int] = []
            /// Channels of the first convolution; four times as many after each, up to `maximumWidth`.
            public var width = 32
            public var maximumWidth = 1024

            public init(periods: [Int] = [], width: Int = 32, maximumWidth: Int = 1024) {
                self.periods = periods
                self.width = width
                self.maximumWidth = maximumWidth
            }
        }

        /// Discriminators of waveforms at lower rates, one for each factor.
        public struct Scale: Codable, Hashable, Sendable {
            /// By how much each discriminator's sample rate is lowered.
            public var factors: [Int] = []
            /// Channels of the first convolution; four times as many after each, up to `maximumWidth`.
            public var width = 16
            public var maximumWidth = 1024

            public init(factors: [Int] = [], width: Int = 16, maximumWidth: Int = 1024) {
                self.factors = factors
                self.width = width
                self.maximumWidth = maximumWidth
            }
        }

        public init() {}

        /// Whether there is no discriminator.
        public var isEmpty: Bool {
            stft.windows.isEmpty && period.periods.isEmpty && scale.factors.isEmpty && band.windows.isEmpty
        }

        /// Samples that the longest window or kernel reaches over: a segment must not be shorter.
        public var reach: Int {
            max(
                stft.windows.max() ?? 0, band.windows.max() ?? 0, 256 * (scale.factors.max() ?? 0),
                81 * (period.periods.max() ?? 0))
        }

        /// - Throws: `ConfigurationError` naming the first value that no discriminator can be built from.
        public func validate() throws(ConfigurationError) {
            func check(_ condition: Bool, _ key: String, _ rule: String) throws(ConfigurationError) {
                if !condition { throw ConfigurationError.invalid(key: "discriminator.\(key)", rule: rule) }
            }
            for (key, spectral) in [("stft", stft), ("band", band)] {
                try check(
                    spectral.windows.allSatisfy { (32...16384).contains($0) && $0 % 4 == 0 }, "\(key).windows",
                    "32 to 16384 samples each, multiples of 4")
                try check((1...1024).contains(spectral.width), "\(key).width", "between 1 and 1024")
            }
            try check(period.periods.allSatisfy { (2...64).contains($0) }, "period.periods", "2 to 64 each")
            try check(
                (1...1024).contains(period.width) && (period.width...4096).contains(period.maximumWidth),
                "period.width", "between 1 and 1024, and maximumWidth not below it")
            try check(scale.factors.allSatisfy { (1...8).contains($0) }, "scale.factors", "1 to 8 each")
            try check(
                (4...1024).contains(scale.width) && scale.width % 4 == 0 && scale.maximumWidth % 4 == 0
                    && (scale.width...4096).contains(scale.maximumWidth),
                "scale.width", "a multiple of 4 between 4 and 1024, and so maximumWidth, not below it")
        }
    }
}
