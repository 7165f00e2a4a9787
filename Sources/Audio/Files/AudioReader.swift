import CSndfile
import Synchronization

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
    /// The length that the header states, in frames: exact but for MP3; nil when it does not, as in most pipes.
    public let frames: Int?
    /// The next frame to be read.
    public private(set) var position = 0

    public var expectedFrames: Int? { frames }

    private let file: OpaquePointer
    private let statedExactly: Bool
    /// Where Ogg comes through, to see whether anything follows its first stream.
    private let oggPipe: Int32?
    private var interleaved: [Float] = []
    /// What libsndfile reads from, where that is no descriptor; it borrows this.
    private let memory: MemoryFile?

    /// Opens `path`, or standard input when it is `-`. A pipe can carry WAV, MP3, Ogg or Opus; FLAC, AIFF and
    /// others need a file to seek in.
    ///
    /// - Throws: ``AudioError``.
    public convenience init(path: String) throws {
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
        // Nobody else is to wait for what arrives through a pipe.
        let opened = openSound(alone: isFile) {
            sf_open_fd(descriptor, Int32(SFM_READ), &info, isStandardInput ? 0 : 1)
        }
        guard let file = opened.file else {
            let reason = opened.reason
            throw AudioError.notAudio(
                path: path,
                reason: isFile ? reason : "\(reason); FLAC and AIFF cannot be read through a pipe: give the file's path"
            )
        }
        func bytes(_ offset: Int, _ count: Int) -> [UInt8]? {
            var buffer = [UInt8](repeating: 0, count: count)
            return pread(descriptor, &buffer, count, off_t(offset)) == count ? buffer : nil
        }
        try self.init(
            file, info, path: path, pipe: isFile ? nil : descriptor,
            statedShare: isFile ? statedShare(fileSize: Int(status.st_size), bytes) : nil,
            isChained: isFile && isChainedOgg(bytes), memory: nil)
    }

    /// Reads the contents of a sound file that is in memory; `name` stands for it in errors.
    ///
    /// - Throws: ``AudioError``.
    public convenience init(contents: [UInt8], name: String) throws {
        guard !contents.isEmpty else { throw AudioError.empty(path: name) }
        let memory = MemoryFile(contents)
        var info = SF_INFO()
        var calls = MemoryFile.calls
        let opened = openSound {
            sf_open_virtual(&calls, Int32(SFM_READ), &info, Unmanaged.passUnretained(memory).toOpaque())
        }
        guard let file = opened.file else { throw AudioError.notAudio(path: name, reason: opened.reason) }
        func bytes(_ offset: Int, _ count: Int) -> [UInt8]? {
            offset >= 0 && offset <= contents.count - count ? Array(contents[offset..<(offset + count)]) : nil
        }
        try self.init(
            file, info, path: name, pipe: nil, statedShare: statedShare(fileSize: contents.count, bytes),
            isChained: isChainedOgg(bytes), memory: memory)
    }

    /// Takes over `file`, and closes it where it is refused.
    private init(
        _ file: OpaquePointer, _ info: SF_INFO, path: String, pipe: Int32?, statedShare: Double?, isChained: Bool,
        memory: MemoryFile?
    ) throws {
        let isSeekable = pipe == nil
        do {
            let rate = Int(info.samplerate)
            guard SampleRate.supported.contains(rate) else {
                throw AudioError.unsupportedRate(path: path, rate: rate)
            }
            guard info.channels <= Self.maximumChannels else {
                throw AudioError.tooManyChannels(path: path, channels: Int(info.channels))
            }
            if isChained { throw AudioError.chained(path: path) }
            if isSeekable {
                guard info.frames > 0 else { throw AudioError.empty(path: path) }
                if let statedShare {
                    let found = Double(info.frames) / Double(rate)
                    throw AudioError.truncated(path: path, stated: found * statedShare, found: found)
                }
            }
        } catch {
            sf_close(file)
            throw error
        }
        self.path = path
        self.file = file
        self.memory = memory
        sampleRate = Int(info.samplerate)
        channels = Int(info.channels)
        // A stream of unknown length has SF_COUNT_MAX frames, and a damaged header may state any other absurdity.
        let isStated = isSeekable ? info.frames < 1 << 48 : pipeStatesLength(info)
        frames = isStated ? Int(info.frames) : nil
        let kind = Int(info.format) & SF_FORMAT_TYPEMASK
        statedExactly = frames != nil && kind != SF_FORMAT_MPEG
        oggPipe = kind == SF_FORMAT_OGG ? pipe : nil
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
        return try interleaved.withUnsafeMutableBufferPointer { buffer in
            Array(try read(into: UnsafeMutableBufferPointer(rebasing: buffer[..<(request * channels)])))
        }
    }

    /// The next samples, at the beginning of `buffer`, which holds them with all their channels first; none at the end.
    func read(into buffer: UnsafeMutableBufferPointer<Float>) throws -> UnsafeBufferPointer<Float> {
        let count = max(0, Int(sf_readf_float(file, buffer.baseAddress, sf_count_t(buffer.count / channels))))
        let start = position
        position += count
        guard count > 0 else {
            try checkEnd()
            return UnsafeBufferPointer(rebasing: buffer[..<0])
        }
        mixDown(buffer, frames: count, channels: channels)
        let samples = UnsafeBufferPointer(rebasing: buffer[..<count])
        try requireFinite(samples, upTo: loudestSample, from: start, sampleRate: sampleRate, path: path)
        return samples
    }

    /// The frames that are left, where the header states them truly.
    var framesLeft: Int? { statedExactly ? frames.map { max(0, $0 - position) } : nil }

    /// Everything from `position` to the end, in one piece.
    ///
    /// - Parameter limit: the most frames that are wanted in memory.
    /// - Throws: ``AudioError``; ``AudioError/tooLong(path:seconds:limit:)`` where there are more than `limit`.
    public func readAll(limit: Int) throws -> [Float] {
        if let framesLeft { try requireLength(framesLeft, atMost: limit) }
        if channels == 1, let framesLeft {
            // Straight to where it stays: no mixing, and the length is known.
            let samples = try [Float](unsafeUninitializedCapacity: framesLeft) { buffer, count in
                while count < buffer.count {
                    count += try read(into: UnsafeMutableBufferPointer(rebasing: buffer[count...])).count
                }
            }
            try checkEnd()
            return samples
        }
        var samples: [Float] = []
        while case let chunk = try read(maximumFrames: Self.largestChunk), !chunk.isEmpty {
            samples += chunk
            try requireLength(samples.count, atMost: limit)
        }
        return samples
    }

    /// - Throws: ``AudioError/tooLong(path:seconds:limit:)``.
    func requireLength(_ count: Int, atMost limit: Int) throws {
        guard count > limit else { return }
        throw AudioError.tooLong(
            path: path, seconds: Double(count) / Double(sampleRate), limit: Double(limit) / Double(sampleRate))
    }

    /// Bounds the memory of one read whatever the caller asks for.
    private static let largestChunk = 1 << 16

    /// Throws what there is to say where nothing more can be read.
    func checkEnd() throws {
        let seconds = Double(position) / Double(sampleRate)
        if sf_error(file) != SF_ERR_NO_ERROR {
            throw AudioError.corrupt(path: path, seconds: seconds, reason: libraryMessage(sf_strerror(file)))
        }
        if statedExactly, let frames, position < frames {
            throw AudioError.truncated(path: path, stated: Double(frames) / Double(sampleRate), found: seconds)
        }
        if position == 0 { throw AudioError.empty(path: path) }
        // What libsndfile has taken in already, at most a few kilobytes, is not seen.
        if let oggPipe, hasMore(oggPipe) { throw AudioError.chained(path: path) }
    }
}

/// Whether a pipe's header says how long the sound is: that of a WAV, if whoever wrote it knew.
private func pipeStatesLength(_ info: SF_INFO) -> Bool {
    let kind = Int(info.format) & SF_FORMAT_TYPEMASK
    // The widest samples have eight bytes.
    return (kind == SF_FORMAT_WAV || kind == SF_FORMAT_WAVEX) && info.frames > 0
        && info.frames < placeholderLength / (8 * max(1, Int(info.channels)))
}

private let opening = Mutex(())

/// Opens a sound, or says why that failed.
///
/// - Parameter alone: whether other threads wait meanwhile, lest the reason be theirs: the library keeps it in a variable that
///   all threads share.
func openSound(alone: Bool = true, _ open: () -> OpaquePointer?) -> (file: OpaquePointer?, reason: String) {
    // A pointer of the library's, which no other thread knows yet.
    nonisolated(unsafe) var file: OpaquePointer?
    var reason = ""
    func attempt() {
        file = open()
        if file == nil { reason = libraryMessage(sf_strerror(nil)) }
    }
    if alone { opening.withLock { _ in attempt() } } else { attempt() }
    return (file, reason)
}

/// libsndfile's words, without their full stop.
func libraryMessage(_ text: UnsafePointer<CChar>) -> String {
    let message = String(cString: text)
    return message.hasSuffix(".") ? String(message.dropLast()) : message
}
