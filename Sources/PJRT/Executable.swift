import CPJRT

/// A compiled program, loaded on the devices it was compiled for.
public final class LoadedExecutable: @unchecked Sendable {
    // Sendable: every property is immutable, and PJRT's executables may be used from any thread.

    public let client: Client
    /// The name of the program's module.
    public let name: String
    /// How many arrays an execution returns on each device.
    public let outputCount: Int
    /// The devices of this process that an execution uses, in the order of its argument lists. Empty for a portable
    /// executable, whose device is named at each execution.
    public let addressableDevices: [Device]

    let handle: OpaquePointer
    /// The unloaded half of the executable, which answers questions about the program.
    let program: OpaquePointer

    /// Takes ownership of `handle`, and destroys it if it cannot be described.
    init(adopting handle: OpaquePointer, client: Client) throws {
        let plugin = client.plugin
        let api = plugin.api.pointee
        var program: OpaquePointer?
        do {
            let executable = try plugin.call("describe an executable", api.PJRT_LoadedExecutable_GetExecutable) {
                $0.loaded_executable = handle
            }.executable!
            program = executable
            let name = try plugin.call("read an executable's name", api.PJRT_Executable_Name) {
                $0.executable = executable
            }
            let outputs = try plugin.call("count an executable's outputs", api.PJRT_Executable_NumOutputs) {
                $0.executable = executable
            }
            let devices = try plugin.call(
                "list an executable's devices", api.PJRT_LoadedExecutable_AddressableDevices
            ) { $0.executable = handle }
            self.name = String(name.executable_name, count: name.executable_name_size)
            outputCount = outputs.num_outputs
            addressableDevices = UnsafeBufferPointer(
                start: devices.addressable_devices, count: devices.num_addressable_devices
            ).compactMap { $0.flatMap(client.device(for:)) }
            self.program = executable
        } catch {
            if let program { plugin.release(api.PJRT_Executable_Destroy) { $0.executable = program } }
            plugin.release(api.PJRT_LoadedExecutable_Destroy) { $0.executable = handle }
            throw error
        }
        self.client = client
        self.handle = handle
        LiveObjects.executableTally.increment()
    }

    deinit {
        let api = client.plugin.api.pointee
        client.plugin.release(api.PJRT_Executable_Destroy) { $0.executable = program }
        client.plugin.release(api.PJRT_LoadedExecutable_Destroy) { $0.executable = handle }
        LiveObjects.executableTally.decrement()
    }
}

/// PJRT's name for programs given as MLIR, text or bytecode.
private let stablehloText: StaticString = "mlir"

extension Client {
    /// Compiles a program and loads it on its devices.
    ///
    /// - Parameter program: StableHLO as MLIR text.
    /// - Throws: `PJRTError` with the compiler's message, which names the line.
    public func compile(_ program: String, options: CompileOptions = .init()) throws -> LoadedExecutable {
        var program = program
        let options = try options.serialized()
        let executable = try program.withUTF8 { code in
            try options.withUnsafeBufferPointer { options in
                try withFrame(of: PJRT_Program.self) { program in
                    // The plugin does not write through `code`; the field is mutable for its other use, as an output.
                    program.pointee.code = UnsafeMutableRawPointer(mutating: code.baseAddress)?
                        .assumingMemoryBound(to: CChar.self)
                    program.pointee.code_size = code.count
                    program.pointee.format = UnsafeRawPointer(stablehloText.utf8Start)
                        .assumingMemoryBound(to: CChar.self)
                    program.pointee.format_size = stablehloText.utf8CodeUnitCount
                    return try plugin.call("compile a program", plugin.api.pointee.PJRT_Client_Compile) {
                        $0.client = handle
                        $0.program = UnsafePointer(program)
                        $0.compile_options = UnsafeRawPointer(options.baseAddress)?
                            .assumingMemoryBound(to: CChar.self)
                        $0.compile_options_size = options.count
                    }.executable!
                }
            }
        }
        return try LoadedExecutable(adopting: executable, client: self)
    }

    /// Loads an executable that `LoadedExecutable.serialize` gave.
    ///
    /// - Parameters:
    ///   - serialized: made by the same platform version; plugins do not promise more.
    ///   - options: replace the options it was compiled with.
    public func load(serialized: [UInt8], options: CompileOptions? = nil) throws -> LoadedExecutable {
        let options = try options?.serialized() ?? []
        let executable = try serialized.withUnsafeBytes { bytes in
            try options.withUnsafeBytes { options in
                try plugin.call("load a serialised executable", plugin.api.pointee.PJRT_Executable_DeserializeAndLoad) {
                    $0.client = handle
                    $0.serialized_executable = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
                    $0.serialized_executable_size = bytes.count
                    if !options.isEmpty {
                        $0.overridden_serialized_compile_options =
                            options.baseAddress?.assumingMemoryBound(to: CChar.self)
                        $0.overridden_serialized_compile_options_size = options.count
                    }
                }.loaded_executable!
            }
        }
        return try LoadedExecutable(adopting: executable, client: self)
    }
}

extension LoadedExecutable {
    /// The compiled program, for `Client.load(serialized:)` in a later process on the same platform version.
    public func serialize() throws -> [UInt8] {
        let result = try client.plugin.call(
            "serialise '\(name)'", client.plugin.api.pointee.PJRT_Executable_Serialize
        ) { $0.executable = program }
        defer { result.serialized_executable_deleter?(result.serialized_executable) }
        return [UInt8](UnsafeRawBufferPointer(start: result.serialized_bytes, count: result.serialized_bytes_size))
    }
}
