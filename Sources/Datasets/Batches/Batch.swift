public import Tensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Clips of several lengths in one array, each at the end of its row, with padding before it.
///
/// A row's clip takes whole frames: the last one is filled up with silence, as an encoder does with the end of a recording.
public struct Batch: Sendable {
    /// f32 `[batch, samples, 1]`.
    public let audio: HostArray
    /// i32 `[batch]`: samples of each clip, a whole number of frames; padding is what stands before.
    public let lengths: HostArray
    /// f32 `[batch]`: the highest frequency at which each clip can have sound, in Hz.
    public let bandwidth: HostArray
    /// i32 `[batch]`: places in the table of speakers, -1 where it does not have one.
    public let speakers: HostArray
    /// i32 `[batch, labels]`, each row filled up with -1, and how many each has, i32 `[batch]`; nil without a labeler.
    public let labels: (values: HostArray, counts: HostArray)?
    public let clips: [Clip]
    /// Samples of a frame.
    public let hop: Int

    public var batchSize: Int { audio.shape[0] }
    public var sampleCount: Int { audio.shape[1] }
    public var frameCount: Int { sampleCount / hop }

    /// bool `[batch, samples]`: where a sample is real.
    public var sampleMask: HostArray { mask(step: 1) }

    /// bool `[batch, frames]`: where a frame is real. With an attention window it is the compact form of the causal mask.
    public var frameMask: HostArray { mask(step: hop) }

    private func mask(step: Int) -> HostArray {
        let count = sampleCount / step
        let values = lengths.values(as: Int32.self).flatMap { length in
            let padding = count - Int(length) / step
            return (0..<count).map { $0 >= padding }
        }
        return HostArray(values, shape: [batchSize, count])
    }

    /// - Parameters:
    ///   - rows: each clip with its samples.
    ///   - frames: the length of a row.
    ///   - labels: of each clip.
    /// - Precondition: no clip is longer than a row.
    init(
        _ rows: [(clip: Clip, samples: [Float])], frames: Int, hop: Int, speakers table: SpeakerTable?,
        labels: [[Int32]]?
    ) {
        let width = frames * hop
        let lengths = rows.map { ($0.samples.count + hop - 1) / hop * hop }
        precondition(lengths.allSatisfy { $0 <= width }, "clips of \(lengths) samples in rows of \(width)")
        let size = MemoryLayout<Float>.stride
        let bytes = [UInt8](unsafeUninitializedCapacity: rows.count * width * size) { buffer, count in
            guard let base = UnsafeMutableRawPointer(buffer.baseAddress) else { return }
            for (row, length) in zip(rows.indices, lengths) {
                let start = base + row * width * size
                let (before, held) = ((width - length) * size, rows[row].samples.count * size)
                memset(start, 0, before)
                rows[row].samples.withUnsafeBytes { if let source = $0.baseAddress { memcpy(start + before, source, held) } }
                memset(start + before + held, 0, width * size - before - held)
            }
            count = rows.count * width * size
        }
        audio = HostArray(type: TensorType(.f32, [rows.count, width, 1]), bytes: bytes)
        self.lengths = HostArray(lengths.map { Int32($0) })
        bandwidth = HostArray(rows.map { Float($0.clip.bandwidth) })
        speakers = HostArray(rows.map { table?.number(of: $0.clip.speaker) ?? -1 })
        clips = rows.map(\.clip)
        self.hop = hop
        self.labels = labels.map { labels in
            // Lengths of sixteens: few shapes.
            let most = (max(1, labels.map(\.count).max() ?? 1) + 15) / 16 * 16
            let padded = labels.flatMap { $0 + [Int32](repeating: -1, count: most - $0.count) }
            return (
                HostArray(padded, shape: [labels.count, most]), HostArray(labels.map { Int32($0.count) })
            )
        }
    }
}
