import CSoxr

/// Changes the sample rate of a mono signal chunk by chunk, with the SoX resampler at its high quality (20 bits, linear
/// phase).
///
/// The output does not depend on how the input is cut into chunks, is not delayed against it, and has exactly
/// `round(inputCount · outputRate / inputRate)` samples once `finish` has been called.
public final class StreamingResampler {
    public let inputRate: Int
    public let outputRate: Int

    /// Nil when the rates are equal.
    private let resampler: OpaquePointer?
    private var received = 0
    private var returned = 0

    /// - Throws: ``AudioError`` when the library cannot convert between these rates.
    public init(from inputRate: Int, to outputRate: Int) throws {
        self.inputRate = inputRate
        self.outputRate = outputRate
        for rate in [inputRate, outputRate] where !SampleRate.supported.contains(rate) {
            throw AudioError.resamplingFailed(
                from: inputRate, to: outputRate, reason: "\(rate) Hz is outside \(SampleRate.supported)")
        }
        guard inputRate != outputRate else {
            resampler = nil
            return
        }
        var failure: soxr_error_t?
        // Nil specifications are the library's defaults: one thread, 32-bit float, SOXR_HQ.
        resampler = soxr_create(Double(inputRate), Double(outputRate), 1, &failure, nil, nil, nil)
        if resampler == nil || failure != nil { throw error(failure) }
    }

    deinit { soxr_delete(resampler) }

    /// Takes the next samples of the input and returns those of the output that they complete, possibly none.
    public func push(_ chunk: [Float]) throws -> [Float] {
        received += chunk.count
        guard resampler != nil else {
            returned += chunk.count
            return chunk
        }
        let output = try chunk.withUnsafeBufferPointer { try process($0) }
        returned += output.count
        return output
    }

    /// Returns the rest of the output, and makes the resampler ready for another signal.
    public func finish() throws -> [Float] {
        defer {
            received = 0
            returned = 0
        }
        guard let resampler else { return [] }
        let owed = (received * outputRate * 2 + inputRate) / (inputRate * 2) - returned
        var tail = received > 0 ? try process(nil) : []
        if let failure = soxr_clear(resampler) { throw error(failure) }
        // The library rounds the length in its own way, off by a sample at worst.
        if tail.count < owed { tail += [Float](repeating: 0, count: owed - tail.count) }
        return Array(tail.prefix(max(owed, 0)))
    }

    /// Runs the library until it has consumed `input` and has no more to give; nil flushes it.
    private func process(_ input: UnsafeBufferPointer<Float>?) throws -> [Float] {
        let count = input?.count ?? 0
        let block = min(1 << 16, max(256, count * outputRate / inputRate + 1))
        var output: [Float] = []
        var consumed = 0
        var failure: soxr_error_t?
        while true {
            var taken = 0
            var produced = 0
            output += [Float](unsafeUninitializedCapacity: block) { buffer, initialized in
                failure = soxr_process(
                    resampler, input?.baseAddress.map { $0 + consumed }, count - consumed, &taken,
                    buffer.baseAddress, block, &produced)
                initialized = produced
            }
            if let failure { throw error(failure) }
            consumed += taken
            if consumed == count && produced < block { return output }
        }
    }

    private func error(_ failure: soxr_error_t?) -> AudioError {
        .resamplingFailed(
            from: inputRate, to: outputRate, reason: failure.map { String(cString: $0) } ?? "out of memory")
    }
}
