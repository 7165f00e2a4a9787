import Audio
import Checkpoint

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Packs a source as WebDataset shards of 16-bit FLAC at one rate, with an index: decoded, trimmed and resampled once.
///
/// A shard appears whole or not at all, and `prepare.json` says after each how far the work is, so that a preparation that was
/// ended in any way goes on where it was, to the same shards that it would have made.
///
/// A shard is `shard-000000.tar`; a sample in it is `KEY.flac` and `KEY.json`, with the text, speaker, language, length, rate,
/// true bandwidth and the record it was made of. `index.json` lists the shards as the `wids` library does.
public final class DatasetPreparation {
    public struct Options: Codable, Hashable, Sendable {
        public var clips: ClipPreparation
        /// Clips of a shard.
        public var shardSize: Int

        public init(clips: ClipPreparation, shardSize: Int = 1000) {
            self.clips = clips
            self.shardSize = shardSize
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
        var version = 1
        var source: String
        var options: Options
        var position = RecordStream.Position()
        var records = 0
        var clips = 0
        var seconds = 0.0
        var shards: [ShardEntry] = []
        var skipped = SkipReport()
        var isFinished = false
    }

    private let source: any Source
    private let folder: String
    private let threads: Int
    /// Two at once would write the same shards.
    private let lock: FolderLock
    private var state: State

    public var isFinished: Bool { state.isFinished }
    /// Records read so far, usable or not.
    public var records: Int { state.records }
    public var clips: Int { state.clips }
    public var seconds: Double { state.seconds }
    public var shards: [ShardEntry] { state.shards }
    public var skipped: SkipReport { state.skipped }

    /// Begins a preparation in `folder`, or goes on with the one that is there.
    ///
    /// - Throws: ``PreparationError`` where the folder holds something else, `FileError`.
    public init(
        _ source: any Source, in folder: String, _ options: Options,
        threads: Int = Pipeline.processors
    ) throws {
        precondition(options.shardSize > 0, "shards of \(options.shardSize) clips")
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
            guard state.source == source.name, state.options == options else {
                throw PreparationError.otherPreparation(folder: folder, source: state.source)
            }
        } else {
            guard try Disk.entries(of: folder).allSatisfy({ $0.hasPrefix(".") }) else {
                throw PreparationError.notEmpty(folder: folder)
            }
            state = State(source: source.name, options: options)
            try save()
        }
        // What a killed process left half-written.
        for name in try Disk.entries(of: folder) where name.hasPrefix(".") && name.contains(".partial-") {
            try Disk.removeFile("\(folder)/\(name)")
        }
    }

    fileprivate struct Prepared: Sendable {
        let result: Result<(flac: [UInt8], json: [UInt8], seconds: Double), SkippedRecord>
        let after: RecordStream.Position
    }

    /// Does what is left.
    ///
    /// - Parameters:
    ///   - isStrict: whether the first record that cannot be used is thrown, and not counted.
    ///   - progress: told how many records and seconds are done; what it throws ends the run, to be gone on with.
    /// - Throws: ``SkippedRecord`` where strict, `FileError`, `AudioError`.
    public func run(
        isStrict: Bool = false, progress: (_ records: Int, _ seconds: Double) throws -> Void = { _, _ in }
    ) throws {
        guard !state.isFinished else { return }
        let stream = RecordStream(source, RecordStream.Order(seed: 0, isShuffled: false), at: state.position)
        let packer = Packer(clips: state.options.clips)
        let prepared = OrderedMap<(RecordStream.Drawn, RecordStream.Position), Prepared>(
            threads: threads, depth: 8 * threads, weightLimit: 64 << 20,
            weight: { ((try? $0.result.get())?.flac.count) ?? 0 },
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
        while let item = prepared.next() {
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
                try shard?.writer.add("\(key).json", clip.json)
                shard?.count += 1
                next.clips += 1
                next.seconds += clip.seconds
                if shard?.count == state.options.shardSize { try finishShard() }
            }
            try progress(next.records, next.seconds)
        }
        try writeIndex(next.shards + (shard.map { [ShardEntry(url: $0.name, nsamples: $0.count)] } ?? []))
        next.isFinished = true
        try finishShard()
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

/// Makes a record's members of a shard.
private struct Packer: Sendable {
    let clips: ClipPreparation

    /// `KEY.json`, by the names that other tools look for.
    private struct Description: Encodable {
        var text: String?
        var speaker: String?
        var language: String?
        var seconds: Double
        var sampleRate: Int
        var bandwidth: Double
        var phones: [AlignedPhone]?
        var source: String

        enum CodingKeys: String, CodingKey {
            case text, speaker, language, seconds, phones, source
            case sampleRate = "sample_rate"
            case bandwidth = "bandwidth_hz"
        }
    }

    func callAsFunction(
        _ result: Result<Record, RecordFailure>
    ) -> Result<(flac: [UInt8], json: [UInt8], seconds: Double), SkippedRecord> {
        Result { () throws(SkippedRecord) in
            let record: Record
            switch result {
            case .failure(let failure): throw SkippedRecord(failure)
            case .success(let found): record = found
            }
            var random = CountedRandom(seed: 0, UInt64(stableHash: record.key))
            let (waveform, bandwidth, phones) = try clips(record, random: &random)
            let description = Description(
                text: record.metadata.text, speaker: record.metadata.speaker, language: record.metadata.language,
                seconds: waveform.duration, sampleRate: waveform.sampleRate, bandwidth: bandwidth,
                phones: phones, source: record.key)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            do {
                return (
                    try waveform.flacFile(name: record.key), Array(try encoder.encode(description)), waveform.duration
                )
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
    case unreadableState(path: String, reason: String)

    public var description: String {
        switch self {
        case .notEmpty(let folder):
            "\(folder): holds files, and no prepare.json to go on from. Give a new or empty folder."
        case .otherPreparation(let folder, let source):
            "\(folder): holds shards made of \(source), or with other options. Give the same ones to go on, or another folder."
        case .unreadableState(let path, let reason):
            "\(path): cannot be read (\(reason)). Remove the folder to begin anew."
        }
    }
}
