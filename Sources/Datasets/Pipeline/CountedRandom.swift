/// Random numbers that follow from a seed and what they are for: SplitMix64 (Steele, Lea and Flood, 2014), begun at a hash of both.
public struct CountedRandom {
    private var state: UInt64

    /// - Parameter counters: what tells this use of the seed from all others.
    public init(seed: UInt64, _ counters: UInt64...) {
        state = counters.reduce(Self.mix(seed &+ Self.step)) {
            Self.mix($0 ^ ($1 &+ 0xD1B5_4A32_D192_ED03)) &+ Self.step
        }
    }

    private static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

    static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    public mutating func next() -> UInt64 {
        state &+= Self.step
        return Self.mix(state)
    }

    /// In `0 ..< 1`.
    public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// In `0 ..< bound`; the bias is below `bound / 2^64`.
    mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

    /// In `interval`, every value as likely.
    mutating func uniform(_ interval: Interval) -> Double { interval.low + (interval.high - interval.low) * unit() }

    /// A random order of `0 ..< count` (Fisher and Yates).
    mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        for last in stride(from: count - 1, to: 0, by: -1) { order.swapAt(last, below(last + 1)) }
        return order
    }
}

extension UInt64 {
    /// A hash of text that is the same in every process and version (FNV-1a).
    init(stableHash text: String) {
        self = text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }
}

/// A random order of `0 ..< count` that takes no memory, however large the count is.
///
/// A Feistel network of four rounds permutes the next larger power of four, and what falls outside goes round again (Black and
/// Rogaway, "Ciphers with Arbitrary Finite Domains", 2002): fewer than four times on average.
struct IndexPermutation {
    let count: Int
    private let halfBits: UInt64
    private let keys: [UInt64]

    init(count: Int, random: CountedRandom) {
        var random = random
        self.count = count
        let bits = max(2, Int.bitWidth - max(0, count - 1).leadingZeroBitCount)
        halfBits = UInt64((bits + 1) / 2)
        keys = (0..<4).map { _ in random.next() }
    }

    subscript(index: Int) -> Int {
        let mask = UInt64(1) << halfBits &- 1
        var value = UInt64(index)
        repeat {
            var (left, right) = (value >> halfBits, value & mask)
            for key in keys { (left, right) = (right, left ^ (CountedRandom.mix(right ^ key) & mask)) }
            value = left << halfBits | right
        } while value >= UInt64(count)
        return Int(value)
    }
}
