import CSoxr

/// The SoX resampler at its high quality (20 bits, linear phase), writing to memory of which the length is known.
///
/// The input is given in pieces of a few thousand samples: the library copies what it is given from stage to stage, which a
/// cache holds then.
private struct Resampler: ~Copyable {
    /// Samples of a piece, of which the library makes a third less time than of a whole utterance.
    static let piece = 1 << 12

    private let handle: OpaquePointer
    private let inputRate: Double
    private let outputRate: Double
    private let output: UnsafeMutableBufferPointer<Float>
    private(set) var produced = 0

    /// How many samples become of `count`.
    static func length(_ count: Int, from inputRate: Double, to outputRate: Double) -> Int {
        Int((Double(count) * outputRate / inputRate).rounded())
    }

    /// - Throws: ``AudioError`` when the library cannot convert between these rates.
    init(from inputRate: Double, to outputRate: Double, into output: UnsafeMutableBufferPointer<Float>) throws {
        (self.inputRate, self.outputRate, self.output) = (inputRate, outputRate, output)
        var error: soxr_error_t?
        // Nil specifications are the library's defaults: one thread, 32-bit float, SOXR_HQ.
        guard let handle = soxr_create(inputRate, outputRate, 1, &error, nil, nil, nil), error == nil else {
            throw Self.failure(error, inputRate, outputRate)
        }
        self.handle = handle
    }

    deinit { soxr_delete(handle) }

    private static func failure(_ error: soxr_error_t?, _ inputRate: Double, _ outputRate: Double) -> AudioError {
        .resamplingFailed(
            from: Int(inputRate.rounded()), to: Int(outputRate.rounded()),
            reason: error.map { String(cString: $0) } ?? "out of memory")
    }

    mutating func take(_ input: UnsafeBufferPointer<Float>) throws {
        var start = 0
        // The library's rounding may leave a last sample without a place.
        while start < input.count, produced < output.count {
            let count = min(Self.piece, input.count - start)
            let taken = try process(input.baseAddress.map { $0 + start }, count)
            if taken == 0 { return }
            start += taken
        }
    }

    /// Writes the rest of the output.
    mutating func finish() throws {
        if produced < output.count { _ = try process(nil, 0) }
        // The library rounds the length in its own way, off by a sample at worst.
        while produced < output.count {
            output.initializeElement(at: produced, to: 0)
            produced += 1
        }
    }

    private mutating func process(_ input: UnsafePointer<Float>?, _ count: Int) throws -> Int {
        var (taken, made) = (0, 0)
        let error = soxr_process(
            handle, input, count, &taken, output.baseAddress.map { $0 + produced }, output.count - produced, &made)
        produced += made
        if let error { throw Self.failure(error, inputRate, outputRate) }
        return taken
    }
}

/// A whole signal at another rate: what ``StreamingResampler`` gives, with fewer copies.
///
/// - Parameters:
///   - inputRate: need not be whole: speech played `f` times as fast is speech of `f` times the rate.
/// - Returns: `round(count · outputRate / inputRate)` samples.
/// - Throws: ``AudioError`` when the library cannot convert between these rates.
public func resample(_ samples: [Float], from inputRate: Double, to outputRate: Double) throws -> [Float] {
    if inputRate == outputRate || samples.isEmpty { return samples }
    let count = Resampler.length(samples.count, from: inputRate, to: outputRate)
    return try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
        var resampler = try Resampler(
            from: inputRate, to: outputRate, into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
        defer { initialized = resampler.produced }
        try samples.withUnsafeBufferPointer { try resampler.take($0) }
        try resampler.finish()
    }
}

extension AudioReader {
    /// Everything from `position` to the end at another rate: what `resample` makes of what `readAll(limit:)` gives, without
    /// ever holding the latter.
    ///
    /// - Parameters:
    ///   - limit: the most frames of the file that are wanted.
    ///   - inputRate: what the file's rate is taken for.
    /// - Throws: ``AudioError``.
    public func readAll(limit: Int, from inputRate: Double, to outputRate: Double) throws -> [Float] {
        guard inputRate != outputRate, let framesLeft, framesLeft > 0 else {
            return try resample(try readAll(limit: limit), from: inputRate, to: outputRate)
        }
        try requireLength(framesLeft, atMost: limit)
        let count = Resampler.length(framesLeft, from: inputRate, to: outputRate)
        let capacity = Resampler.piece * channels
        return try withUnsafeTemporaryAllocation(of: Float.self, capacity: capacity) { piece in
            try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
                var resampler = try Resampler(
                    from: inputRate, to: outputRate, into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
                defer { initialized = resampler.produced }
                while case let samples = try read(into: piece), !samples.isEmpty { try resampler.take(samples) }
                try resampler.finish()
            }
        }
    }
}

extension Waveform {
    /// The same sound at another rate.
    ///
    /// - Throws: ``AudioError``.
    public func resampled(to rate: Int) throws -> Waveform {
        Waveform(
            samples: try resample(samples, from: Double(sampleRate), to: Double(rate)), sampleRate: rate)
    }

    /// The same sound without what is above a frequency, as a recording at twice that rate would have lost it.
    ///
    /// - Parameter frequency: in Hz.
    /// - Throws: ``AudioError``.
    public func bandLimited(to frequency: Double) throws -> Waveform {
        guard frequency < Double(sampleRate) / 2 else { return self }
        let low = try resample(samples, from: Double(sampleRate), to: 2 * frequency)
        var back = try resample(low, from: 2 * frequency, to: Double(sampleRate))
        // Each way rounds the length.
        while back.count < samples.count { back.append(0) }
        return Waveform(samples: Array(back.prefix(samples.count)), sampleRate: sampleRate)
    }
}
