import Foundation
import Synchronization

/// Damage to valid files, the same for the same seed.
public struct Mutator: RandomNumberGenerator {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    /// SplitMix64 (Steele, Lea and Flood 2014).
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// `bytes` after one to four changes of the kinds that files suffer and forgers make.
    public mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &self) { change(&bytes) }
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else {
            bytes = noise()
            return
        }
        let place = Int.random(in: bytes.indices, using: &self)
        let other = Int.random(in: bytes.indices, using: &self)
        let range = min(place, other)..<min(max(place, other), min(place, other) + 64)
        switch Int.random(in: 0..<9, using: &self) {
        case 0, 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &self)
        case 2: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &self) ?? 0
        case 3: bytes.removeLast(bytes.count - place)
        case 4: bytes.removeSubrange(range)
        case 5: bytes.insert(contentsOf: noise(), at: place)
        case 6: bytes.insert(contentsOf: bytes[range], at: place)
        case 7: bytes.append(contentsOf: noise())
        default: overwrite(&bytes, at: place)
        }
    }

    /// Puts a number that is apt to overflow, of one to eight bytes, where a length may stand.
    private mutating func overwrite(_ bytes: inout [UInt8], at place: Int) {
        let extremes: [UInt64] = [
            0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, 1 << 32, 1 << 62, .max >> 1, .max >> 1 + 1, .max,
        ]
        let value = (extremes.randomElement(using: &self) ?? 0).littleEndian
        let number = withUnsafeBytes(of: value) { Array($0) }.prefix([1, 2, 4, 8].randomElement(using: &self) ?? 1)
        for (offset, byte) in number.enumerated() where place + offset < bytes.count { bytes[place + offset] = byte }
    }

    private mutating func noise() -> [UInt8] {
        (0..<Int.random(in: 1...32, using: &self)).map { _ in UInt8.random(in: 0...255, using: &self) }
    }
}

/// How long to look for inputs that a reader does not survive.
public enum Fuzzing {
    /// Calls `attempt` with seed after seed: a fixed few, or, where `ALLOPHONE_FUZZ_SECONDS` is set, new ones for so long.
    ///
    /// The address space of this process is limited first: a reader that takes memory for what a file announces, before it
    /// has seen as much, ends it. Call it in a process of its own.
    public static func run(_ attempt: (_ seed: UInt64) throws -> Void) rethrows {
        limitMemory()
        guard let seconds = ProcessInfo.processInfo.environment["ALLOPHONE_FUZZ_SECONDS"].flatMap(Double.init) else {
            for seed in 0..<2000 as Range<UInt64> { try attempt(seed) }
            return
        }
        let start = UInt64.random(in: 0 ... .max >> 1)
        let end = ContinuousClock.now + .seconds(seconds)
        var seed = start
        while ContinuousClock.now < end {
            try attempt(seed)
            seed += 1
        }
        FileHandle.standardError.write(Data("\(seed - start) inputs, seeds from \(start)\n".utf8))
    }

    /// Allows 256 MiB beyond what the process has now.
    private static func limitMemory() {
        guard let pages = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ").first,
            let used = UInt(pages)
        else { return }
        let bytes = rlim_t(used * UInt(sysconf(Int32(_SC_PAGESIZE))) + 256 << 20)
        var limit = rlimit(rlim_cur: bytes, rlim_max: bytes)
        setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
    }
}
