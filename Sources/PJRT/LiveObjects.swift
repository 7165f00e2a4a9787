import Synchronization

/// How many plugin resources this process holds at the moment.
///
/// A program that released everything it made sees `LiveObjects.zero`; tests use that to find leaks.
public struct LiveObjects: Sendable, Equatable, CustomStringConvertible {
    public let clients: Int
    public let buffers: Int
    public let executables: Int
    public let events: Int

    public static let zero = LiveObjects(clients: 0, buffers: 0, executables: 0, events: 0)

    /// The counts now. Each is exact; together they are a snapshot only while no other thread makes or frees one.
    public static var current: LiveObjects {
        LiveObjects(
            clients: clientTally.count, buffers: bufferTally.count, executables: executableTally.count,
            events: eventTally.count)
    }

    public var description: String {
        "\(clients) clients, \(buffers) buffers, \(executables) executables, \(events) events"
    }

    static let clientTally = Tally()
    static let bufferTally = Tally()
    static let executableTally = Tally()
    static let eventTally = Tally()

    struct Tally: ~Copyable {
        private let value = Atomic<Int>(0)

        var count: Int { value.load(ordering: .relaxed) }
        func increment() { value.add(1, ordering: .relaxed) }
        func decrement() { value.subtract(1, ordering: .relaxed) }
    }
}
