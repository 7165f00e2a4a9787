import Audio
import Datasets
import Foundation
import Tensor

/// Shards of short tones in memory, each of a length and frequency of its own, some of them broken.
struct SyntheticSource: Source {
    let name: String
    let shards: [Shard]
    private let sizes: [Int]
    private let broken: @Sendable (_ shard: Int, _ ordinal: Int) -> Bool
    private let lostShard: Int?
    /// Records that are passed over, as those of another split are.
    var hidden: @Sendable (_ shard: Int, _ ordinal: Int) -> Bool = { _, _ in false }
    var speaker: @Sendable (_ shard: Int, _ ordinal: Int) -> String? = { "speaker \($1 % 3)" }
    /// A shard that cannot be fetched.
    var unfetchedShard: Int?

    init(
        _ name: String = "synthetic", shardSizes: [Int], isRandomAccess: Bool, lostShard: Int? = nil,
        broken: @escaping @Sendable (Int, Int) -> Bool = { _, _ in false }
    ) {
        self.name = name
        sizes = shardSizes
        self.broken = broken
        self.lostShard = lostShard
        shards = shardSizes.indices.map {
            Shard(name: "\($0)", recordCount: isRandomAccess ? shardSizes[$0] : nil, isRandomAccess: isRandomAccess)
        }
    }

    var keys: Set<String> {
        Set(sizes.indices.flatMap { shard in (0..<sizes[shard]).map { "\(shard)/\($0)" } })
    }

    func open(shard: Int, at ordinal: Int) throws(SourceError) -> any ShardReader {
        if shard == unfetchedShard {
            throw .unavailable(RecordFailure(key: "\(shard)", .notFetched, "the server is busy"))
        }
        if shard == lostShard { throw .malformed(path: "\(shard)", reason: "it is lost") }
        return Reader(source: self, shard: shard, ordinal: ordinal)
    }

    /// What a record sounds like: 0.1 to 0.5 s at 8 kHz.
    static func tone(shard: Int, ordinal: Int) -> Waveform {
        let count = 800 + (ordinal * 613 + shard * 271) % 3200
        let step = 2 * Double.pi * Double(100 + (ordinal * 37 + shard * 11) % 900) / 8000
        return Waveform(samples: (0..<count).map { Float(0.5 * sin(step * Double($0))) }, sampleRate: 8000)
    }

    private final class Reader: ShardReader {
        let source: SyntheticSource
        let shard: Int
        var ordinal: Int

        init(source: SyntheticSource, shard: Int, ordinal: Int) {
            self.source = source
            self.shard = shard
            self.ordinal = ordinal
        }

        func next() -> Result<Record, RecordFailure>? {
            while ordinal < source.sizes[shard], source.hidden(shard, ordinal) { ordinal += 1 }
            guard ordinal < source.sizes[shard] else { return nil }
            defer { ordinal += 1 }
            let key = "\(shard)/\(ordinal)"
            if source.broken(shard, ordinal) {
                // What is broken is so in turn: not to be had, or not a sound.
                return ordinal.isMultiple(of: 2)
                    ? .failure(RecordFailure(key: key, .missingFile, "\(key) is not there"))
                    : .success(Record(key: key, sound: .bytes([1, 2, 3], name: key)))
            }
            let wave = SyntheticSource.tone(shard: shard, ordinal: ordinal)
            return .success(
                Record(
                    key: key, sound: .bytes((try? wave.wavFile()) ?? [], name: "\(key).wav"),
                    metadata: Record.Metadata(text: "text \(key)", speaker: source.speaker(shard, ordinal))))
        }

        func seek(to ordinal: Int) throws(SourceError) { self.ordinal = ordinal }
    }
}

extension Pipeline.Options {
    /// Small batches of the synthetic source: frames of 80 samples at 8 kHz.
    static func small(_ length: ClipLength = .utterances(LengthBuckets(shortest: 10, longest: 40))) -> Self {
        var options = Pipeline.Options(
            preparation: ClipPreparation(sampleRate: 8000, shortest: 0.05), hop: 80, length: length, batchSize: 4)
        options.poolBatches = 5
        options.window = 16
        options.threads = 3
        options.seed = 7
        return options
    }
}

/// All that there is to a batch.
func digest(_ batch: Batch) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    }
    for array in [batch.audio, batch.lengths, batch.bandwidth, batch.speakers] {
        array.bytes.withUnsafeBytes { bytes in
            // All arrays are of 4-byte elements.
            for word in bytes.bindMemory(to: UInt32.self) { hash = (hash ^ UInt64(word)) &* 0x0000_0100_0000_01B3 }
        }
    }
    add("\(batch.audio.shape)".utf8)
    for clip in batch.clips { add("\(clip.key) \(clip.epoch) \(clip.text ?? "-")".utf8) }
    return hash
}
