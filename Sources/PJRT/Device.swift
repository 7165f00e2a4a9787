import CPJRT

/// One processor with memory of its own: a GPU, a TPU core, or a share of the CPU.
public struct Device: Sendable {
    public let client: Client
    let record: Record

    /// Unique among the client's devices, on every process.
    public var id: Int { record.id }
    /// The index of the process the device belongs to.
    public var processIndex: Int { record.processIndex }
    /// The vendor's name of the model, such as `NVIDIA H200`.
    public var kind: String { record.kind }
    /// Whether this process can use the device.
    public var isAddressable: Bool { record.isAddressable }

    /// What a client learns of a device once, when it is made.
    struct Record: @unchecked Sendable {
        // Sendable: the handle is an immutable address, owned by the client and valid as long as it.
        let handle: OpaquePointer
        let description: OpaquePointer
        let id: Int
        let processIndex: Int
        let kind: String
        let isAddressable: Bool
    }
}

extension Device {
    static func records(of client: OpaquePointer, _ plugin: Plugin) throws -> [Record] {
        let api = plugin.api.pointee
        let list = try plugin.call("list the devices", api.PJRT_Client_Devices) { $0.client = client }
        return try UnsafeBufferPointer(start: list.devices, count: list.num_devices).compactMap(\.self).map { handle in
            let description = try plugin.call("describe a device", api.PJRT_Device_GetDescription) {
                $0.device = handle
            }.device_description!
            let id = try plugin.call("read a device's number", api.PJRT_DeviceDescription_Id) {
                $0.device_description = description
            }
            let process = try plugin.call("read a device's process", api.PJRT_DeviceDescription_ProcessIndex) {
                $0.device_description = description
            }
            let kind = try plugin.call("read a device's kind", api.PJRT_DeviceDescription_Kind) {
                $0.device_description = description
            }
            let addressable = try plugin.call("ask whether a device is addressable", api.PJRT_Device_IsAddressable) {
                $0.device = handle
            }
            return Record(
                handle: handle, description: description, id: Int(id.id), processIndex: Int(process.process_index),
                kind: String(kind.device_kind, count: kind.device_kind_size), isAddressable: addressable.is_addressable)
        }
    }

    private var plugin: Plugin { client.plugin }

    /// The platform's own long description of the device, for logs.
    public var debugDescription: String {
        get throws {
            let result = try plugin.call(
                "describe device \(id)", plugin.api.pointee.PJRT_DeviceDescription_DebugString
            ) { $0.device_description = record.description }
            return String(result.debug_string, count: result.debug_string_size)
        }
    }

    /// What the platform tells of the device, such as `core_count`; empty where it tells nothing.
    public var attributes: [String: NamedValue] {
        get throws {
            let result = try plugin.call(
                "read the attributes of device \(id)", plugin.api.pointee.PJRT_DeviceDescription_Attributes
            ) { $0.device_description = record.description }
            return [String: NamedValue](result.attributes, count: result.num_attributes)
        }
    }

    /// How the device's memory is used now; nil where the platform does not count it, as on CPU.
    public var memoryStatistics: MemoryStatistics? {
        get throws {
            try ifImplemented {
                MemoryStatistics(
                    try plugin.call(
                        "read the memory statistics of device \(id)", plugin.api.pointee.PJRT_Device_MemoryStats
                    ) { $0.device = record.handle })
            }
        }
    }
}

extension Device: Hashable, CustomStringConvertible {
    public static func == (a: Device, b: Device) -> Bool { a.record.handle == b.record.handle }

    public func hash(into hasher: inout Hasher) { hasher.combine(record.handle) }

    public var description: String { "\(client.platformName):\(id)" }
}

/// A device's memory, in bytes; nil where the platform does not say.
public struct MemoryStatistics: Sendable, Hashable {
    public let bytesInUse: Int
    public let peakBytesInUse: Int?
    /// The most a program may allocate.
    public let bytesLimit: Int?
    public let bytesReserved: Int?
    public let largestAllocation: Int?
    public let largestFreeBlock: Int?
    /// What the allocator holds from the device, in use or not.
    public let poolBytes: Int?
    public let peakPoolBytes: Int?
    /// How many allocations there have been.
    public let allocationCount: Int?

    init(_ stats: PJRT_Device_MemoryStats_Args) {
        bytesInUse = Int(stats.bytes_in_use)
        peakBytesInUse = stats.peak_bytes_in_use_is_set ? Int(stats.peak_bytes_in_use) : nil
        bytesLimit = stats.bytes_limit_is_set ? Int(stats.bytes_limit) : nil
        bytesReserved = stats.bytes_reserved_is_set ? Int(stats.bytes_reserved) : nil
        largestAllocation = stats.largest_alloc_size_is_set ? Int(stats.largest_alloc_size) : nil
        largestFreeBlock = stats.largest_free_block_bytes_is_set ? Int(stats.largest_free_block_bytes) : nil
        poolBytes = stats.pool_bytes_is_set ? Int(stats.pool_bytes) : nil
        peakPoolBytes = stats.peak_pool_bytes_is_set ? Int(stats.peak_pool_bytes) : nil
        allocationCount = stats.num_allocs_is_set ? Int(stats.num_allocs) : nil
    }
}
