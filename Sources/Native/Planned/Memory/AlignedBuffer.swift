#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Memory of a fixed size on a cache line's boundary, zero at first.
///
/// `@unchecked Sendable`: a buffer of constants is written before a plan holds it and only read afterwards; an arena is
/// owned by one run at a time.
public final class AlignedBuffer: @unchecked Sendable {
    static let alignment = 64
    public let pointer: UnsafeMutableRawPointer
    public let byteCount: Int

    public init(byteCount: Int) {
        self.byteCount = byteCount
        pointer = .allocate(byteCount: max(1, byteCount), alignment: Self.alignment)
        memset(pointer, 0, max(1, byteCount))
    }

    deinit { pointer.deallocate() }
}
