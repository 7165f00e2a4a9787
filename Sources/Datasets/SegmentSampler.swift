import Audio
import Synchronization

/// Batches of random segments of a dataset's clips.
///
/// What batch `n` holds depends on the seed and `n` alone, so the position of a training run is one number and a resumed run sees
/// what an uninterrupted one would have seen.
public final class SegmentSampler: Sendable {
    public let manifest: Manifest
    public let clips: [Clip]
    public let sampleRate: Int
    /// Samples in a segment.
    public let length: Int
    public let batchSize: Int
    public let seed: UInt64

    /// Running sums of the clips' lengths: every second of the dataset is as likely.
    private let ends: [Double]
    private let cache: Mutex<WaveformCache>

    /// - Parameter cacheBytes: memory for decoded clips.
    public init(
        _ manifest: Manifest, split: String, sampleRate: Int, length: Int, batchSize: Int, seed: UInt64,
        cacheBytes: Int = 2 << 30
    ) throws {
        self.manifest = manifest
        clips = try manifest.split(split)
        self.sampleRate = sampleRate
        self.length = length
        self.batchSize = batchSize
        self.seed = seed
        var sum = 0.0
        ends = clips.map { clip in
            sum += clip.seconds
            return sum
        }
        cache = Mutex(WaveformCache(limit: cacheBytes))
    }

    /// `[batchSize, length]`, row-major. A clip shorter than a segment has silence before it.
    ///
    /// - Throws: `AudioError` where a clip cannot be read.
    public func batch(_ number: Int) throws -> [Float] {
        var batch = [Float](repeating: 0, count: batchSize * length)
        for slot in 0..<batchSize {
            var random = CountedRandom(seed: seed, counter: UInt64(number) &* UInt64(batchSize) &+ UInt64(slot))
            let place = random.unit() * (ends.last ?? 0)
            let index = min(ends.partitioningIndex { $0 > place }, clips.count - 1)
            let samples = try waveform(index)
            let room = samples.count - length
            let start = room > 0 ? Int(random.unit() * Double(room + 1)) : 0
            let count = min(length, samples.count)
            let target = slot * length + (length - count)
            for offset in 0..<count { batch[target + offset] = Float(samples[start + offset]) * (1 / 32767) }
        }
        return batch
    }

    private func waveform(_ index: Int) throws -> [Int16] {
        if let cached = cache.withLock({ $0[index] }) { return cached }
        let path = manifest.path(of: clips[index])
        let samples = try Waveform.load(path: path, sampleRate: sampleRate).samples.map {
            Int16(max(-32767, min(32767, ($0 * 32767).rounded())))
        }
        cache.withLock { $0.insert(samples, at: index) }
        return samples
    }
}

/// Decoded clips, the longest unused dropped first.
private struct WaveformCache {
    let limit: Int
    private var bytes = 0
    private var clock = 0
    private var entries: [Int: (samples: [Int16], used: Int)] = [:]

    init(limit: Int) { self.limit = limit }

    subscript(index: Int) -> [Int16]? {
        mutating get {
            clock += 1
            entries[index]?.used = clock
            return entries[index]?.samples
        }
    }

    mutating func insert(_ samples: [Int16], at index: Int) {
        guard samples.count * 2 <= limit, entries[index] == nil else { return }
        clock += 1
        entries[index] = (samples, clock)
        bytes += samples.count * 2
        while bytes > limit, let oldest = entries.min(by: { $0.value.used < $1.value.used }) {
            bytes -= oldest.value.samples.count * 2
            entries[oldest.key] = nil
        }
    }
}

/// Random numbers of one (seed, counter): SplitMix64 (Steele, Lea and Flood, 2014), begun at a hash of the two.
struct CountedRandom {
    private var state: UInt64

    init(seed: UInt64, counter: UInt64) {
        state = Self.mix(seed &+ 0x9E37_79B9_7F4A_7C15) ^ Self.mix(counter &+ 0xD1B5_4A32_D192_ED03)
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    /// In `0 ..< 1`.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}

extension [Double] {
    /// The first index whose element satisfies a predicate that is false up to it and true from it.
    fileprivate func partitioningIndex(_ belongs: (Double) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if belongs(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
