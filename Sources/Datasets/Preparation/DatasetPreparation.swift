import Audio
import Checkpoint

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Packs a source as WebDataset shards of 16-bit FLAC at one rate, with an index: decoded, trimmed and resampled once.
///
/// Records come in a random order, the same one every time, where the source can be read in any, and else in shuffled blocks: a
/// few shards are read at a time, and a model that hears one speaker after another learns each and forgets the rest.
///
/// A shard appears whole or not at all, and `prepare.json` says after each how far the work is, so that a preparation that was
/// ended in any way goes on where it was, to the same shards that it would have made.
///
/// A shard is `shard-000000.tar`; a sample in it is `KEY.flac` and `KEY.json`, with the text, speaker, language, length, rate,
/// true bandwidth, phonemes and the record it was made of. `index.json` lists the shards as the `wids` library does.
public final class DatasetPreparation {
    public struct Options: Codable, Hashable, Sendable {
        public var clips: ClipPreparation
        /// Clips of a shard.
        public var shardSize: Int
        /// Whether phonemes are written down, by the transcriber that the preparation is given.
        public var phonemes: Bool
        /// The split that the source was opened for, so that one preparation is not continued with another; `nil` for all.
        public var split: String?
        /// The language of clips of which the source states none.
        public var language: String?
        /// What aligns clips without an alignment, so that one preparation is not continued by another model; `nil` for nothing.
        public var aligner: String?

        public init(
            clips: ClipPreparation, shardSize: Int = 1000, phonemes: Bool = false, split: String? = nil,
            language: String? = nil, aligner: String? = nil
        ) {
            self.clips = clips
            self.shardSize = shardSize
            self.phonemes = phonemes
            self.split = split
            self.language = language
            self.aligner = aligner
            // What is not known of the band would be lost by resampling.
            self.clips.measuresBandwidth = true
        }
    }

    /// A shard as `index.json` lists it.
    public struct ShardEntry: Codable, Hashable, Sendable {
        public var url: String
        public var nsamples: Int
    }

    /// `prepare.json`.
    private struct State: Codable {
        /// 2 since records are shuffled.
        static let currentVersion = 2

        var version = Self.currentVersion
        var source: String
        /// ``Source/contents``.
        var contents: UInt64?
        var options: Options
        var position = RecordStream.Position()
        var records = 0
        var clips = 0
        var clipsWithPhonemes = 0
        var clipsWithPhones: Int?
        var seconds = 0.0
        var shards: [ShardEntry] = []
        var skipped = SkipReport()
        var isFinished = false
    }

    private let source: any Source
    private let transcriber: (any ClipTranscriber)?
    private let aligner: (any ClipAligner)?
    private let folder: String
    private let threads: Int
    /// Two at once would write the same shards.
    private let lock: FolderLock
    private var state: State

    public var isFinished: Bool { state.isFinished }
    /// Records read so far, usable or not.
    public var records: Int { state.records }
    public var clips: Int { state.clips }
    public var clipsWithPhonemes: Int { state.clipsWithPhonemes }
    /// Clips with an alignment, the source's own among them.
    public var clipsWithPhones: Int { state.clipsWithPhones ?? 0 }
    public var seconds: Double { state.seconds }
    public var shards: [ShardEntry] { state.shards }
    public var skipped: SkipReport { state.skipped }

    /// Begins a preparation in `folder`, or goes on with the one that is there.
    ///
    /// - Parameters:
    ///   - transcriber: needed where the options ask for phonemes.
    ///   - aligner: needed where the options name one, beside a transcriber.
    /// - Throws: ``PreparationError`` where the folder holds something else, `FileError`.
    public init(
        _ source: any Source, in folder: String, _ options: Options, transcriber: (any ClipTranscriber)? = nil,
        aligner: (any ClipAligner)? = nil, threads: Int = Pipeline.processors
    ) throws {
        precondition(options.shardSize > 0, "shards of \(options.shardSize) clips")
        precondition(!options.phonemes || transcriber != nil, "phonemes without a transcriber")
        precondition(options.aligner == nil || (options.phonemes && aligner != nil), "alignments without an aligner")
        self.aligner = options.aligner == nil ? nil : aligner
        self.transcriber = options.phonemes ? transcriber : nil
        self.source = source
        self.folder = folder
        self.threads = threads
        try Disk.createFolder(folder)
        lock = try FolderLock(folder: folder)
        let path = "\(folder)/prepare.json"
        if Disk.exists(path) {
            let file = try InputFile(path: path, ordinary: true)
            let bytes = try file.bytes(at: 0, count: file.byteCount)
            do { state = try JSONDecoder().decode(State.self, from: Data(bytes)) } catch {
                throw PreparationError.unreadableState(path: path, reason: "\(error)")
            }
            var asked = options
            // Before November 2026 neither this nor the contents were written down.
            if state.contents == nil { asked.split = nil }
            guard state.source == source.name, state.options == asked,
                state.contents == nil || state.contents == source.contents
            else {
                throw PreparationError.otherPreparation(folder: folder, source: state.source)
            }
            guard state.isFinished || state.version == State.currentVersion else {
                throw PreparationError.otherVersion(folder: folder)
            }
        } else {
            guard try Disk.entries(of: folder).allSatisfy({ $0.hasPrefix(".") }) else {
                throw PreparationError.notEmpty(folder: folder)
            }
            state = State(source: source.name, contents: source.contents, options: options)
            try save()
        }
        try OutputFile.removePartial(in: folder)
    }

    fileprivate struct PackedClip: Sendable {
        let flac: [UInt8]
        var description: ClipDescription
        /// What an alignment needs, until there is one.
        var scores: [Float]?

        var byteCount: Int { flac.count + 4 * (scores?.count ?? 0) }
    }

    fileprivate struct Prepared: Sendable {
        var result: Result<PackedClip, SkippedRecord>
        let after: RecordStream.Position
    }

    /// Clips whose phonemes are asked for at once: the program that knows them takes longer to start than to answer.
    private static let groupSize = 256
    /// Bytes of clips that wait for the rest of their group.
    private static let groupWeight = 64 << 20

    /// Does what is left.
    ///
    /// - Parameters:
    ///   - isStrict: whether the first record that cannot be used is thrown, and not counted.
    ///   - progress: told how many records and seconds are done; what it throws ends the run, to be gone on with.
    /// - Throws: ``SkippedRecord`` where strict, and for what could not be fetched, `FileError`, `AudioError`, and what the transcriber throws.
    public func run(
        isStrict: Bool = false, progress: (_ records: Int, _ seconds: Double) throws -> Void = { _, _ in }
    ) throws {
        guard !state.isFinished else { return }
        let stream = RecordStream(source, RecordStream.Order(seed: 0), at: state.position)
        let packer = Packer(clips: state.options.clips, language: state.options.language, aligner: aligner)
        let prepared = OrderedMap<(RecordStream.Drawn, RecordStream.Position), Prepared>(
            threads: threads, depth: 8 * threads, weightLimit: 64 << 20,
            weight: { ((try? $0.result.get())?.byteCount) ?? 0 },
            draw: {
                guard let drawn = stream.next(), drawn.epoch == 0 else { return nil }
                return (drawn, stream.position)
            },
            transform: { Prepared(result: packer($0.0.result), after: $0.1) })
        // What is to be, once the shard has its name.
        var next = state
        var shard: (name: String, writer: TarWriter, count: Int)?
        func finishShard() throws {
            if let open = shard {
                try open.writer.commit()
                next.shards.append(ShardEntry(url: open.name, nsamples: open.count))
                shard = nil
            }
            state = next
            try save()
        }
        while case let group = try nextGroup(prepared), !group.isEmpty {
            for item in group {
                if case .failure(let failure) = item.result, failure.isNotFetched { throw failure }
                next.records += 1
                next.position = item.after
                switch item.result {
                case .failure(let failure):
                    if isStrict { throw failure }
                    next.skipped.add(failure)
                case .success(let clip):
                    if shard == nil {
                        let name = "shard-\(Self.digits(next.shards.count, 6)).tar"
                        shard = (name, try TarWriter(path: "\(folder)/\(name)"), 0)
                    }
                    let key = Self.digits(next.clips, 9)
                    try shard?.writer.add("\(key).flac", clip.flac)
                    try shard?.writer.add("\(key).json", clip.description.json())
                    shard?.count += 1
                    next.clips += 1
                    if clip.description.phonemes?.isEmpty == false { next.clipsWithPhonemes += 1 }
                    if clip.description.phones != nil { next.clipsWithPhones = (next.clipsWithPhones ?? 0) + 1 }
                    next.seconds += clip.description.seconds
                    if shard?.count == state.options.shardSize { try finishShard() }
                }
                try progress(next.records, next.seconds)
            }
        }
        guard next.clips > 0 else { throw PipelineError.nothingUsable(next.skipped) }
        try writeIndex(next.shards + (shard.map { [ShardEntry(url: $0.name, nsamples: $0.count)] } ?? []))
        next.isFinished = true
        try finishShard()
    }

    /// The next clips with their phonemes, and when these are said; none at the end.
    private func nextGroup(_ prepared: OrderedMap<(RecordStream.Drawn, RecordStream.Position), Prepared>) throws
        -> [Prepared]
    {
        var group: [Prepared] = []
        var weight = 0
        while group.count < (transcriber == nil ? 1 : Self.groupSize), weight < Self.groupWeight,
            let item = prepared.next()
        {
            group.append(item)
            weight += (try? item.result.get())?.byteCount ?? 0
        }
        guard let transcriber else { return group }
        let phonemes = try transcriber.phonemes(
            of: group.map { item in
                // Clips that cannot be used stand for themselves, without a text.
                (try? item.result.get().description.clip) ?? Clip(key: "", sampleCount: 0, bandwidth: 0)
            })
        for (index, ipa) in zip(group.indices, phonemes) {
            guard case .success(var clip) = group[index].result else { continue }
            // What nobody can say has none, and training need not ask again.
            clip.description.phonemes = ipa ?? clip.description.text.map { _ in "" }
            if let ipa, !ipa.isEmpty, let scores = clip.scores {
                clip.description.phones = try aligner?.phones(of: ipa, scores: scores)
            }
            clip.scores = nil
            group[index].result = .success(clip)
        }
        return group
    }

    private static func digits(_ value: Int, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    private struct Index: Codable {
        var kind = "wids-shard-index-v1"
        var version = 1
        var name: String
        var shards: [ShardEntry]

        enum CodingKeys: String, CodingKey {
            case kind = "__kind__"
            case version = "wids_version"
            case name
            case shards = "shardlist"
        }
    }

    private func writeIndex(_ shards: [ShardEntry]) throws {
        try write(Index(name: URL(fileURLWithPath: folder).lastPathComponent, shards: shards), to: "index.json")
    }

    private func save() throws { try write(state, to: "prepare.json") }

    private func write(_ value: some Encodable, to name: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let file = try OutputFile(path: "\(folder)/\(name)")
        try file.write(Array(encoder.encode(value)))
        try file.commit()
    }
}

/// `KEY.json`, by the names that other tools look for.
private struct ClipDescription: Encodable {
    var text: String?
    var phonemes: String?
    var speaker: String?
    var language: String?
    var seconds: Double
    var sampleRate: Int
    var bandwidth: Double
    var phones: [AlignedPhone]?
    var source: String

    enum CodingKeys: String, CodingKey {
        case text, speaker, language, seconds, phones, source
        case phonemes = "espeak_ipa"
        case sampleRate = "sample_rate"
        case bandwidth = "bandwidth_hz"
    }

    var clip: Clip {
        Clip(
            key: source, sampleCount: 0, bandwidth: bandwidth, text: text, speaker: speaker, language: language,
            phonemes: phonemes)
    }

    func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self))
    }
}

/// Makes what a shard holds of a record.
private struct Packer: Sendable {
    let clips: ClipPreparation
    /// Where the source states none.
    let language: String?
    let aligner: (any ClipAligner)?

    func callAsFunction(
        _ result: Result<Record, RecordFailure>
    ) -> Result<DatasetPreparation.PackedClip, SkippedRecord> {
        Result { () throws(SkippedRecord) in
            let record: Record
            switch result {
            case .failure(let failure): throw SkippedRecord(failure)
            case .success(let found): record = found
            }
            var random = CountedRandom(seed: 0, UInt64(stableHash: record.key))
            let (waveform, bandwidth, phones) = try clips(record, random: &random)
            let description = ClipDescription(
                text: record.metadata.text, phonemes: record.metadata.phonemes, speaker: record.metadata.speaker,
                language: record.metadata.language ?? language, seconds: waveform.duration,
                sampleRate: waveform.sampleRate, bandwidth: bandwidth, phones: phones, source: record.key)
            let isAlignable = phones == nil && (description.phonemes != nil || description.text != nil)
            do {
                return DatasetPreparation.PackedClip(
                    flac: try waveform.flacFile(name: record.key), description: description,
                    scores: isAlignable ? try aligner?.scores(of: waveform) : nil)
            } catch let error as AudioError {
                throw SkippedRecord(record.key, error)
            } catch {
                throw SkippedRecord(record.key, .undecodable, "\(error)")
            }
        }
    }
}

/// A folder that a preparation cannot go into.
public enum PreparationError: Error, Hashable, CustomStringConvertible {
    case notEmpty(folder: String)
    case otherPreparation(folder: String, source: String)
    case otherVersion(folder: String)
    case unreadableState(path: String, reason: String)

    public var description: String {
        switch self {
        case .notEmpty(let folder):
            "\(folder): holds files, and no prepare.json to go on from. Give a new or empty folder."
        case .otherPreparation(let folder, let source):
            "\(folder): holds shards made of \(source), of another split or state of it, or with other options. Give the same ones to go "
                + "on, or another folder."
        case .otherVersion(let folder):
            "\(folder): begun by another version, which takes records in another order. Remove the folder to begin anew."
        case .unreadableState(let path, let reason):
            "\(path): cannot be read (\(reason)). Remove the folder to begin anew."
        }
    }
}
