import CPJRT

/// An array in a device's memory: dense, immutable, and freed with its last reference.
///
/// A buffer may exist before its contents do: it is returned as soon as the work that fills it is queued, and using it
/// waits for that work. A donated buffer is deleted by the execution it was donated to.
public final class Buffer: @unchecked Sendable {
    // Sendable: every property is immutable, and PJRT's buffers may be used from any thread.

    public let client: Client
    public let elementType: ElementType
    public let dimensions: [Int]

    let handle: OpaquePointer

    /// Takes ownership of `handle`, and destroys it when it cannot describe it.
    init(adopting handle: OpaquePointer, client: Client) throws {
        let plugin = client.plugin
        let api = plugin.api.pointee
        do {
            let type = try plugin.call("read a buffer's type", api.PJRT_Buffer_ElementType) { $0.buffer = handle }.type
            guard let elementType = ElementType(pjrt: type) else {
                throw BufferError.unsupportedElementType(code: type.rawValue)
            }
            let shape = try plugin.call("read a buffer's dimensions", api.PJRT_Buffer_Dimensions) { $0.buffer = handle }
            dimensions = UnsafeBufferPointer(start: shape.dims, count: shape.num_dims).map { Int($0) }
            self.elementType = elementType
        } catch {
            plugin.release(api.PJRT_Buffer_Destroy) { $0.buffer = handle }
            throw error
        }
        self.client = client
        self.handle = handle
        LiveObjects.bufferTally.increment()
    }

    /// Takes ownership of every handle, and destroys them all if one cannot be described.
    static func adopt(_ handles: [OpaquePointer], client: Client) throws -> [Buffer] {
        var buffers: [Buffer] = []
        buffers.reserveCapacity(handles.count)
        do {
            for handle in handles { buffers.append(try Buffer(adopting: handle, client: client)) }
        } catch {
            // The handle that failed has destroyed itself.
            for handle in handles[(buffers.count + 1)...] {
                client.plugin.release(client.plugin.api.pointee.PJRT_Buffer_Destroy) { $0.buffer = handle }
            }
            throw error
        }
        return buffers
    }

    deinit {
        client.plugin.release(client.plugin.api.pointee.PJRT_Buffer_Destroy) { $0.buffer = handle }
        LiveObjects.bufferTally.decrement()
    }

    /// The size of the contents in host memory, in bytes: dense, row-major.
    public var byteCount: Int { dimensions.reduce(elementType.byteCount, *) }
}

extension Client {
    /// Copies host memory to a device.
    ///
    /// - Parameters:
    ///   - bytes: the elements, dense and row-major; read before this returns and not kept.
    ///   - device: the first addressable device where nil.
    public func makeBuffer(
        bytes: UnsafeRawBufferPointer, type: ElementType, dimensions: [Int], device: Device? = nil
    ) throws -> Buffer {
        guard let expected = type.byteCount(of: dimensions) else { throw BufferError.invalidDimensions(dimensions) }
        guard bytes.count == expected else {
            throw BufferError.byteCount(type: type, dimensions: dimensions, expected: expected, actual: bytes.count)
        }
        let operation = "copy a \(type)\(dimensions) array to a device"
        let device = try device ?? defaultDevice()
        guard device.client === self else { throw BufferError.otherClient(operation: operation) }
        // Plugins refuse a null address even for an array without elements.
        let address = bytes.baseAddress ?? UnsafeRawPointer(plugin.api)
        let result = try dimensions.map { Int64($0) }.withUnsafeBufferPointer { dimensions in
            try plugin.call(operation, plugin.api.pointee.PJRT_Client_BufferFromHostBuffer) {
                $0.client = handle
                $0.data = address
                $0.type = type.pjrt
                $0.dims = dimensions.baseAddress
                $0.num_dims = dimensions.count
                $0.host_buffer_semantics = PJRT_HostBufferSemantics_kImmutableOnlyDuringCall
                $0.device = device.record.handle
            }
        }
        let done = result.done_with_host_buffer.map { Event(adopting: $0, operation: operation, client: self) }
        let buffer = try Buffer(adopting: result.buffer, client: self)
        try done?.wait()
        return buffer
    }
}

extension Buffer {
    private var plugin: Plugin { client.plugin }

    /// Whether the memory is gone: donated to an execution, or deleted.
    public var isDeleted: Bool {
        // A plugin that cannot answer for a buffer cannot use it either.
        let result = try? plugin.call("ask whether a buffer is deleted", plugin.api.pointee.PJRT_Buffer_IsDeleted) {
            $0.buffer = handle
        }
        return result?.is_deleted ?? true
    }

    /// The device that holds the buffer.
    public var device: Device {
        get throws {
            let result = try plugin.call("find a buffer's device", plugin.api.pointee.PJRT_Buffer_Device) {
                $0.buffer = handle
            }
            guard let device = client.device(for: result.device) else {
                throw BufferError.otherClient(operation: "find a buffer's device")
            }
            return device
        }
    }

    /// The size in device memory, in bytes, padding included.
    public var onDeviceByteCount: Int {
        get throws {
            try requireAlive("measure a buffer")
            return try plugin.call("measure a buffer", plugin.api.pointee.PJRT_Buffer_OnDeviceSizeInBytes) {
                $0.buffer = handle
            }.on_device_size_in_bytes
        }
    }

    /// Completes when the contents are there; fails with the error of the work that should have made them.
    public func readyEvent() throws -> Event {
        let operation = "compute a \(elementType)\(dimensions) buffer"
        try requireAlive(operation)
        let result = try plugin.call(operation, plugin.api.pointee.PJRT_Buffer_ReadyEvent) { $0.buffer = handle }
        return Event(adopting: result.event, operation: operation, client: client)
    }

    /// Frees the device memory now, whoever still refers to the buffer. Deleting twice is allowed.
    public func delete() throws {
        try plugin.call("delete a buffer", plugin.api.pointee.PJRT_Buffer_Delete) { $0.buffer = handle }
    }

    /// A copy of this buffer on another device of the same client.
    public func copy(to device: Device) throws -> Buffer {
        let operation = "copy a \(elementType)\(dimensions) buffer to \(device)"
        try requireAlive(operation)
        guard device.client === client else { throw BufferError.otherClient(operation: operation) }
        let result = try plugin.call(operation, plugin.api.pointee.PJRT_Buffer_CopyToDevice) {
            $0.buffer = handle
            $0.dst_device = device.record.handle
        }
        return try Buffer(adopting: result.dst_buffer, client: client)
    }

    func requireAlive(_ operation: @autoclosure () -> String) throws {
        guard !isDeleted else {
            throw BufferError.deleted(operation: operation(), type: elementType, dimensions: dimensions)
        }
    }
}
