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

    /// The part of a worker of a rank: of a process, and of a reader in it.
    public init(rank: Int, of ranks: Int, worker: Int, of workers: Int) {
        self.init(index: rank * workers + worker, of: ranks * workers)
    }
}

/// The records of a source, epoch after epoch, in an order that a seed decides and from any position of it.
///
/// Where records may be read in any order, an epoch is one permutation of them all. Else shards come in a random order, and the
/// records of each in blocks of random order inside. Nothing is held but one block.
final class RecordStream {
    /// Where a stream stands: the record that comes next.
    struct Position: Codable, Hashable, Sendable {
        var epoch = 0
        /// In random access the place in the epoch's order; else that of the shard.
        var place = 0
        /// The ordinal in the shard at which the block begins.
        var block = 0
        /// Records of the block that have been given.
        var given = 0
    }

    struct Order: Sendable {
        var seed: UInt64
        /// Without it records come as they stand.
        var isShuffled = true
        /// Records, at most, that a block shuffles.
        var window = 1024
        var partition = Partition.whole
    }

    /// A record, or why it cannot be had.
    typealias Drawn = (result: Result<Record, RecordFailure>, epoch: Int)

    let source: any Source
    private(set) var position: Position
    private let order: Order
    /// Where each shard's records begin in the numbering of all; nil where records cannot be read in any order.
    private let offsets: [Int]?
    private var readers: [Int: any ShardReader] = [:]
    private var block: [Result<Record, RecordFailure>]?
    /// Where the next block begins; nil where the shard cannot be read on.
    private var blockEnd: Int?
    private var shuffledPlaces: (epoch: Int, places: IndexPermutation)?

    /// Encoded sounds in a block, in bytes, beyond which no more records are added.
    private static let blockBytes = 64 << 20
    private static let openReaders = 32

    init(_ source: any Source, _ order: Order, at position: Position = Position()) {
        self.source = source
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

    private func random(_ use: UInt64...) -> CountedRandom {
        let key = use.reduce(UInt64(stableHash: source.name)) { CountedRandom.mix($0 ^ $1) &+ 1 }
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
        let shards = source.shards.count
        // Whole shards for each part, unless there are too few.
        let byShard = shards >= order.partition.count
        while position.place < shards {
            let isMine = !byShard || position.place % order.partition.count == order.partition.index
            if isMine {
                let records = loadedBlock()
                while position.given < records.count {
                    let ordinal = position.block + position.given
                    position.given += 1
                    if byShard || ordinal % order.partition.count == order.partition.index {
                        return records[position.given - 1]
                    }
                }
                block = nil
                if let blockEnd, !records.isEmpty {
                    position.block = blockEnd
                    position.given = 0
                    continue
                }
            }
            position = Position(epoch: position.epoch, place: position.place + 1)
            block = nil
            readers = [:]
        }
        return nil
    }

    /// The block at the position, read if it is not here; empty at the shard's end.
    private func loadedBlock() -> [Result<Record, RecordFailure>] {
        if let block { return block }
        let shard = order.isShuffled ? places(source.shards.count)[position.place] : position.place
        var records: [Result<Record, RecordFailure>] = []
        do throws(SourceError) {
            let reader: any ShardReader
            if let open = readers[shard], open.ordinal == position.block {
                reader = open
            } else {
                reader = try source.open(shard: shard, at: position.block)
                readers = [shard: reader]
            }
            var bytes = 0
            while records.count < (order.isShuffled ? order.window : 1), bytes < Self.blockBytes,
                let record = reader.next()
            {
                if case .success(let record) = record, case .bytes(let contents, _) = record.sound {
                    bytes += contents.count
                }
                records.append(record)
            }
            blockEnd = reader.ordinal
            if order.isShuffled {
                var random = random(2, UInt64(shard), UInt64(position.block))
                records = random.permutation(records.count).map { records[$0] }
            }
        } catch {
            // The shard is lost; the next one is not.
            records = [.failure(lost(shard, error))]
            blockEnd = nil
        }
        block = records
        return records
    }
}
