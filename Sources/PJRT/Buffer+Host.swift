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
        guard bytes.count >= byteCount else {
            throw BufferError.byteCount(
                type: elementType, dimensions: dimensions, expected: byteCount, actual: bytes.count)
        }
        let layout = try hostLayout()
        if layout.isRowMajor {
            try startCopy(into: bytes, layout)?.wait()
        } else {
            let staging = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
            defer { staging.deallocate() }
            try startCopy(into: staging, layout)?.wait()
            layout.reorder(UnsafeRawBufferPointer(staging), into: bytes)
        }
    }

    /// The contents, dense and row-major; suspends until they are there.
    public func toHostAsync() async throws -> [UInt8] {
        let layout = try hostLayout()
        let staging = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
        defer { staging.deallocate() }
        try await startCopy(into: staging, layout)?.completed()
        guard !layout.isRowMajor else { return [UInt8](staging) }
        return [UInt8](unsafeUninitializedCapacity: byteCount) { bytes, count in
            layout.reorder(UnsafeRawBufferPointer(staging), into: UnsafeMutableRawBufferPointer(bytes))
            count = byteCount
        }
    }

    /// `bytes` must stay valid until the event completes. Nil when there is nothing to copy.
    private func startCopy(into bytes: UnsafeMutableRawBufferPointer, _ layout: DenseLayout) throws -> Event? {
        guard byteCount > 0 else { return nil }
        let operation = "copy a \(elementType)\(dimensions) buffer to the host"
        let result = try layout.minorToMajor.map { Int64($0) }.withUnsafeBufferPointer { order in
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

    /// The layout to copy out with: the device's own order of dimensions, without its tiles.
    ///
    /// XLA's CPU client copies its bytes as they lie and ignores a wish for another order (seen in API 0.81), so the
    /// order is asked for as it is and changed on the host.
    private func hostLayout() throws -> DenseLayout {
        try requireAlive("copy a \(elementType)\(dimensions) buffer to the host")
        let layout = try ifImplemented {
            try client.plugin.call(
                "read the layout of a \(elementType)\(dimensions) buffer",
                client.plugin.api.pointee.PJRT_Buffer_GetMemoryLayout
            ) { $0.buffer = handle }.layout
        }
        guard let layout, layout.type == PJRT_Buffer_MemoryLayout_Type_Tiled,
            layout.tiled.minor_to_major_size == dimensions.count
        else { return DenseLayout(rowMajor: dimensions, elementByteCount: elementType.byteCount) }
        let order = UnsafeBufferPointer(start: layout.tiled.minor_to_major, count: dimensions.count)
        return DenseLayout(
            dimensions: dimensions, minorToMajor: order.map { Int($0) }, elementByteCount: elementType.byteCount)
    }
}
