public import Audio
public import Codec
public import Datasets
import Metrics
public import Phonemes
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
    /// Bits per second that number the codes.
    public var bitRate: Double
    /// Bits per second of codes that are written with the model's prior; `nil` without one.
    public var codedBitRate: Double?
    /// Share of level-1 entries in use; `nil` where level 1 is not a VQ.
    public var level1Used: Double?
    /// Entries of level 1 in effective use, `2^entropy`.
    public var level1Perplexity: Double?
    /// Edits that turn the phonemes of level 1 into those of the transcripts, over all of these; `nil` without transcripts.
    public var phonemeErrorRate: Double?
    /// Those edits by the language of the clip, `und` where the dataset does not say it; `nil` without transcripts.
    public var phonemeErrors: [String: PhonemeErrors]?
    /// The share of frames in which level 1 says `<blank>`; `nil` without phonemes.
    public var blankShare: Double?
    /// STOI of what the decoder makes of level 1 alone; `nil` without phonemes.
    public var level1STOI: Double?
    /// The mean of each bit of the BSQ levels.
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
    /// The highest frequency at which the original can have sound, in Hz.
    public let bandwidth: Double
}

/// Clips to evaluate on, the same ones each time.
public struct EvaluationSet: Sendable {
    private let clips: [(name: String, load: @Sendable () throws -> Waveform)]
    /// What is said in each clip, as entries of a model's inventory, empty where that is not known.
    private var phonemes: [[Int]] = []
    /// ISO 639 codes; `und` is undetermined.
    private let languages: [String]
    /// Why no transcript could be read, where espeak-ng is needed for that and is missing or fails: then there is no phoneme error rate.
    public private(set) var unlabeled: EspeakError?
    /// Of each clip, in Hz.
    private let bandwidths: [Double]

    public var count: Int { clips.count }

    /// Sound files, each of which is read when its turn has come.
    public init(files: [String], sampleRate: Int) {
        clips = files.map { path in (path, { try Waveform.load(path: path, sampleRate: sampleRate) }) }
        bandwidths = files.map { _ in Double(sampleRate) / 2 }
        languages = files.map { _ in "und" }
    }

    /// - Parameters:
    ///   - count: how many clips, spread evenly over the source where it can be read in any order, else from its beginning.
    ///   - seconds: the shortest and longest clips that count; where there are none such, any.
    ///   - labeler: gives the phonemes of transcripts, for the phoneme error rate.
    /// - Throws: `SkippedRecord` for what could not be fetched, `PipelineError` where none can be used, and what the labeler throws but for `EspeakError`; see ``unlabeled``.
    public init(
        _ source: any Source, count: Int, sampleRate: Int, seconds: ClosedRange<Double> = 1.0...12,
        labeler: (any ClipLabeler)? = nil
    ) throws {
        let preparation = ClipPreparation(sampleRate: sampleRate, longest: seconds.upperBound)
        let fitting = try ClipSample(source, count: count, preparation: preparation, shortest: seconds.lowerBound)
        let sample =
            fitting.clips.isEmpty && count > 0
            ? try ClipSample(source, count: count, preparation: ClipPreparation(sampleRate: sampleRate), shortest: 0)
            : fitting
        guard !sample.clips.isEmpty || count == 0 else { throw PipelineError.nothingUsable(sample.skipped) }
        clips = sample.clips.map { taken in (taken.clip.key, { taken.waveform }) }
        bandwidths = sample.clips.map(\.clip.bandwidth)
        languages = sample.clips.map { $0.clip.language ?? "und" }
        do {
            phonemes = try labeler?.labels(for: sample.clips.map(\.clip)).map { $0.map(Int.init) } ?? []
        } catch let error as EspeakError {
            unlabeled = error
        }
    }

    /// Encodes and decodes every clip and measures the result.
    ///
    /// - Parameters:
    ///   - reader: of the model's phonemes, if it has any.
    ///   - prior: the model's, if it has one.
    ///   - each: given every reconstruction, to keep some.
    public func evaluate(
        _ codec: some SpeechCodec, reader: PhonemeReader?, prior: TokenPrior? = nil,
        each: (Reconstruction) throws -> Void = { _ in }
    ) throws -> Evaluation {
        let configuration = codec.model.configuration
        var stoi: [Double] = []
        var mel: [Double] = []
        var sdr: [Double] = []
        var levelOne: [Double] = []
        var errors: [String: PhonemeErrors] = [:]
        var statistics = CodeStatistics(configuration)
        var seconds = 0.0
        var codedBits = 0.0
        var frames = 0
        var encoding = Duration.zero
        var decoding = Duration.zero
        // The first run compiles; timing begins after it.
        if let first = clips.first { _ = try reconstruct(first.load(), codec) }
        for (number, (name, load)) in clips.enumerated() {
            let original = try load()
            let clock = ContinuousClock()
            var encoder = try codec.makeEncoder()
            var tokens = TokenFrames(levelCount: configuration.quantizer.count)
            encoding += try clock.measure {
                tokens = try encoder.push(original.samples)
                tokens.append(try encoder.finish())
            }
            var decoder = try codec.makeDecoder()
            var audio: [Float] = []
            decoding += try clock.measure { audio = try decoder.push(tokens) + decoder.finish() }
            let decoded = Waveform(
                samples: Array(audio.prefix(original.samples.count)), sampleRate: configuration.sampleRate)
            seconds += original.duration
            statistics.add(tokens)
            frames += tokens.count
            codedBits += prior?.bits(of: tokens) ?? 0
            if let reader {
                if number < phonemes.count && !phonemes[number].isEmpty {
                    let heard = try reader.reading(tokens.level(0).map(Int.init))
                    errors[languages[number], default: PhonemeErrors()]
                        .add(reference: phonemes[number], hypothesis: heard)
                }
                let alone = try self.levelOne(tokens, of: original, codec)
                if let value = try? SpeechQuality.stoi(reference: original, degraded: alone) {
                    levelOne.append(value)
                }
            }
            // A clip too short or silent to be judged by a measure is left out of its mean.
            if let value = try? SpeechQuality.stoi(reference: original, degraded: decoded) { stoi.append(value) }
            if let value = try? SpeechQuality.melDistance(reference: original, degraded: decoded) {
                mel.append(value)
            }
            // Infinite for what is silent, or the same: one such clip would be all that the mean says.
            if let value = try? SpeechQuality.scaleInvariantSDR(reference: original, degraded: decoded), value.isFinite
            {
                sdr.append(value)
            }
            try each(
                Reconstruction(
                    name: name, original: original, decoded: decoded, tokens: tokens,
                    bandwidth: bandwidths[number]))
        }
        return Evaluation(
            clips: clips.count, seconds: seconds, stoi: mean(stoi), melDistance: mean(mel),
            scaleInvariantSDR: mean(sdr),
            bitRate: configuration.bitRate,
            codedBitRate: prior.map { _ in codedBits / Double(max(1, frames)) * configuration.frameRate },
            level1Used: statistics.level1?.fractionUsed,
            level1Perplexity: statistics.level1?.perplexity, phonemeErrorRate: PhonemeErrors(errors.values).rate,
            phonemeErrors: errors.isEmpty ? nil : errors,
            blankShare: configuration.phonemes.map { _ in statistics.blankShare },
            level1STOI: configuration.phonemes.map { _ in mean(levelOne) }, bitMeans: statistics.bitMeans,
            encodeSpeed: seconds / encoding.seconds, decodeSpeed: seconds / decoding.seconds)
    }

    private func levelOne(_ tokens: TokenFrames, of audio: Waveform, _ codec: some SpeechCodec) throws -> Waveform {
        var decoder = try codec.makeLevelOneDecoder()
        let samples = try decoder.push(tokens) + decoder.finish()
        return Waveform(samples: Array(samples.prefix(audio.samples.count)), sampleRate: audio.sampleRate)
    }

    private func reconstruct(_ original: Waveform, _ codec: some SpeechCodec) throws -> [Float] {
        var encoder = try codec.makeEncoder()
        var decoder = try codec.makeDecoder()
        var tokens = try encoder.push(original.samples)
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
    private var blanks = 0

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
        blanks += tokens.level(0).count { $0 == UInt64(PhonemeInventory.blank) }
        level1?.add(tokens.level(0))
        for (position, place) in bits.enumerated() {
            bitSums[position] += tokens.level(place.level).count { $0 >> place.bit & 1 == 1 }
        }
    }

    /// Share of frames with entry 0 at level 1.
    var blankShare: Double { frames > 0 ? Double(blanks) / Double(frames) : 0 }

    /// The mean of each bit, or `nil` without bits.
    var bitMeans: [Double]? {
        guard frames > 0, !bitSums.isEmpty else { return nil }
        return bitSums.map { Double($0) / Double(frames) }
    }
}
