/// A sound of a dataset, not yet decoded, with what the dataset says of it.
public struct Record: Hashable, Sendable {
    /// The file, the member of an archive or the row of a table; unique in its dataset, and named in messages.
    public var key: String
    public var sound: Sound
    public var metadata: Metadata

    public init(key: String, sound: Sound, metadata: Metadata = Metadata()) {
        self.key = key
        self.sound = sound
        self.metadata = metadata
    }

    /// An encoded sound.
    public enum Sound: Hashable, Sendable {
        /// A file of its own.
        case file(path: String)
        /// The contents of a sound file that stood in a shard. The name's extension may tell the format, and may be missing.
        case bytes([UInt8], name: String)
    }

    /// What a dataset says of a sound; nil where it says nothing. It may be wrong: only decoding tells.
    public struct Metadata: Hashable, Sendable {
        public var seconds: Double?
        /// In Hz.
        public var sampleRate: Int?
        public var text: String?
        public var speaker: String?
        public var language: String?
        public var split: String?
        /// The highest frequency at which there is sound, in Hz; a clip may have been recorded at a lower rate than its file's.
        public var bandwidth: Double?
        /// What is said when, by an alignment; none of it is silence throughout.
        public var phones: [AlignedPhone]?
        /// How the text is spoken, in IPA as espeak-ng writes it: phonemes set apart by `_`, words by spaces.
        public var phonemes: String?

        public init(
            seconds: Double? = nil, sampleRate: Int? = nil, text: String? = nil, speaker: String? = nil,
            language: String? = nil, split: String? = nil, bandwidth: Double? = nil,
            phones: [AlignedPhone]? = nil, phonemes: String? = nil
        ) {
            self.seconds = seconds
            self.sampleRate = sampleRate
            self.text = text
            self.speaker = speaker
            self.language = language
            self.split = split
            self.bandwidth = bandwidth
            self.phones = phones
            self.phonemes = phonemes
        }
    }
}

/// Why a record, or a run of them, cannot be had. The rest of the shard can.
public struct RecordFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The record, as its `Record.key` would have been, or the place in the shard.
    public var key: String
    public var kind: Kind
    /// What was found, and where.
    public var detail: String
    /// How many records are lost by it. `ShardReader.ordinal` moves by as many.
    public var recordCount: Int

    public init(key: String, _ kind: Kind, _ detail: String, recordCount: Int = 1) {
        self.key = key
        self.kind = kind
        self.detail = detail
        self.recordCount = recordCount
    }

    /// Reasons, few enough to count by.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A line or field that is not what its format asks for.
        case malformed = "malformed metadata"
        case noSound = "no sound"
        case missingFile = "missing file"
        case unreadableFile = "unreadable file"
        /// An absolute path, one with `..`, or a symbolic link out of the dataset's folder.
        case outsideDataset = "leads out of the dataset"
        case empty = "zero length"
        /// An archive or table that ends early, or whose contents contradict its own description.
        case damagedShard = "damaged shard"
        /// Larger than a record may be, or than its compressed form can honestly expand to.
        case tooLarge = "too large"
        /// A file of a remote dataset that could not be fetched.
        case notFetched = "not fetched"
    }

    public var description: String { "\(key): \(kind.rawValue): \(detail)" }
}
