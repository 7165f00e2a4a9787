import Audio

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Batches without end from one or several sources.
///
/// What the nth batch holds follows from the sources, the options and n, not from threads or timing, and every random choice
/// from the seed, the epoch and the record. Where it stands is a small value, ``position``: a pipeline that begins there gives
/// exactly the batches that this one would have given.
///
/// Records are drawn in a seeded order, decoded by several threads ahead of their use, and gathered into a pool of a few
/// batches. A pool is sorted by length, cut into batches of similar lengths, and those are given in a random order. Memory
/// holds about two pools, however large the dataset is.
///
/// A pipeline belongs to one thread at a time.
public final class Pipeline {
    /// What batches are made of, and how.
    public struct Options: Sendable {
        public var preparation: ClipPreparation
        /// Samples of a frame: rows are whole frames.
        public var hop: Int
        public var length: ClipLength
        /// Rows of a batch.
        public var batchSize: Int
        /// Of the order, and of all that is random about clips.
        public var seed: UInt64 = 0
        /// Whether each epoch has an order of its own; else records come as the source has them.
        public var isShuffled = true
        /// This rank's share of the records.
        public var partition = Partition.whole
        /// Records, at most, over which a source that must be read from front to back is shuffled at a time.
        public var window = 1024
        /// Batches of a pool.
        public var poolBatches = 16
        /// Threads that decode.
        public var threads = Pipeline.processors
        /// Whether a record that cannot be used is an error, and not skipped and counted.
        public var isStrict = false
        /// Numbers speakers by name; without it clips have none.
        public var speakers: SpeakerTable?
        /// Gives the phonemes of transcripts; without it clips have none.
        public var labeler: (any ClipLabeler)?

        public init(preparation: ClipPreparation, hop: Int, length: ClipLength, batchSize: Int) {
            self.preparation = preparation
            self.hop = hop
            self.length = length
            self.batchSize = batchSize
        }
    }

    /// Where a pipeline stands: small, whatever the dataset's size.
    public struct Position: Codable, Hashable, Sendable {
        /// Where the pool begins that the next batch is from.
        var pool: Mixture.Position?
        /// Pieces of the pool's first record that belong to the pool before.
        var piece = 0
        /// Pools before this one.
        var pools = 0
        /// Batches of the pool that have been given.
        var given = 0
        /// What had been skipped when the pool began.
        var skipped = SkipReport()
        /// Batches given in all.
        public internal(set) var batches = 0
        /// Seconds of audio in them, padding left out.
        public internal(set) var seconds = 0.0

        /// The first batch.
        public static let start = Position()

        init() {}
    }

    /// How many threads decode, unless that is said: one a processor, eight at most.
    public static let processors = max(1, min(8, ProcessInfo.processInfo.activeProcessorCount))

    public let options: Options
    public private(set) var position: Position
    /// What has been skipped so far.
    public private(set) var skipped: SkipReport

    private let sources: [WeightedSource]
    private let decoded: OrderedMap<Mixture.Drawn, Decoded>
    /// Pieces that were decoded and are not in a pool yet, and where the record of the first one stands.
    private var pieces: ArraySlice<Piece> = []
    private var next: (record: Mixture.Position?, piece: Int)
    /// Where the record of the last pieces ends.
    private var lastRecordEnd: Mixture.Position?
    private var pool: [[Piece]] = []
    private var labels: [[Int32]]?

    /// A row to be.
    fileprivate struct Piece: Sendable {
        let clip: Clip
        let samples: [Float]
        /// Its place in the pool's order, among those of its length.
        let rank: UInt64
        /// Its labels' place.
        var number = 0
    }

    fileprivate struct Decoded: Sendable {
        let result: Result<[Piece], SkippedRecord>
        let before: Mixture.Position
        let after: Mixture.Position
    }

    /// Decoded samples that wait, beyond which threads pause.
    private static let waitingSamples = 64 << 20

    /// - Parameter position: where a pipeline with the same sources and options stood.
    /// - Throws: ``PipelineError`` for options that no batch can be made with, and for a position of other sources.
    public init(_ sources: [WeightedSource], _ options: Options, at position: Position = .start) throws(PipelineError) {
        guard !sources.isEmpty else { throw .noSources }
        guard sources.allSatisfy({ $0.weight > 0 && $0.weight.isFinite }) else { throw .weights }
        guard position.pool.map({ $0.streams.count == sources.count }) ?? true else { throw .otherSources }
        precondition(
            options.batchSize > 0 && options.poolBatches > 0 && options.threads > 0 && options.hop > 0
                && options.length.longest > 0, "a pipeline of \(options)")
        self.sources = sources
        self.options = options
        self.position = position
        skipped = position.skipped
        next = (position.pool, position.piece)
        let mixture = Mixture(
            sources,
            RecordStream.Order(
                seed: options.seed, isShuffled: options.isShuffled, window: options.window, partition: options.partition
            ),
            at: position.pool)
        let maker = PieceMaker(options: options, balances: sources.map(\.balance))
        decoded = OrderedMap(
            threads: options.threads, depth: options.batchSize * options.poolBatches,
            weightLimit: Self.waitingSamples,
            weight: { ((try? $0.result.get()) ?? []).reduce(0) { $0 + $1.samples.count } },
            draw: mixture.next, transform: maker.callAsFunction)
    }

    /// Waits for the next batch.
    ///
    /// - Throws: ``PipelineError`` where a source has nothing to give; in strict mode ``SkippedRecord`` for the first record that
    ///   cannot be used; what the labeler throws.
    public func nextBatch() throws -> Batch {
        if pool.isEmpty {
            try fillPool()
            guard position.given < pool.count else { throw PipelineError.otherSources }
        }
        let rows = pool[position.given]
        let longest = rows.map(\.samples.count).max() ?? 0
        let batch = Batch(
            rows.map { ($0.clip, $0.samples) },
            frames: options.length.rowLength((longest + options.hop - 1) / options.hop), hop: options.hop,
            speakers: options.speakers, labels: labels.map { labels in rows.map { labels[$0.number] } })
        position.given += 1
        position.batches += 1
        position.seconds +=
            Double(rows.reduce(0) { $0 + $1.samples.count }) / Double(options.preparation.sampleRate)
        if position.given == pool.count { startNextPool() }
        return batch
    }

    /// Moves the position to the next pool's beginning.
    private func startNextPool() {
        pool = []
        position.pool = next.record
        position.piece = next.piece
        position.pools += 1
        position.given = 0
        position.skipped = skipped
    }

    /// Gathers a pool's pieces and arranges them as batches.
    private func fillPool() throws {
        let wanted = options.batchSize * options.poolBatches
        var taken: [Piece] = []
        // Each source's epoch when a record of any was last used.
        var lastUse = position.pool?.streams.map(\.epoch) ?? sources.map { _ in 0 }
        while taken.count < wanted {
            if pieces.isEmpty {
                guard let record = decoded.next() else { throw PipelineError.nothingUsable(skipped) }
                let epochs = record.after.streams.map(\.epoch)
                switch record.result {
                case .success(let made):
                    // Only of the first record of a resumed pipeline were some pieces given before.
                    pieces = made.dropFirst(next.piece)
                    next.record = record.before
                    lastUse = epochs
                case .failure(let failure):
                    if options.isStrict || failure.isNotFetched { throw failure }
                    skipped.add(failure)
                    next = (record.after, 0)
                    // Every source has been gone through without a usable record: it will not get better.
                    if zip(epochs, lastUse).allSatisfy({ $0 > $1 + 1 }) {
                        throw PipelineError.nothingUsable(skipped)
                    }
                }
                if pieces.isEmpty { next = (record.after, 0) }
                lastRecordEnd = record.after
                continue
            }
            taken.append(pieces.removeFirst())
            next.piece += 1
            if pieces.isEmpty { next = (lastRecordEnd, 0) }
        }
        for index in taken.indices { taken[index].number = index }
        labels = try options.labeler.map { labeler in
            let labels = try labeler.labels(for: taken.map(\.clip))
            guard labels.count == taken.count else {
                throw PipelineError.labels(clips: taken.count, labels: labels.count)
            }
            return labels
        }
        pool = arranged(taken)
    }

    /// Pieces of similar lengths together, as batches in a random order.
    private func arranged(_ pieces: [Piece]) -> [[Piece]] {
        var pieces = pieces
        if options.isShuffled {
            func length(_ piece: Piece) -> Int {
                options.length.rowLength((piece.samples.count + options.hop - 1) / options.hop)
            }
            pieces.sort { (length($0), $0.rank) < (length($1), $1.rank) }
        }
        let batches = stride(from: 0, to: pieces.count, by: options.batchSize).map {
            Array(pieces[$0..<$0 + options.batchSize])
        }
        guard options.isShuffled else { return batches }
        var random = CountedRandom(seed: options.seed, 4, UInt64(position.pools))
        return random.permutation(batches.count).map { batches[$0] }
    }
}

/// Decodes a record and cuts it into pieces.
private struct PieceMaker: Sendable {
    let options: Pipeline.Options
    /// Of each source.
    let balances: [SpeakerBalance?]

    func callAsFunction(_ drawn: Mixture.Drawn) -> Pipeline.Decoded {
        let result = Result { () throws(SkippedRecord) in
            switch drawn.result {
            case .failure(let failure): throw SkippedRecord(failure)
            case .success(let record): return try pieces(of: record, drawn)
            }
        }
        return Pipeline.Decoded(result: result, before: drawn.before, after: drawn.after)
    }

    private func pieces(of record: Record, _ drawn: Mixture.Drawn) throws(SkippedRecord) -> [Pipeline.Piece] {
        let identity = UInt64(stableHash: record.key) ^ UInt64(drawn.source)
        var random = CountedRandom(seed: options.seed, 5, UInt64(drawn.epoch), identity)
        let (waveform, bandwidth, phones) = try options.preparation(record, random: &random)
        let rate = Double(waveform.sampleRate)
        let ranges = options.length.pieces(
            of: waveform.samples.count, hop: options.hop,
            factor: balances[drawn.source]?.factor(of: record.metadata.speaker) ?? 1, random: &random)
        return ranges.map { range in
            let isWhole = range.count == waveform.samples.count
            let clip = Clip(
                key: record.key, source: drawn.source, epoch: drawn.epoch, sampleCount: range.count,
                // What is said in a piece is not known.
                bandwidth: bandwidth, text: isWhole ? record.metadata.text : nil, speaker: record.metadata.speaker,
                language: record.metadata.language,
                phones: phones?.cut(
                    from: Double(range.lowerBound) / rate, seconds: Double(range.count) / rate),
                phonemes: isWhole ? record.metadata.phonemes : nil)
            let samples = isWhole ? waveform.samples : Array(waveform.samples[range])
            return Pipeline.Piece(clip: clip, samples: samples, rank: random.next())
        }
    }
}

/// Why there are no batches.
public enum PipelineError: Error, Hashable, CustomStringConvertible {
    case noSources
    case weights
    case otherSources
    case nothingUsable(SkipReport)
    case labels(clips: Int, labels: Int)

    public var description: String {
        switch self {
        case .noSources: "there is no dataset to make batches of"
        case .weights: "a dataset's weight is a positive number"
        case .otherSources: "the position is of a pipeline with other datasets; give the same ones in the same order"
        case .nothingUsable(let report):
            "no dataset record can be used: "
                + (report.counts.isEmpty
                    ? "there are none"
                    : report.counts.sorted { $0.key < $1.key }
                        .map { "\($0.value) \($0.key)" }.joined(separator: ", "))
                + (report.examples.first.map { ", such as \($0)" } ?? "")
        case .labels(let clips, let labels): "\(clips) clips got labels for \(labels)"
        }
    }
}
