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
    /// What it is a part of, and is freed with.
    private let whole: PackedMemory.Block?

    public init(byteCount: Int, cleared: Bool = true) {
        self.byteCount = byteCount
        whole = nil
        pointer = .allocate(byteCount: max(1, byteCount), alignment: Self.alignment)
        if cleared { memset(pointer, 0, max(1, byteCount)) }
    }

    /// A part of a block, not cleared.
    init(_ pointer: UnsafeMutableRawPointer, byteCount: Int, of whole: PackedMemory.Block) {
        self.pointer = pointer
        self.byteCount = byteCount
        self.whole = whole
    }

    deinit {
        if whole == nil { pointer.deallocate() }
    }
}
