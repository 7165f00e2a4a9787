/// A dataset as a list of shards, each a sequence of records.
///
/// A shard's number and a record's ordinal in it name a record for as long as the dataset stays as it is, so that a position
/// is two integers, shards are dealt out by number, and an order follows from a seed. A source is opened without reading its
/// records.
public protocol Source: Sendable {
    /// What to call the dataset in messages: the locator that it was opened by.
    var name: String { get }

    var shards: [Shard] { get }

    /// The records of a shard from the given ordinal on. Several readers of one shard may be open at a time.
    ///
    /// - Throws: ``SourceError`` where the shard cannot be had at all.
    func open(shard: Int, at ordinal: Int) throws(SourceError) -> any ShardReader
}

extension Source {
    /// The records of a shard from its first on.
    ///
    /// - Throws: ``SourceError``.
    public func open(shard: Int) throws(SourceError) -> any ShardReader { try open(shard: shard, at: 0) }

    /// Of the names of its shards and how many records they have, where that is known: what a position is a position in.
    package var contents: UInt64 {
        let shards = shards.map { "\($0.name)\t\($0.recordCount.map(String.init) ?? "")" }
        return UInt64(stableHash: shards.joined(separator: "\n"))
    }

    /// Of the lengths of its shards, which tell other contents of the same names; nil where one is not known.
    package var byteCounts: UInt64? {
        var counts: [String] = []
        for shard in shards {
            guard let count = shard.byteCount else { return nil }
            counts.append(String(count))
        }
        return UInt64(stableHash: counts.joined(separator: "\n"))
    }

    /// How many records there are, where every shard knows.
    public var recordCount: Int? {
        var sum = 0
        for shard in shards {
            guard let count = shard.recordCount else { return nil }
            sum += count
        }
        return sum
    }
}

/// A part of a dataset that is read from front to back: a file, or a manifest.
public struct Shard: Hashable, Sendable {
    /// The file, as the dataset names it.
    public var name: String

    /// How many records it holds, those that cannot be read among them; nil where only reading tells.
    public var recordCount: Int?

    /// Whether `ShardReader.seek` takes the same short time for every ordinal, so that records may be read in any order.
    public var isRandomAccess: Bool

    /// Bytes of its file, if it is one and they are known.
    public var byteCount: Int?

    public init(name: String, recordCount: Int?, isRandomAccess: Bool, byteCount: Int? = nil) {
        self.name = name
        self.recordCount = recordCount
        self.isRandomAccess = isRandomAccess
        self.byteCount = byteCount
    }
}

/// Reads a shard's records one after the other, in memory that does not grow with the shard.
///
/// A reader belongs to one thread at a time.
public protocol ShardReader: AnyObject {
    /// The ordinal of the record that `next` gives: that of the shard's first record is 0. What cannot be read counts.
    var ordinal: Int { get }

    /// The next record, or why it cannot be had; nil after the last. After a failure the next call goes on behind it.
    func next() -> Result<Record, RecordFailure>?

    /// Goes to a record, forwards or backwards; past the last one `next` gives nil.
    ///
    /// - Throws: ``SourceError`` where the shard can no longer be read.
    func seek(to ordinal: Int) throws(SourceError)
}
