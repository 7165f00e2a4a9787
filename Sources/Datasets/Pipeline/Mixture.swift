/// A source, and its share of what is drawn.
public struct WeightedSource: Sendable {
    public var source: any Source
    /// Relative to the other sources' weights.
    public var weight: Double
    /// Nil to hear everyone for as long as they speak.
    public var balance: SpeakerBalance?

    public init(_ source: any Source, weight: Double = 1, balance: SpeakerBalance? = nil) {
        self.source = source
        self.weight = weight
        self.balance = balance
    }
}

/// Records drawn from several streams, each by its weight.
///
/// Which stream a draw is from follows from the seed and the draw's number.
final class Mixture {
    /// Where a mixture stands.
    struct Position: Codable, Hashable, Sendable {
        var draws = 0
        var streams: [RecordStream.Position]
    }

    struct Drawn {
        let result: Result<Record, RecordFailure>
        let source: Int
        let epoch: Int
        /// Where the mixture stood before and stands after it.
        let before: Position
        let after: Position
    }

    private let streams: [RecordStream]
    private let seed: UInt64
    /// Running sums of the shares, the last of which is 1.
    private let shares: [Double]
    private var draws: Int

    /// - Precondition: there is a source, weights are positive, and the position is of as many sources.
    init(_ sources: [WeightedSource], _ order: RecordStream.Order, at position: Position?) {
        precondition(!sources.isEmpty && sources.allSatisfy { $0.weight > 0 }, "sources have positive weights")
        let position = position ?? Position(streams: sources.map { _ in RecordStream.Position() })
        precondition(position.streams.count == sources.count, "a position of other sources")
        streams = zip(sources, position.streams).map { RecordStream($0.source, order, at: $1) }
        seed = order.seed
        draws = position.draws
        let total = sources.reduce(0) { $0 + $1.weight }
        var sum = 0.0
        shares = sources.map { source in
            sum += source.weight / total
            return sum
        }
    }

    var position: Position { Position(draws: draws, streams: streams.map(\.position)) }

    /// The next record; nil where its source has none.
    func next() -> Drawn? {
        let before = position
        var random = CountedRandom(seed: seed, 3, UInt64(draws))
        let place = random.unit()
        let index = shares.firstIndex { place < $0 } ?? shares.count - 1
        guard let drawn = streams[index].next() else { return nil }
        draws += 1
        return Drawn(result: drawn.result, source: index, epoch: drawn.epoch, before: before, after: position)
    }
}
