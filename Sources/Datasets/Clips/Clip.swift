public import Audio

/// What is known of a clip, or of the piece of one, in a batch.
public struct Clip: Hashable, Sendable, Codable {
    /// The record that it is from, unique in its source.
    public var key: String
    /// Which of the pipeline's sources it is from.
    public var source = 0
    /// How often that source had been gone through before.
    public var epoch = 0
    /// Samples, before any padding.
    public var sampleCount: Int
    /// The highest frequency at which it can have sound, in Hz.
    public var bandwidth: Double
    public var text: String?
    public var speaker: String?
    public var language: String?
    /// What is said when in it, by an alignment.
    public var phones: [AlignedPhone]?
    /// How the text is spoken, in IPA as espeak-ng writes it, where the dataset has it.
    public var phonemes: String?

    public init(
        key: String, source: Int = 0, epoch: Int = 0, sampleCount: Int, bandwidth: Double, text: String? = nil,
        speaker: String? = nil, language: String? = nil, phones: [AlignedPhone]? = nil, phonemes: String? = nil
    ) {
        self.key = key
        self.source = source
        self.epoch = epoch
        self.sampleCount = sampleCount
        self.bandwidth = bandwidth
        self.text = text
        self.speaker = speaker
        self.language = language
        self.phones = phones
        self.phonemes = phonemes
    }
}

/// Gives clips their labels, such as phonemes.
///
/// Called with many clips at once, and with the same ones again after a stop: the labels of a text must not change.
public protocol ClipLabeler: Sendable {
    /// For each clip its labels, none where nothing is known.
    func labels(for clips: [Clip]) throws -> [[Int32]]
}

/// Writes down how clips are spoken, for a prepared dataset to keep.
///
/// Called with many clips at once, and with the same ones again after a stop: what a text gives must not change.
public protocol ClipTranscriber: Sendable {
    /// For each clip its ``Clip/phonemes``, nil where nothing is known.
    func phonemes(of clips: [Clip]) throws -> [String?]
}

/// Finds when what is said in a clip is said, for a prepared dataset to keep.
public protocol ClipAligner: Sendable {
    /// What of the sound an alignment needs, and needs at once, since transcripts come later.
    func scores(of waveform: Waveform) throws -> [Float]
    /// The phones of a transcript in time; nil where they cannot be those of this sound.
    ///
    /// - Parameter ipa: as a ``ClipTranscriber`` writes it.
    func phones(of ipa: String, scores: [Float]) throws -> [AlignedPhone]?
}

/// Speakers by number: places in a list of names.
public struct SpeakerTable: Hashable, Sendable, Codable {
    public let names: [String]
    private let numbers: [String: Int32]

    /// - Parameter names: sorted, and each kept once.
    public init(names: some Sequence<String>) {
        self.names = Set(names).sorted()
        numbers = Dictionary(uniqueKeysWithValues: self.names.enumerated().map { ($1, Int32($0)) })
    }

    /// -1 for who is not in the table, and for nil.
    public func number(of name: String?) -> Int32 { name.flatMap { numbers[$0] } ?? -1 }

    public init(from decoder: any Decoder) throws { self.init(names: try [String](from: decoder)) }
    public func encode(to encoder: any Encoder) throws { try names.encode(to: encoder) }
}
