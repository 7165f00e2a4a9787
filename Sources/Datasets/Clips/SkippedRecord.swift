import Audio

/// A record that gives no clip, and why.
public struct SkippedRecord: Error, Hashable, Sendable, CustomStringConvertible {
    public var key: String
    /// One of a few reasons, to count by.
    public var reason: String
    public var detail: String
    /// How many records are lost by it.
    public var count: Int

    /// Whether it may be had later, and so must not be left out: else what is read would depend on the network.
    public var isNotFetched: Bool { reason == RecordFailure.Kind.notFetched.rawValue }

    enum Reason: String {
        case undecodable = "cannot be decoded"
        case unreadable = "unreadable file"
        case notSound = "not a sound file"
        case zeroLength = "zero length"
        case nonFinite = "NaN or infinity"
        case tooLoud = "samples far beyond -1 to 1"
        case badRate = "rate or channels out of range"
        case truncated
        case tooLong = "too long"
        case tooShort = "too short"
        case silent = "silent"
    }

    init(_ key: String, _ reason: Reason, _ detail: String) {
        self.init(key: key, reason: reason.rawValue, detail: detail)
    }

    private init(key: String, reason: String, detail: String, count: Int = 1) {
        self.key = key
        self.reason = reason
        self.detail = detail
        self.count = count
    }

    init(_ failure: RecordFailure) {
        self.init(key: failure.key, reason: failure.kind.rawValue, detail: failure.detail, count: failure.recordCount)
    }

    init(_ key: String, _ error: AudioError) {
        let reason: Reason =
            switch error {
            case .cannotOpen: .unreadable
            case .notAudio: .notSound
            case .empty: .zeroLength
            case .nonFinite: .nonFinite
            case .tooLoud: .tooLoud
            case .unsupportedRate, .tooManyChannels: .badRate
            case .truncated, .partialSample: .truncated
            case .tooLong: .tooLong
            default: .undecodable
            }
        self.init(key, reason, error.description)
    }

    public var description: String { detail.contains(key) ? "\(reason): \(detail)" : "\(key): \(reason): \(detail)" }
}

/// How many records were skipped, by reason, and the first few of them.
public struct SkipReport: Hashable, Sendable, Codable {
    public private(set) var counts: [String: Int] = [:]
    public private(set) var examples: [String] = []

    private static let exampleCount = 5

    public init() {}

    public var total: Int { counts.values.reduce(0, +) }

    mutating func add(_ skipped: SkippedRecord) {
        counts[skipped.reason, default: 0] += skipped.count
        if examples.count < Self.exampleCount { examples.append(skipped.description) }
    }

    /// Counts what another source lacks too.
    public mutating func add(_ other: SkipReport) {
        counts.merge(other.counts, uniquingKeysWith: +)
        examples += other.examples.prefix(Self.exampleCount - examples.count)
    }
}
