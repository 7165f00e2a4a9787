import CSndfile

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A sound file in memory, which libsndfile reads and writes as it does one on a disk.
///
/// A handle of the library borrows it: whoever holds the handle holds this too.
final class MemoryFile {
    private(set) var contents: [UInt8]
    private var position = 0

    init(_ contents: [UInt8] = []) { self.contents = contents }

    private func read(into target: UnsafeMutableRawPointer, count: Int) -> Int {
        let available = max(0, min(count, contents.count - position))
        contents.withUnsafeBytes { source in
            if available > 0 { memcpy(target, source.baseAddress! + position, available) }
        }
        position += available
        return available
    }

    private func write(_ bytes: UnsafeRawBufferPointer) {
        if position > contents.count {
            contents += [UInt8](repeating: 0, count: position - contents.count)
        }
        let end = min(contents.count, position + bytes.count)
        contents.replaceSubrange(position..<end, with: bytes)
        position += bytes.count
    }

    private func seek(_ offset: Int, _ whence: Int32) -> Int {
        guard let place = seekTarget(offset, whence, position: position, length: contents.count) else { return -1 }
        position = place
        return place
    }

    /// libsndfile's calls, whose user pointer is an unretained `MemoryFile`.
    static let calls = SF_VIRTUAL_IO(
        get_filelen: { sf_count_t(memoryFile($0).contents.count) },
        seek: { sf_count_t(memoryFile($2).seek(Int($0), $1)) },
        read: { sf_count_t(memoryFile($2).read(into: $0!, count: Int($1))) },
        write: { bytes, count, user in
            memoryFile(user).write(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
            return count
        },
        tell: { sf_count_t(memoryFile($0).position) })
}

/// Where a seek leads, not before the beginning; `nil` beyond all numbers, which a hostile file's sizes may ask for.
func seekTarget(_ offset: Int, _ whence: Int32, position: Int, length: Int) -> Int? {
    let base =
        switch Int(whence) {
        case SF_SEEK_CUR: position
        case SF_SEEK_END: length
        default: 0
        }
    let (place, overflows) = base.addingReportingOverflow(offset)
    return overflows ? nil : max(0, place)
}

private func memoryFile(_ user: UnsafeMutableRawPointer?) -> MemoryFile {
    Unmanaged<MemoryFile>.fromOpaque(user!).takeUnretainedValue()
}

extension Waveform {
    /// A 16-bit FLAC file in memory; samples outside -1...1 are clipped.
    ///
    /// - Throws: ``AudioError``.
    public func flacFile(name: String = "clip.flac") throws -> [UInt8] {
        try requireFinite(samples, from: 0, sampleRate: sampleRate, path: name)
        guard SampleRate.isPossibleInFLAC(sampleRate) else {
            throw AudioError.unsupportedFormat(path: name, reason: "the format cannot state \(sampleRate) Hz")
        }
        var info = SF_INFO()
        info.samplerate = Int32(sampleRate)
        info.channels = 1
        info.format = Int32(SF_FORMAT_FLAC | SF_FORMAT_PCM_16)
        let memory = MemoryFile()
        var calls = MemoryFile.calls
        return try withExtendedLifetime(memory) {
            let opened = openSound {
                sf_open_virtual(&calls, Int32(SFM_WRITE), &info, Unmanaged.passUnretained(memory).toOpaque())
            }
            guard let file = opened.file else {
                throw AudioError.unsupportedFormat(path: name, reason: opened.reason)
            }
            // Encoders of the library keep a copy of one call's samples on the stack.
            for start in stride(from: 0, to: samples.count, by: 4096) {
                let chunk = samples[start..<min(start + 4096, samples.count)].map { Int16(clipping: $0) }
                guard sf_writef_short(file, chunk, sf_count_t(chunk.count)) == sf_count_t(chunk.count) else {
                    let reason = libraryMessage(sf_strerror(file))
                    sf_close(file)
                    throw AudioError.writeFailed(path: name, reason: reason)
                }
            }
            guard sf_close(file) == 0 else {
                throw AudioError.writeFailed(path: name, reason: "it cannot be completed")
            }
            return memory.contents
        }
    }
}
