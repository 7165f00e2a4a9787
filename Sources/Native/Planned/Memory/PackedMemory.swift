internal import CKernels

/// Where a model's packed weights lie: one block on huge pages, given out from its front to its end.
///
/// A frame of a stream reads all weights from memory, and page by page that takes nearly twice as long. What has been reserved
/// and not been given out takes up no memory.
struct PackedMemory {
    /// Bytes that the next block is to have.
    private var reserve = 0
    private var block: Block?

    /// `@unchecked Sendable`: parts are taken under the lock of the weights, and each belongs to the buffer made of it.
    final class Block: @unchecked Sendable {
        private let start: UnsafeMutableRawPointer
        private let byteCount: Int
        // In the block, so that copies of a pool never give out a part twice.
        private var used = 0

        init?(byteCount: Int) {
            guard let start = ck_allocate(byteCount) else { return nil }
            self.start = start
            self.byteCount = byteCount
        }

        deinit { ck_free(start) }

        /// The next part, or `nil` if there is no room.
        func take(_ count: Int) -> AlignedBuffer? {
            let size = (count + AlignedBuffer.alignment - 1) / AlignedBuffer.alignment * AlignedBuffer.alignment
            guard used + size <= byteCount else { return nil }
            defer { used += size }
            return AlignedBuffer(start + used, byteCount: count, of: self)
        }
    }

    /// Says that weights of so many columns will be packed, of which each row is filled up to whole blocks of outputs.
    mutating func expect(elements: Int, columns: Int) {
        let block = Int(CK_BLOCK)
        let filled = elements / max(1, columns) * ((columns + block - 1) / block * block)
        // A fast convolution's 13 for 7; scales, and each part's way to a boundary.
        reserve += filled * 8 + filled / 8 + AlignedBuffer.alignment
    }

    /// Memory for a packed weight, not cleared; past what was expected, by itself.
    mutating func take(_ byteCount: Int) -> AlignedBuffer {
        if block == nil { block = Block(byteCount: reserve) }
        return block?.take(byteCount) ?? AlignedBuffer(byteCount: byteCount)
    }
}
