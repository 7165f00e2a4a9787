import CSndfile

/// Writes mono audio to a WAV, FLAC or OGG (Vorbis) file, chosen by the extension, chunk by chunk.
///
/// The file appears under its name only when `finish` returns; a failure, or dropping the writer before that, leaves
/// nothing behind and an earlier file of that name as it was.
public final class AudioWriter: SampleSink {
    /// How samples are stored in a WAV or FLAC file. OGG has no use for it, and `float32` is of WAV alone.
    public enum Encoding: String, Sendable, CaseIterable {
        /// 16-bit integers; samples outside -1...1 are clipped.
        case pcm16
        /// 32-bit floats as they are; WAV only.
        case float32
    }

    public let path: String
    public let sampleRate: Int
    public let encoding: Encoding
    /// The count of samples written so far.
    public private(set) var frames = 0

    private let output: OutputFile
    /// Nil once closed.
    private var file: OpaquePointer?
    /// Why the file was given up.
    private var failure: AudioError?
    private let container: Container

    private enum Container { case wav, flac, ogg }

    /// - Throws: ``AudioError``.
    public init(path: String, sampleRate: Int, encoding: Encoding = .pcm16) throws {
        self.path = path
        self.sampleRate = sampleRate
        self.encoding = encoding
        let name = path.split(separator: "/").last ?? ""
        let ending = name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() }
        let format: Int
        switch (ending, encoding) {
        case ("wav", .pcm16), ("wave", .pcm16): (container, format) = (.wav, SF_FORMAT_WAV | SF_FORMAT_PCM_16)
        case ("wav", .float32), ("wave", .float32): (container, format) = (.wav, SF_FORMAT_WAV | SF_FORMAT_FLOAT)
        case ("flac", .pcm16): (container, format) = (.flac, SF_FORMAT_FLAC | SF_FORMAT_PCM_16)
        case ("flac", .float32):
            throw AudioError.unsupportedFormat(path: path, reason: "FLAC holds integers, not 32-bit floats")
        case ("ogg", .float32), ("oga", .float32):
            throw AudioError.unsupportedFormat(path: path, reason: "Vorbis is lossy: only WAV holds 32-bit floats")
        case ("ogg", .pcm16), ("oga", .pcm16): (container, format) = (.ogg, SF_FORMAT_OGG | SF_FORMAT_VORBIS)
        default:
            throw AudioError.unsupportedFormat(
                path: path, reason: ending.map { "no encoder for .\($0)" } ?? "the name has no extension")
        }
        guard SampleRate.supported.contains(sampleRate) else {
            throw AudioError.unsupportedRate(path: path, rate: sampleRate)
        }
        // The encoders of libsndfile refuse these only at the first write, and without saying why.
        let isRatePossible =
            switch container {
            case .wav: true
            case .flac: SampleRate.isPossibleInFLAC(sampleRate)
            case .ogg: sampleRate <= 200_000
            }
        guard isRatePossible else {
            throw AudioError.unsupportedFormat(path: path, reason: "the format cannot state \(sampleRate) Hz")
        }
        output = try OutputFile(path: path)
        var info = SF_INFO()
        info.samplerate = Int32(sampleRate)
        info.channels = 1
        info.format = Int32(format)
        var calls = outputCalls
        let opened = openSound {
            sf_open_virtual(&calls, Int32(SFM_WRITE), &info, Unmanaged.passUnretained(output).toOpaque())
        }
        file = opened.file
        if file == nil { throw output.failure ?? AudioError.unsupportedFormat(path: path, reason: opened.reason) }
    }

    deinit { if let file { sf_close(file) } }

    public func write(_ samples: [Float]) throws {
        if let failure { throw failure }
        precondition(file != nil, "\(path): written to after finish")
        try requireFinite(samples, from: frames, sampleRate: sampleRate, path: path)
        if container == .wav {
            // RIFF states sizes in 32 bits; leave room for the header.
            let limit = (Int(UInt32.max) - 4096) / (encoding == .pcm16 ? 2 : 4)
            guard frames + samples.count <= limit else {
                throw abandoned(.writeFailed(path: path, reason: "a WAV file ends at 4 GiB; write .flac instead"))
            }
        }
        // Encoders of the library keep a copy of one call's samples on the stack.
        let block = 4096
        for start in stride(from: 0, to: samples.count, by: block) {
            let chunk = samples[start..<min(start + block, samples.count)]
            let count =
                container != .ogg && encoding == .pcm16
                ? chunk.map { Int16(clipping: $0) }.withUnsafeBufferPointer {
                    sf_writef_short(file, $0.baseAddress, sf_count_t($0.count))
                }
                : chunk.withUnsafeBufferPointer { sf_writef_float(file, $0.baseAddress, sf_count_t($0.count)) }
            guard Int(count) == chunk.count, output.failure == nil else {
                throw abandoned(.writeFailed(path: path, reason: libraryMessage(sf_strerror(file))))
            }
        }
        frames += samples.count
    }

    public func finish() throws {
        if let failure { throw failure }
        guard let file else { return }
        self.file = nil
        let code = sf_close(file)
        guard code == 0 else {
            throw abandoned(.writeFailed(path: path, reason: libraryMessage(sf_error_number(code))))
        }
        do {
            try output.commit()
        } catch let error as AudioError {
            throw abandoned(error)
        }
    }

    /// Gives the file up; returns the system's reason if there is one, else the encoder's.
    private func abandoned(_ encoderError: AudioError) -> AudioError {
        if let file { sf_close(file) }
        file = nil
        output.discard()
        let error = output.failure ?? encoderError
        failure = error
        return error
    }
}

/// libsndfile's calls for input and output on an `OutputFile`, which the user pointer borrows from the writer.
private let outputCalls = SF_VIRTUAL_IO(
    get_filelen: { sf_count_t(outputFile($0).length) },
    seek: { offset, whence, user in
        let file = outputFile(user)
        guard let place = seekTarget(Int(offset), whence, position: file.position, length: file.length) else {
            return -1
        }
        file.position = place
        return sf_count_t(file.position)
    },
    read: { _, _, _ in 0 },
    write: { bytes, count, user in
        sf_count_t(outputFile(user).write(UnsafeRawBufferPointer(start: bytes, count: Int(count))))
    },
    tell: { sf_count_t(outputFile($0).position) })

private func outputFile(_ user: UnsafeMutableRawPointer?) -> OutputFile {
    Unmanaged<OutputFile>.fromOpaque(user!).takeUnretainedValue()
}
