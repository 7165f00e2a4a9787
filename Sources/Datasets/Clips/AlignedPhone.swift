#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A phone of a recording and when it is said; in JSON the list `[ipa, start, end]`.
///
/// What lies between the phones of an alignment is silence.
public struct AlignedPhone: Hashable, Sendable, Codable {
    /// In IPA.
    public var ipa: String
    /// Seconds from the beginning. A phone that a cut goes through begins before it, at less than 0, or ends after the clip.
    public var start: Double
    public var end: Double

    /// Thirty years, in seconds: no recording is longer.
    private static let latest = 1e9

    /// - Precondition: `start ≤ end`.
    public init(_ ipa: String, from start: Double, to end: Double) {
        precondition(start <= end, "a phone from \(start) to \(end) s")
        self.ipa = ipa
        self.start = start
        self.end = end
    }

    public init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        let ipa = try list.decode(String.self)
        let (start, end) = (try list.decode(Double.self), try list.decode(Double.self))
        guard list.isAtEnd, start <= end, abs(start) <= Self.latest, abs(end) <= Self.latest else {
            throw DecodingError.dataCorruptedError(in: list, debugDescription: "a phone is [ipa, start, end]")
        }
        self.init(ipa, from: start, to: end)
    }

    public func encode(to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        try list.encode(ipa)
        try list.encode(start)
        try list.encode(end)
    }
}

extension [AlignedPhone] {
    /// The phones in so many `seconds` of the sound from `start` on, timed from there.
    func cut(from start: Double, seconds: Double) -> [AlignedPhone] {
        compactMap { phone in
            phone.end > start && phone.start < start + seconds
                ? AlignedPhone(phone.ipa, from: phone.start - start, to: phone.end - start) : nil
        }
    }

    /// The phones of the sound played so many times as fast.
    func played(speed: Double) -> [AlignedPhone] {
        map { AlignedPhone($0.ipa, from: $0.start / speed, to: $0.end / speed) }
    }
}
