import CPJRT

extension Buffer {
    /// The contents, dense and row-major; blocks until they are there.
    public func toHost() throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: byteCount) { bytes, count in
            try copy(into: UnsafeMutableRawBufferPointer(bytes))
            count = byteCount
        }
    }

    /// Copies the contents, dense and row-major, into `bytes`, which must hold `byteCount` of them; blocks until done.
    public func copy(into bytes: UnsafeMutableRawBufferPointer) throws {
        try startCopy(into: bytes)?.wait()
    }

    /// The contents, dense and row-major; suspends until they are there.
    public func toHostAsync() async throws -> [UInt8] {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
        defer { bytes.deallocate() }
        try await startCopy(into: bytes)?.completed()
        return [UInt8](bytes)
    }

    /// `bytes` must stay valid until the event completes. Nil when there is nothing to copy.
    private func startCopy(into bytes: UnsafeMutableRawBufferPointer) throws -> Event? {
        let operation = "copy a \(elementType)\(dimensions) buffer to the host"
        guard bytes.count >= byteCount else {
            throw BufferError.byteCount(
                type: elementType, dimensions: dimensions, expected: byteCount, actual: bytes.count)
        }
        try requireAlive(operation)
        guard byteCount > 0 else { return nil }
        // Without a layout the plugin would give the device's own, which need not be row-major.
        let minorToMajor = (0..<dimensions.count).reversed().map { Int64($0) }
        let result = try minorToMajor.withUnsafeBufferPointer { order in
            try withFrame(of: PJRT_Buffer_MemoryLayout.self) { layout in
                layout.pointee.type = PJRT_Buffer_MemoryLayout_Type_Tiled
                layout.pointee.tiled.struct_size = MemoryLayout<PJRT_Buffer_MemoryLayout_Tiled>.size
                layout.pointee.tiled.minor_to_major = order.baseAddress
                layout.pointee.tiled.minor_to_major_size = order.count
                return try client.plugin.call(operation, client.plugin.api.pointee.PJRT_Buffer_ToHostBuffer) {
                    $0.src = handle
                    $0.host_layout = layout
                    $0.dst = bytes.baseAddress
                    $0.dst_size = bytes.count
                }
            }
        }
        return Event(adopting: result.event, operation: operation, client: client)
    }
}
