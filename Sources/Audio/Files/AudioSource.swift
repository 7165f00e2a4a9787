/// Mono samples of any input at the rate that a model wants, chunk by chunk.
public final class AudioSource: SampleStream {
    /// The rate of the samples that `read` gives, in Hz.
    public let sampleRate: Int
    public let expectedFrames: Int?

    private let input: any SampleStream
    private let resampler: StreamingResampler
    /// Resampled and not read yet: everything from `pendingStart`.
    private var pending: [Float] = []
    private var pendingStart = 0
    private var isFinished = false

    /// Resamples another stream to `sampleRate`.
    ///
    /// - Throws: ``AudioError``.
    public init(_ input: any SampleStream, sampleRate: Int) throws {
        self.input = input
        self.sampleRate = sampleRate
        resampler = try StreamingResampler(from: input.sampleRate, to: sampleRate)
        expectedFrames = input.expectedFrames.map {
            Int((Double($0) * Double(sampleRate) / Double(input.sampleRate)).rounded())
        }
    }

    /// Reads a sound file, or standard input when `path` is `-`, at `sampleRate`, or at its own rate when that
    /// is nil.
    ///
    /// - Throws: ``AudioError``.
    public convenience init(path: String, sampleRate: Int? = nil) throws {
        let reader = try AudioReader(path: path)
        try self.init(reader, sampleRate: sampleRate ?? reader.sampleRate)
    }

    public func read(maximumFrames: Int) throws -> [Float] {
        // As much input as makes one chunk of output, so a live stream is not held up for more than that.
        let request = max(1, (maximumFrames * input.sampleRate + sampleRate - 1) / sampleRate)
        while pendingStart == pending.count {
            if isFinished { return [] }
            let chunk = try input.read(maximumFrames: request)
            isFinished = chunk.isEmpty
            pending = try isFinished ? resampler.finish() : resampler.push(chunk)
            pendingStart = 0
        }
        let end = min(pending.count, pendingStart + maximumFrames)
        defer { pendingStart = end }
        return Array(pending[pendingStart..<end])
    }
}
