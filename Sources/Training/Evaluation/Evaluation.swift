public import Audio
public import Datasets
import Metrics
public import Tokenizer

/// How well a model does on clips: averages over them, and figures of the codes.
public struct Evaluation: Codable, Hashable, Sendable {
    public var clips: Int
    public var seconds: Double
    /// Short-time objective intelligibility, up to 1.
    public var stoi: Double
    /// Mean |Δ log10 mel|; 0 is equal.
    public var melDistance: Double
    /// Scale-invariant signal-to-distortion ratio in dB.
    public var scaleInvariantSDR: Double
    /// Bits per second.
    public var bitRate: Double
    /// Share of level-1 entries in use; `nil` where level 1 is not a VQ.
    public var level1Used: Double?
    /// Entries of level 1 in effective use, `2^entropy`.
    public var level1Perplexity: Double?
    /// The lowest and highest mean of any BSQ bit.
    public var bitMeans: [Double]?
    /// The share of held-out sound, real and decoded, that the discriminators take for what it is; `nil` without any.
    public var discriminatorAccuracy: Double?
    /// Seconds of audio encoded in a second, and decoded.
    public var encodeSpeed: Double
    public var decodeSpeed: Double
}

/// A clip as it was, what the model made of it, and its codes.
public struct Reconstruction: Sendable {
    public let name: String
    public let original: Waveform
    public let decoded: Waveform
    public let tokens: TokenFrames
}

/// Clips to evaluate on, the same ones each time.
public struct EvaluationSet: Sendable {
    public let clips: [(name: String, audio: Waveform)]

    public init(clips: [(name: String, audio: Waveform)]) { self.clips = clips }

    /// - Parameters:
    ///   - count: how many clips, spread evenly over those of the split that are long enough to judge.
    ///   - seconds: the shortest and longest clips that count.
    /// - Throws: `ManifestError`, `AudioError`.
    public init(
        _ manifest: Manifest, split: String, count: Int, sampleRate: Int, seconds: ClosedRange<Double> = 1.0...12
    ) throws {
        let all = try manifest.split(split)
        let fitting = all.filter { seconds.contains($0.seconds) }
        let pool = fitting.isEmpty ? all : fitting
        let chosen = (0..<min(count, pool.count)).map { pool[$0 * pool.count / min(count, pool.count)] }
        clips = try chosen.map { clip in
            (clip.path, try Waveform.load(path: manifest.path(of: clip), sampleRate: sampleRate))
        }
    }

    /// Encodes and decodes every clip and measures the result.
    ///
    /// - Parameter each: given every reconstruction, to keep some.
    public func evaluate(_ codec: XLACodec, each: (Reconstruction) throws -> Void = { _ in }) throws -> Evaluation {
        let configuration = codec.model.configuration
        var stoi: [Double] = []
        var mel: [Double] = []
        var sdr: [Double] = []
        var statistics = CodeStatistics(configuration)
        var seconds = 0.0
        var encoding = Duration.zero
        var decoding = Duration.zero
        // The first run compiles; timing begins after it.
        if let first = clips.first { _ = try reconstruct(first, codec) }
        for clip in clips {
            let clock = ContinuousClock()
            var encoder = try codec.makeEncoder()
            var tokens = TokenFrames(levelCount: configuration.quantizer.count)
            encoding += try clock.measure {
                tokens = try encoder.push(clip.audio.samples)
                tokens.append(try encoder.finish())
            }
            var decoder = try codec.makeDecoder()
            var audio: [Float] = []
            decoding += try clock.measure { audio = try decoder.push(tokens) + decoder.finish() }
            let decoded = Waveform(
                samples: Array(audio.prefix(clip.audio.samples.count)), sampleRate: configuration.sampleRate)
            seconds += clip.audio.duration
            statistics.add(tokens)
            // A clip too short or silent to be judged by a measure is left out of its mean.
            if let value = try? SpeechQuality.stoi(reference: clip.audio, degraded: decoded) { stoi.append(value) }
            if let value = try? SpeechQuality.melDistance(reference: clip.audio, degraded: decoded) {
                mel.append(value)
            }
            if let value = try? SpeechQuality.scaleInvariantSDR(reference: clip.audio, degraded: decoded) {
                sdr.append(value)
            }
            try each(Reconstruction(name: clip.name, original: clip.audio, decoded: decoded, tokens: tokens))
        }
        return Evaluation(
            clips: clips.count, seconds: seconds, stoi: mean(stoi), melDistance: mean(mel),
            scaleInvariantSDR: mean(sdr),
            bitRate: configuration.bitRate, level1Used: statistics.level1?.fractionUsed,
            level1Perplexity: statistics.level1?.perplexity, bitMeans: statistics.bitMeanRange,
            encodeSpeed: seconds / encoding.seconds, decodeSpeed: seconds / decoding.seconds)
    }

    private func reconstruct(_ clip: (name: String, audio: Waveform), _ codec: XLACodec) throws -> [Float] {
        var encoder = try codec.makeEncoder()
        var decoder = try codec.makeDecoder()
        var tokens = try encoder.push(clip.audio.samples)
        tokens.append(try encoder.finish())
        return try decoder.push(tokens) + decoder.finish()
    }
}

private func mean(_ values: [Double]) -> Double { values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count) }

extension Duration {
    /// As a number of seconds.
    public var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

/// Counts which codes are used.
struct CodeStatistics {
    private(set) var level1: CodebookUsage?
    /// Each BSQ bit's level and place.
    private let bits: [(level: Int, bit: UInt64)]
    private var bitSums: [Int]
    private var frames = 0

    init(_ configuration: Alpha.Configuration) {
        bits = configuration.quantizer.enumerated().flatMap { index, level in
            level.kind == .bsq ? (0..<UInt64(level.bits ?? 0)).map { (index, $0) } : []
        }
        bitSums = [Int](repeating: 0, count: bits.count)
        if let first = configuration.quantizer.first, first.kind == .vq {
            level1 = CodebookUsage(codebookSize: first.codebookSize ?? 0)
        }
    }

    mutating func add(_ tokens: TokenFrames) {
        frames += tokens.count
        level1?.add(tokens.level(0))
        for (position, place) in bits.enumerated() {
            bitSums[position] += tokens.level(place.level).count { $0 >> place.bit & 1 == 1 }
        }
    }

    /// The lowest and highest mean of a bit, or `nil` without bits.
    var bitMeanRange: [Double]? {
        guard frames > 0, let low = bitSums.min(), let high = bitSums.max() else { return nil }
        return [Double(low) / Double(frames), Double(high) / Double(frames)]
    }
}
