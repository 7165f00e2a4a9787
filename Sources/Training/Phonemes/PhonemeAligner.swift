public import Audio
public import Codec
public import Datasets
public import Phonemes
public import Tokenizer

/// Finds when the phonemes of a transcript are said, by a model whose level 1 hears them.
///
/// What it hears counts relative to how often it hears it anywhere, as label priors do in training: Huang et al., "Less Peaky and More
/// Accurate CTC Forced Alignment by Label Priors", 2024.
public struct PhonemeAligner: ClipAligner {
    public let codec: NativeCodec
    public let inventory: PhonemeInventory
    private let reader: IPAReader

    /// The sample rate of the sound that it takes.
    public var sampleRate: Int { codec.model.configuration.sampleRate }

    /// - Throws: `CodecError.noPhonemes` for a model without phonemes, `PlanError`.
    public init(_ file: ModelFile, threads: Int = 1) throws {
        guard let inventory = file.model.configuration.phonemes else { throw CodecError.noPhonemes }
        self.inventory = inventory
        reader = IPAReader(inventory)
        codec = try NativeCodec(file, threads: threads, directions: [.listening])
    }

    public func scores(of waveform: Waveform) throws -> [Float] {
        var listener = try codec.makeListener()
        return try listener.push(waveform.samples) + listener.finish()
    }

    /// Of an alignment that is less likely than this, in nats for each frame, nothing is to be learned; see `ForcedAlignment.mismatch`. Transcripts
    /// of other recordings lie above it, those of unknown voices and languages mostly below (`docs/phonemes.md`).
    public static let largestMismatch = 1.8

    /// None, too, where the model has not heard the transcript: it is of something else, or the model does not know such speech.
    public func phones(of ipa: String, scores: [Float]) throws -> [AlignedPhone]? {
        let aligned: AlignedTranscript
        do throws(AlignmentError) { aligned = try align(ipa, scores: scores) } catch { return nil }
        guard aligned.mismatch <= Self.largestMismatch else { return nil }
        return aligned.segments.map { AlignedPhone($0.ipa, from: $0.start, to: $0.end) }
    }

    /// A transcript in time.
    public struct AlignedTranscript: Hashable, Sendable {
        public var segments: [PhonemeSegment]
        /// See `ForcedAlignment.mismatch`.
        public var mismatch: Double
    }

    /// - Parameters:
    ///   - ipa: what is said; symbols for which the inventory has no entry are passed over.
    ///   - scores: of the whole recording, as a `NativeCodec.Listener` gives them.
    /// - Throws: `AlignmentError`.
    public func align(_ ipa: String, scores: [Float]) throws(AlignmentError) -> AlignedTranscript {
        let configuration = codec.model.configuration
        let alignment = try ForcedAlignment(of: reader.read(ipa).indices, scores: scores, entries: inventory.count)
        return AlignedTranscript(
            segments: inventory.segments(
                alignment, frameRate: configuration.frameRate, delay: configuration.phonemeDelay ?? 0),
            mismatch: alignment.mismatch)
    }
}
