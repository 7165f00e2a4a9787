/// Which of a dataset's records are for this process.
public struct Partition: Hashable, Sendable, Codable {
    public var index: Int
    public var count: Int

    /// All of them.
    public static let whole = Partition(index: 0, of: 1)

    /// - Precondition: `0 ≤ index < count`.
    public init(index: Int, of count: Int) {
        precondition(count > 0 && (0..<count).contains(index), "part \(index) of \(count)")
        self.index = index
        self.count = count
    }
}

/// The records of a source, epoch after epoch, in an order that a seed decides and from any position of it.
///
/// Where records may be read in any order, an epoch is one permutation of them all. Else shards come in a random order, a few at a time
/// side by side, in blocks that have as much of each and a random order inside: datasets are often sorted, by speaker for one, and a
/// model that is shown one speaker after another learns each and forgets the rest. Nothing is held but one block.
final class RecordStream {
    /// Where a stream stands: the record that comes next.
    struct Position: Codable, Hashable, Sendable {
        var epoch = 0
        /// In random access the place in the epoch's order; else that of the first of the shards that are read together.
        var place = 0
        /// Rounds of these shards, a record of each, before the block.
        var block = 0
        /// Where the block begins in each of these shards; `nil` at their beginning. A shard's ordinals may leave some out.
        var ordinals: [Int]?
        /// Records of the block that have been given.
        var given = 0
    }

    struct Order: Sendable {
        var seed: UInt64
        /// Without it records come as they stand.
        var isShuffled = true
        /// Records that a block shuffles, a few more at times.
        var window = 1024
        /// Shards that are read together.
        var shardsTogether = 8
        var partition = Partition.whole
    }

    /// A record, or why it cannot be had.
    typealias Drawn = (result: Result<Record, RecordFailure>, epoch: Int)

    let source: any Source
    private(set) var position: Position
    private let order: Order
    /// Where each shard's records begin in the numbering of all; nil where records cannot be read in any order.
    private let offsets: [Int]?
    private let contents: UInt64
    private var readers: [Int: any ShardReader] = [:]
    private var block: [Result<Record, RecordFailure>]?
    /// Where the next block begins, and where `readers` of shards that have not ended stand; nil where all have.
    private var blockEnd: (block: Int, ordinals: [Int])?
    private var shuffledPlaces: (epoch: Int, places: IndexPermutation)?

    /// Encoded sounds and texts in a block, in bytes, beyond which no more records are added.
    private static let blockBytes = 64 << 20
    private static let openReaders = 32

    init(_ source: any Source, _ order: Order, at position: Position = Position()) {
        self.source = source
        contents = source.contents
        self.order = order
        self.position = position
        let shards = source.shards
        if shards.allSatisfy({ $0.isRandomAccess && $0.recordCount != nil }) {
            offsets = shards.reduce(into: [0]) { $0.append($0[$0.count - 1] + ($1.recordCount ?? 0)) }
        } else {
            offsets = nil
        }
    }

    /// The next record; nil where a whole epoch has none.
    func next() -> Drawn? {
        var emptyEpochs = 0
        while emptyEpochs < 2 {
            let epoch = position.epoch
            if let result = offsets.map(nextByPermutation) ?? nextByBlocks() { return (result, epoch) }
            position = Position(epoch: epoch + 1)
            emptyEpochs += 1
        }
        return nil
    }

    /// By what the source holds and not by where it lies, or a run could not go on from a folder that has moved.
    private func random(_ use: UInt64...) -> CountedRandom {
        let key = use.reduce(contents) { CountedRandom.mix($0 ^ $1) &+ 1 }
        return CountedRandom(seed: order.seed, UInt64(position.epoch), key)
    }

    /// The permutation of this epoch.
    private func places(_ count: Int) -> IndexPermutation {
        if let shuffledPlaces, shuffledPlaces.epoch == position.epoch { return shuffledPlaces.places }
        let places = IndexPermutation(count: count, random: random(1))
        shuffledPlaces = (position.epoch, places)
        return places
    }

    // MARK: Random access

    private func nextByPermutation(_ offsets: [Int]) -> Result<Record, RecordFailure>? {
        let count = offsets[offsets.count - 1]
        let index = position.place * order.partition.count + order.partition.index
        guard index < count else { return nil }
        position.place += 1
        let number = order.isShuffled ? places(count)[index] : index
        // The last shard that begins at or before the record.
        var (low, high) = (0, offsets.count - 1)
        while high - low > 1 {
            let middle = (low + high) / 2
            if offsets[middle] <= number { low = middle } else { high = middle }
        }
        return read(low, number - offsets[low])
    }

    private func read(_ shard: Int, _ ordinal: Int) -> Result<Record, RecordFailure> {
        do throws(SourceError) {
            let reader: any ShardReader
            if let open = readers[shard] {
                reader = open
                try reader.seek(to: ordinal)
            } else {
                if readers.count >= Self.openReaders { readers.removeAll(keepingCapacity: true) }
                reader = try source.open(shard: shard, at: ordinal)
                readers[shard] = reader
            }
            return reader.next()
                ?? .failure(RecordFailure(key: source.shards[shard].name, .damagedShard, "it has no record \(ordinal)"))
        } catch {
            readers[shard] = nil
            return .failure(lost(shard, error))
        }
    }

    /// What stands for a shard that cannot be opened. Whether it is damaged or only cannot be fetched now is told apart.
    private func lost(_ shard: Int, _ error: SourceError) -> RecordFailure {
        if case .unavailable(let failure) = error, failure.kind == .notFetched { return failure }
        return RecordFailure(key: source.shards[shard].name, .damagedShard, "\(error)")
    }

    // MARK: Blocks

    private func nextByBlocks() -> Result<Record, RecordFailure>? {
        while case let group = group(), let last = group.last {
            do throws(RecordFailure) {
                let records = try loadedBlock(group)
                while position.given < records.count {
                    position.given += 1
                    if givesWholeShards || isMine(position.block + position.given - 1) {
                        return records[position.given - 1]
                    }
                }
            } catch {
                leave(last)
                return .failure(error)
            }
            block = nil
            if let blockEnd {
                (position.block, position.ordinals) = blockEnd
                position.given = 0
            } else {
                leave(last)
            }
        }
        return nil
    }

    /// Whole shards for each part, unless there are too few.
    private var givesWholeShards: Bool { source.shards.count >= order.partition.count }

    private func isMine(_ number: Int) -> Bool { number % order.partition.count == order.partition.index }

    /// The places of the shards that are read together, the next ones of this part's; none at the epoch's end.
    private func group() -> [Int] {
        var places: [Int] = []
        var place = position.place
        while place < source.shards.count, places.count < (order.isShuffled ? order.shardsTogether : 1) {
            if !givesWholeShards || isMine(place) { places.append(place) }
            place += 1
        }
        return places
    }

    /// Goes on behind a place.
    private func leave(_ place: Int) {
        position = Position(epoch: position.epoch, place: place + 1)
        (block, blockEnd, readers) = (nil, nil, [:])
    }

    /// The block at the position, read if it is not here: a record of each shard, and again, until there are enough.
    ///
    /// - Throws: what could not be fetched now. The block would be another one without it.
    private func loadedBlock(_ group: [Int]) throws(RecordFailure) -> [Result<Record, RecordFailure>] {
        if let block { return block }
        let shards = group.map { order.isShuffled ? places(source.shards.count)[$0] : $0 }
        var records: [Result<Record, RecordFailure>] = []
        if blockEnd?.block != position.block || readers.isEmpty { records = try startReading(shards) }
        var (bytes, rounds) = (0, position.block)
        var ordinals = position.ordinals ?? shards.map { _ in 0 }
        let wanted = order.isShuffled ? order.window : 1
        repeat {
            for (index, shard) in shards.enumerated() {
                guard let reader = readers[shard] else { continue }
                let record = reader.next()
                ordinals[index] = reader.ordinal
                guard let record else {
                    readers[shard] = nil
                    continue
                }
                if case .success(let record) = record {
                    if case .bytes(let contents, _) = record.sound { bytes += contents.count }
                    bytes += record.metadata.text?.utf8.count ?? 0
                }
                records.append(record)
            }
            rounds += 1
        } while records.count < wanted && bytes < Self.blockBytes && !readers.isEmpty
        blockEnd = readers.isEmpty ? nil : (rounds, ordinals)
        if order.isShuffled {
            var random = random(2, UInt64(shards[0]), UInt64(position.block))
            records = random.permutation(records.count).map { records[$0] }
        }
        block = records
        return records
    }

    /// Opens shards where the block begins; those that are lost are told of in the first block, and the others are not.
    private func startReading(_ shards: [Int]) throws(RecordFailure) -> [Result<Record, RecordFailure>] {
        readers = [:]
        var failures: [Result<Record, RecordFailure>] = []
        for (index, shard) in shards.enumerated() {
            let ordinal = position.ordinals?[index] ?? position.block
            do throws(SourceError) { readers[shard] = try source.open(shard: shard, at: ordinal) } catch {
                let failure = lost(shard, error)
                if failure.kind == .notFetched { throw failure }
                if position.block == 0 { failures.append(.failure(failure)) }
            }
        }
        return failures
    }
}
