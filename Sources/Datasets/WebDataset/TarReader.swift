import CLoaded

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The members of a tar archive one after the other, plain or compressed with gzip or Zstandard; nothing is unpacked to the
/// disk.
///
/// libarchive knows ustar, pax and GNU's extensions and has been fuzzed for years; only its tar reader is enabled.
final class TarReader {
    struct Failure: Error, Hashable {
        let reason: String
        var kind = RecordFailure.Kind.damagedShard
    }

    struct Member {
        let path: String
        let byteCount: Int
    }

    /// More than any recording that fits into memory a batch at a time: 12 minutes of 48 kHz stereo in 32 bits.
    static let maximumMemberBytes = 256 << 20
    /// What gzip and Zstandard make of sound and text is not near it; a bomb is.
    static let maximumRatio = 200

    /// libarchive's AE_IFREG, which is a macro with a cast.
    private static let ordinary: mode_t = 0o100000

    private let archive: OpaquePointer
    private let descriptor: Int32

    init(path: String) throws(Failure) {
        guard loaded_archive() else {
            throw Failure(
                reason: "libarchive cannot be used; is it installed? On Debian it is libarchive13",
                kind: .unreadableFile)
        }
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(reason: String(cString: strerror(errno)), kind: .unreadableFile) }
        guard let archive = loaded_archive_read_new() else {
            close(descriptor)
            throw Failure(reason: "no memory")
        }
        self.archive = archive
        loaded_archive_read_support_format_tar(archive)
        loaded_archive_read_support_filter_gzip(archive)
        loaded_archive_read_support_filter_zstd(archive)
        guard loaded_archive_read_open_fd(archive, descriptor, 256 << 10) == ARCHIVE_OK else { throw failure() }
    }

    deinit {
        loaded_archive_read_free(archive)
        close(descriptor)
    }

    /// The next ordinary file; nil at the end of the archive.
    func next() throws(Failure) -> Member? {
        while true {
            var entry: OpaquePointer?
            let status = loaded_archive_read_next_header(archive, &entry)
            if status == ARCHIVE_EOF { return nil }
            // A warning is about a name or a date, which may be odd.
            guard status == ARCHIVE_OK || status == ARCHIVE_WARN, let entry else { throw failure() }
            try checkExpansion()
            // Links, folders and devices have no place in a dataset, and are never followed or made.
            guard loaded_archive_entry_filetype(entry) == Self.ordinary, loaded_archive_entry_hardlink(entry) == nil
            else {
                continue
            }
            guard let name = loaded_archive_entry_pathname(entry) ?? loaded_archive_entry_pathname_utf8(entry) else {
                throw Failure(reason: "a member without a name")
            }
            let member = Member(path: Self.text(name), byteCount: Int(loaded_archive_entry_size(entry)))
            // To skip it would mean decompressing it, which may take for ever.
            guard member.byteCount <= Self.maximumMemberBytes || !isCompressed else {
                throw Failure(reason: "'\(member.path)' would be \(member.byteCount) bytes", kind: .tooLarge)
            }
            return member
        }
    }

    /// A name as it stands; of one that is not UTF-8, what is not ASCII as `%E9`. Repaired, two names could become one.
    private static func text(_ name: UnsafePointer<CChar>) -> String {
        if let text = String(validatingCString: name) { return text }
        return UnsafeBufferPointer(start: name, count: strlen(name)).reduce(into: "") { text, unit in
            let byte = UInt8(truncatingIfNeeded: unit)
            if byte < 0x80 {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "%\(String(byte, radix: 16, uppercase: true))"
            }
        }
    }

    /// The contents of the member that `next` gave last.
    func contents(of member: Member) throws(Failure) -> [UInt8] {
        guard member.byteCount <= Self.maximumMemberBytes else {
            throw Failure(reason: "'\(member.path)' is of \(member.byteCount) bytes", kind: .tooLarge)
        }
        // Grows with what is there, and not at once to what the header announces.
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(member.byteCount, 4 << 20))
        while bytes.count < member.byteCount {
            var (block, count, offset): (UnsafeRawPointer?, Int, la_int64_t) = (nil, 0, 0)
            let status = loaded_archive_read_data_block(archive, &block, &count, &offset)
            if status == ARCHIVE_EOF { break }
            guard status == ARCHIVE_OK || status == ARCHIVE_WARN else { throw failure() }
            guard Int(offset) >= bytes.count, Int(offset) + count <= member.byteCount else {
                throw Failure(reason: "'\(member.path)' is not laid out as it says")
            }
            // A hole of a sparse file.
            bytes.append(contentsOf: repeatElement(0, count: Int(offset) - bytes.count))
            bytes.append(contentsOf: UnsafeRawBufferPointer(start: block, count: count))
            try checkExpansion()
        }
        guard bytes.count == member.byteCount else {
            throw Failure(reason: "'\(member.path)' ends after \(bytes.count) of \(member.byteCount) bytes")
        }
        return bytes
    }

    private var isCompressed: Bool { loaded_archive_filter_count(archive) > 1 }

    private func checkExpansion() throws(Failure) {
        guard isCompressed else { return }
        let (expanded, compressed) = (loaded_archive_filter_bytes(archive, 0), loaded_archive_filter_bytes(archive, -1))
        guard expanded / la_int64_t(Self.maximumRatio) <= compressed + 1 << 20 else {
            throw Failure(reason: "\(compressed) bytes have become \(expanded)", kind: .tooLarge)
        }
    }

    private func failure() -> Failure {
        Failure(reason: loaded_archive_error_string(archive).map { String(cString: $0) } ?? "it is not a tar archive")
    }
}
