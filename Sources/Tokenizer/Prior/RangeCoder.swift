#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Writes codes as one number between 0 and 1, each of which narrows the range it is in by its chance.
///
/// Martin, "Range encoding: an algorithm for removing redundancy from a digitised message", 1979. 56 bits of the range are kept.
struct RangeEncoder: EntropyCoder {
    private var bytes: [UInt8] = []
    private var low: UInt64 = 0
    private var range = RangeCoding.whole

    mutating func entry(_ entry: Int, counts: [UInt32], total: UInt32) -> Int {
        let start = counts[..<entry].reduce(0) { $0 + UInt64($1) }
        narrow(to: start, size: UInt64(counts[entry]), of: UInt64(total))
        return entry
    }

    mutating func bit(_ isSet: Bool, chance: UInt32) -> Bool {
        let chance = UInt64(chance)
        if isSet { narrow(to: 0, size: chance, of: 65536) } else { narrow(to: chance, size: 65536 - chance, of: 65536) }
        return isSet
    }

    private mutating func narrow(to start: UInt64, size: UInt64, of total: UInt64) {
        let step = range / total
        low += start * step
        range = size * step
        if low >= RangeCoding.whole {
            low -= RangeCoding.whole
            carry()
        }
        while range < RangeCoding.least {
            bytes.append(UInt8(low >> 48))
            low = low << 8 & (RangeCoding.whole - 1)
            range <<= 8
        }
    }

    /// Adds one to the number that `bytes` is. There is a byte that it does not overflow: the number stays below 1.
    private mutating func carry() {
        var place = bytes.count - 1
        while place >= 0 {
            bytes[place] &+= 1
            if bytes[place] != 0 { return }
            place -= 1
        }
    }

    /// The shortest bytes that say the same whatever follows them, and a new beginning.
    mutating func finish() -> [UInt8] {
        // A reader takes zeros for what is missing, so a number of the range with many zeros at its end will do.
        if low > 0 {
            let mask = RangeCoding.least - 1
            low = (low + mask) & ~mask
            if low >= RangeCoding.whole {
                low -= RangeCoding.whole
                carry()
            }
            bytes.append(UInt8(low >> 48))
        }
        while bytes.last == 0 { bytes.removeLast() }
        defer { self = RangeEncoder() }
        return bytes
    }
}

/// Reads what a `RangeEncoder` wrote.
struct RangeDecoder: EntropyCoder {
    private let bytes: [UInt8]
    private var next: Int
    /// How far into the range the number is.
    private var offset: UInt64
    private var range = RangeCoding.whole
    /// Where the range begins, as the encoder had it, without what was settled.
    private var low: UInt64 = 0
    /// Whether the number has been one of those that an encoder leaves room for.
    private var isInRange = true

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        next = 0
        offset = 0
        for _ in 0..<7 { offset = offset << 8 | takeByte() }
    }

    mutating func entry(_ entry: Int, counts: [UInt32], total: UInt32) -> Int {
        let step = range / UInt64(total)
        let target = min(offset / step, UInt64(total) - 1)
        var start: UInt64 = 0
        var entry = 0
        while start + UInt64(counts[entry]) <= target {
            start += UInt64(counts[entry])
            entry += 1
        }
        narrow(to: start, size: UInt64(counts[entry]), step: step)
        return entry
    }

    mutating func bit(_ isSet: Bool, chance: UInt32) -> Bool {
        let (step, chance) = (range / 65536, UInt64(chance))
        let isSet = offset < chance * step
        if isSet {
            narrow(to: 0, size: chance, step: step)
        } else {
            narrow(to: chance, size: 65536 - chance, step: step)
        }
        return isSet
    }

    /// Whether the bytes are those that an encoder would have written for what was read, and no others.
    var isExact: Bool {
        isInRange && next >= bytes.count && bytes.last != 0 && offset < RangeCoding.least
            && (low + offset) % RangeCoding.least == 0
    }

    private mutating func narrow(to start: UInt64, size: UInt64, step: UInt64) {
        offset -= start * step
        low = (low + start * step) & (RangeCoding.whole - 1)
        range = size * step
        if offset >= range { isInRange = false }
        while range < RangeCoding.least {
            low = low << 8 & (RangeCoding.whole - 1)
            offset = (offset << 8 | takeByte()) & (RangeCoding.whole - 1)
            range <<= 8
        }
    }

    private mutating func takeByte() -> UInt64 {
        defer { next += 1 }
        return next < bytes.count ? UInt64(bytes[next]) : 0
    }
}

/// Counts the bits that codes take.
struct CodeCost: EntropyCoder, Sendable {
    private(set) var bits = 0.0

    mutating func entry(_ entry: Int, counts: [UInt32], total: UInt32) -> Int {
        bits -= log2(Double(counts[entry]) / Double(total))
        return entry
    }

    mutating func bit(_ isSet: Bool, chance: UInt32) -> Bool {
        bits -= log2(Double(isSet ? chance : 65536 - chance) / 65536)
        return isSet
    }
}

private enum RangeCoding {
    /// The range at first.
    static let whole: UInt64 = 1 << 56
    /// What it may narrow to before a byte is settled.
    static let least: UInt64 = 1 << 48
}
