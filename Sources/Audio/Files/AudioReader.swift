import CSndfile

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Reads a sound file (WAV, FLAC, OGG, Opus, MP3, AIFF, …) as mono, chunk by chunk, in bounded memory.
///
/// Channels are averaged. Samples of integer formats are scaled to -1..<1; those of floating-point formats pass as they
/// are, and a NaN or an infinity is an error.
public final class AudioReader: SampleStream {
    /// More than any microphone array in the corpora of the field, and few enough to bound a chunk's memory.
    public static let maximumChannels = 64

    /// `-` is standard input.
    public let path: String
    public let sampleRate: Int
    public let channels: Int
    /// The length that the header states, in frames: exact but for MP3; nil when it does not (a pipe).
    public let frames: Int?
    /// The next frame to be read.
    public private(set) var position = 0

    public var expectedFrames: Int? { frames }

    private let file: OpaquePointer
    private let statedExactly: Bool
    private var interleaved: [Float] = []

    /// Opens `path`, or standard input when it is `-`. A pipe can carry WAV or MP3; other formats need a file to
    /// seek in.
    ///
    /// - Throws: ``AudioError``.
    public init(path: String) throws {
        let isStandardInput = path == "-"
        let descriptor = isStandardInput ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw AudioError.cannotOpen(path: path, reason: systemMessage(errno)) }
        var isOwned = !isStandardInput
        defer { if isOwned { close(descriptor) } }

        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw AudioError.cannotOpen(path: path, reason: systemMessage(errno))
        }
        let kind = status.st_mode & S_IFMT
        if kind == S_IFDIR { throw AudioError.cannotOpen(path: path, reason: "it is a folder") }
        let isFile = kind == S_IFREG
        if isFile && status.st_size == 0 { throw AudioError.empty(path: path) }

        var info = SF_INFO()
        // libsndfile closes the descriptor from here on, also when it fails.
        isOwned = false
        guard let file = sf_open_fd(descriptor, Int32(SFM_READ), &info, isStandardInput ? 0 : 1) else {
            let reason = String(cString: sf_strerror(nil))
            throw AudioError.notAudio(
                path: path, reason: isFile ? reason : "\(reason) Through a pipe only WAV and MP3 can be read")
        }
        do {
            let rate = Int(info.samplerate)
            guard SampleRate.supported.contains(rate) else {
                throw AudioError.unsupportedRate(path: path, rate: rate)
            }
            guard info.channels <= Self.maximumChannels else {
                throw AudioError.tooManyChannels(path: path, channels: Int(info.channels))
            }
            if isFile {
                guard info.frames > 0 else { throw AudioError.empty(path: path) }
                // libsndfile quietly shortens a WAV whose data chunk is longer than the file.
                if let missing = missingWAVFrames(descriptor, fileSize: Int(status.st_size)) {
                    throw AudioError.truncated(
                        path: path, stated: Double(Int(info.frames) + missing) / Double(rate),
                        found: Double(info.frames) / Double(rate))
                }
            }
        } catch {
            sf_close(file)
            throw error
        }
        self.path = path
        self.file = file
        sampleRate = Int(info.samplerate)
        channels = Int(info.channels)
        // A stream of unknown length has SF_COUNT_MAX frames, and a damaged header may state any other absurdity.
        frames = isFile && info.frames < 1 << 48 ? Int(info.frames) : nil
        statedExactly = frames != nil && (Int(info.format) & SF_FORMAT_TYPEMASK) != SF_FORMAT_MPEG
    }

    deinit { sf_close(file) }

    /// Moves to a frame, so that the next `read` starts there. Pipes cannot seek.
    ///
    /// - Throws: ``AudioError``.
    public func seek(toFrame frame: Int) throws {
        guard sf_seek(file, sf_count_t(frame), SEEK_SET) == sf_count_t(frame) else {
            throw AudioError.corrupt(
                path: path, seconds: Double(frame) / Double(sampleRate), reason: "cannot seek there")
        }
        position = frame
    }

    public func read(maximumFrames: Int) throws -> [Float] {
        precondition(maximumFrames > 0, "a read asks for at least one frame, not \(maximumFrames)")
        let request = min(maximumFrames, Self.largestChunk)
        if interleaved.count < request * channels {
            interleaved = [Float](repeating: 0, count: request * channels)
        }
        let count = interleaved.withUnsafeMutableBufferPointer {
            Int(sf_readf_float(file, $0.baseAddress, sf_count_t(request)))
        }
        let start = position
        position += max(count, 0)
        guard count > 0 else {
            try checkEnd()
            return []
        }
        let samples = mixedDown(interleaved[..<(count * channels)], channels: channels)
        try requireFinite(samples, from: start, sampleRate: sampleRate, path: path)
        return samples
    }

    /// Bounds the memory of one read whatever the caller asks for.
    private static let largestChunk = 1 << 16

    private func checkEnd() throws {
        let seconds = Double(position) / Double(sampleRate)
        if sf_error(file) != SF_ERR_NO_ERROR {
            throw AudioError.corrupt(path: path, seconds: seconds, reason: String(cString: sf_strerror(file)))
        }
        if statedExactly, let frames, position < frames {
            throw AudioError.truncated(path: path, stated: Double(frames) / Double(sampleRate), found: seconds)
        }
        if position == 0 { throw AudioError.empty(path: path) }
    }
}

/// The frames that the data chunk of a RIFF file states beyond the file's end; nil for whole files and other formats.
private func missingWAVFrames(_ descriptor: Int32, fileSize: Int) -> Int? {
    func bytes(at offset: Int, count: Int) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: count)
        return pread(descriptor, &buffer, count, off_t(offset)) == count ? buffer : nil
    }
    func word(_ bytes: [UInt8], _ offset: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }
    guard let riff = bytes(at: 0, count: 12), riff[0..<4].elementsEqual("RIFF".utf8),
        riff[8..<12].elementsEqual("WAVE".utf8)
    else { return nil }
    var offset = 12
    var bytesPerFrame = 0
    // Real files have a handful of chunks; the limit keeps a hostile one from costing time.
    for _ in 0..<1024 {
        guard let header = bytes(at: offset, count: 8) else { return nil }
        let size = word(header, 4)
        if header[0..<4].elementsEqual("fmt ".utf8), let format = bytes(at: offset + 8, count: 14) {
            bytesPerFrame = Int(format[12]) | Int(format[13]) << 8
        }
        if header[0..<4].elementsEqual("data".utf8) {
            // Programs that write WAV into a pipe cannot know the length, and put a huge one.
            let isPlaceholder = size >= 0x7FFF_0000
            let missing = offset + 8 + size - fileSize
            return missing > 0 && !isPlaceholder && bytesPerFrame > 0 ? max(1, missing / bytesPerFrame) : nil
        }
        offset += 8 + size + size & 1
    }
    return nil
}
