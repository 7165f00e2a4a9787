import CPJRT

/// A plugin's runtime: its devices, and the memory and programs on them.
///
/// Buffers, executables and events keep their client alive; it is destroyed after the last of them.
public final class Client: @unchecked Sendable {
    // Sendable: every property is immutable, and PJRT's clients may be used from any thread.

    public let plugin: Plugin
    /// The platform's name, such as `cpu` or `cuda`.
    public let platformName: String
    /// A free-form description of the plugin's build; differs whenever executables stop being interchangeable.
    public let platformVersion: String
    /// The index of this process among those that share the client's devices.
    public let processIndex: Int

    let handle: OpaquePointer
    let deviceRecords: [Device.Record]

    /// - Parameter options: the platform's own, such as `cpu_device_count` (CPU), or `memory_fraction`, `allocator`
    ///   and `visible_devices` (CUDA).
    public init(plugin: Plugin, options: [String: NamedValue] = [:]) throws {
        if let count = options["cpu_device_count"] {
            // The CPU plugin aborts the process on a value of another type, which CUDA's refuses with an error.
            guard case .integer(1...) = count else { throw ClientOptionError.cpuDeviceCount(count) }
        }
        let api = plugin.api.pointee
        let handle = try options.withPJRT { values, count in
            try plugin.call("create a client", api.PJRT_Client_Create) {
                $0.create_options = values
                $0.num_options = count
            }.client!
        }
        do {
            let name = try plugin.call("read the platform's name", api.PJRT_Client_PlatformName) { $0.client = handle }
            let version = try plugin.call("read the platform's version", api.PJRT_Client_PlatformVersion) {
                $0.client = handle
            }
            let process = try plugin.call("read the process index", api.PJRT_Client_ProcessIndex) {
                $0.client = handle
            }
            deviceRecords = try Device.records(of: handle, plugin)
            platformName = String(name.platform_name, count: name.platform_name_size)
            platformVersion = String(version.platform_version, count: version.platform_version_size)
            processIndex = Int(process.process_index)
        } catch {
            plugin.release(api.PJRT_Client_Destroy) { $0.client = handle }
            throw error
        }
        self.plugin = plugin
        self.handle = handle
        LiveObjects.clientTally.increment()
    }

    deinit {
        plugin.release(plugin.api.pointee.PJRT_Client_Destroy) { $0.client = handle }
        LiveObjects.clientTally.decrement()
    }

    /// Every device, of this process and of others, in the platform's order.
    public var devices: [Device] { deviceRecords.map { Device(client: self, record: $0) } }

    /// The devices this process can use.
    public var addressableDevices: [Device] { devices.filter(\.isAddressable) }

    func device(for handle: OpaquePointer) -> Device? {
        deviceRecords.first { $0.handle == handle }.map { Device(client: self, record: $0) }
    }

    /// The device used where none is named: the first addressable one.
    func defaultDevice() throws -> Device {
        guard let record = deviceRecords.first(where: \.isAddressable) else {
            throw PJRTError(
                code: .notFound, operation: "choose a device", message: "this process has no device on \(platformName)",
                plugin: plugin.path)
        }
        return Device(client: self, record: record)
    }
}
