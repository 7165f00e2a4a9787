import CSoxr

/// A whole signal at another rate, with the SoX resampler at its high quality (20 bits, linear phase): what
/// ``StreamingResampler`` gives, with fewer copies.
///
/// - Parameters:
///   - inputRate: need not be whole: speech played `f` times as fast is speech of `f` times the rate.
/// - Returns: `round(count · outputRate / inputRate)` samples.
/// - Throws: ``AudioError`` when the library cannot convert between these rates.
public func resample(_ samples: [Float], from inputRate: Double, to outputRate: Double) throws -> [Float] {
    if inputRate == outputRate || samples.isEmpty { return samples }
    func failure(_ error: soxr_error_t?) -> AudioError {
        .resamplingFailed(
            from: Int(inputRate.rounded()), to: Int(outputRate.rounded()),
            reason: error.map { String(cString: $0) } ?? "out of memory")
    }
    var error: soxr_error_t?
    // Nil specifications are the library's defaults: one thread, 32-bit float, SOXR_HQ.
    guard let resampler = soxr_create(inputRate, outputRate, 1, &error, nil, nil, nil), error == nil else {
        throw failure(error)
    }
    defer { soxr_delete(resampler) }
    let count = Int((Double(samples.count) * outputRate / inputRate).rounded())
    let output = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
        guard let base = buffer.baseAddress else { return }
        var (taken, produced) = (0, 0)
        error = soxr_process(resampler, samples, samples.count, &taken, base, count, &produced)
        initialized = produced
        if error == nil, produced < count {
            error = soxr_process(resampler, nil, 0, nil, base + produced, count - produced, &produced)
            initialized += produced
        }
        // The library rounds the length in its own way, off by a sample at worst.
        while initialized < count {
            (base + initialized).initialize(to: 0)
            initialized += 1
        }
    }
    if let error { throw failure(error) }
    return output
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
