/// Mono samples pulled chunk by chunk. A stream belongs to one task at a time, so conformers are not `Sendable`.
public protocol SampleStream: AnyObject {
    /// In Hz.
    var sampleRate: Int { get }

    /// How many frames the whole stream is expected to give, or nil when nobody can know (a pipe).
    ///
    /// For progress and capacity only: compressed formats may estimate it.
    var expectedFrames: Int? { get }

    /// The next samples: at least one and at most `maximumFrames`, or none at the end of the stream.
    ///
    /// - Throws: ``AudioError``.
    func read(maximumFrames: Int) throws -> [Float]
}

/// Where mono samples go, chunk by chunk. Belongs to one task at a time.
public protocol SampleSink: AnyObject {
    /// - Throws: ``AudioError``.
    func write(_ samples: [Float]) throws

    /// Completes the output. Without it nothing may be kept.
    ///
    /// - Throws: ``AudioError``.
    func finish() throws
}

/// Replaces interleaved channels by their average, frame by frame, at the beginning of `buffer`.
func mixDown(_ buffer: UnsafeMutableBufferPointer<Float>, frames: Int, channels: Int) {
    guard channels > 1 else { return }
    let scale = 1 / Float(channels)
    for frame in 0..<frames {
        var sum: Float = 0
        for channel in 0..<channels { sum += buffer[frame * channels + channel] }
        buffer[frame] = sum * scale
    }
}

/// Larger samples than any recording between -1 and 1 has, and far from overflow.
package let loudestSample: Float = 1e6

/// Throws ``AudioError/nonFinite(path:seconds:)`` for the first NaN or infinity, or ``AudioError/tooLoud(path:seconds:value:)``
/// for the first sample beyond `loudest`; `start` is the frame of `samples[0]`.
func requireFinite(
    _ samples: UnsafeBufferPointer<Float>, upTo loudest: Float = .greatestFiniteMagnitude, from start: Int,
    sampleRate: Int, path: String
) throws {
    // Magnitudes compare as their bits do, and a loop over integers is one that compilers make vectors of.
    var largest: UInt32 = 0
    for sample in samples { largest = max(largest, sample.bitPattern & 0x7FFF_FFFF) }
    guard largest > loudest.bitPattern, let index = samples.firstIndex(where: { !($0.magnitude <= loudest) }) else {
        return
    }
    let (sample, seconds) = (samples[index], Double(start + index) / Double(sampleRate))
    throw sample.isFinite
        ? AudioError.tooLoud(path: path, seconds: seconds, value: sample)
        : AudioError.nonFinite(path: path, seconds: seconds)
}

func requireFinite(
    _ samples: [Float], upTo loudest: Float = .greatestFiniteMagnitude, from start: Int, sampleRate: Int, path: String
) throws {
    try samples.withUnsafeBufferPointer {
        try requireFinite($0, upTo: loudest, from: start, sampleRate: sampleRate, path: path)
    }
}
