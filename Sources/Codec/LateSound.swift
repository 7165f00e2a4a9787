public import Tokenizer

/// Where in its stream the sound of a decoder lies that gives each frame some frames after its code: a stream's first samples are of
/// what was before it, and for its last frames the last code is told again.
public struct LateSound: Sendable {
    private let delay: Int
    /// Samples to come that are of what was before the stream.
    private var before: Int
    private var last: TokenFrames?

    public init(_ configuration: Alpha.Configuration) {
        delay = configuration.decoderDelay ?? 0
        before = configuration.delaySamples
    }

    /// Frames that the decoder is told next.
    public mutating func tell(_ frames: TokenFrames) {
        if delay > 0 && !frames.isEmpty { last = frames[frames.count - 1..<frames.count] }
    }

    /// What of the decoder's next samples is of the stream.
    public mutating func heard(_ samples: [Float]) -> [Float] {
        guard before > 0 else { return samples }
        let dropped = min(before, samples.count)
        before -= dropped
        return Array(samples[dropped...])
    }

    /// Frames to decode at the stream's end, if any; once.
    public mutating func end() -> TokenFrames? {
        guard let last else { return nil }
        self.last = nil
        return TokenFrames(
            codes: (0..<delay).flatMap { _ in last.codes }, levelCount: last.levelCount)
    }
}
