import CPJRT
import Synchronization

extension Plugin {
    /// Makes a function callable from programs as `stablehlo.custom_call @name` with `api_version = 4`.
    ///
    /// A name stands for one handler until the process ends; registering it again does nothing.
    ///
    /// - Parameters:
    ///   - handler: an `XLA_FFI_Handler` (xla/ffi/api/c_api.h).
    ///   - platform: XLA's name of the platform that runs it: `Host` for CPUs.
    /// - Throws: `PJRTError`, with the code `unimplemented` where the plugin has no such extension.
    public func registerCustomCall(_ name: String, handler: UnsafeMutableRawPointer, platform: String) throws {
        try Self.registered.withLock { registered in
            if registered.contains(path + "\n" + name) { return }
            var name = name
            var platform = platform
            try name.withUTF8 { name in
                try platform.withUTF8 { platform in
                    try call("register a custom call", ffiExtension?.register_handler) { arguments in
                        arguments.target_name = UnsafeRawPointer(name.baseAddress)?.assumingMemoryBound(to: CChar.self)
                        arguments.target_name_size = name.count
                        arguments.handler = handler
                        arguments.platform_name = UnsafeRawPointer(platform.baseAddress)?.assumingMemoryBound(
                            to: CChar.self)
                        arguments.platform_name_size = platform.count
                    }
                }
            }
            registered.insert(path + "\n" + name)
        }
    }

    private static let registered = Mutex<Set<String>>([])

    /// Nil where the plugin has none, or one from before it could register handlers.
    private var ffiExtension: CPJRT_FFI_Extension? {
        var next = api.pointee.extension_start.map { UnsafePointer($0) }
        while let link = next {
            if PluginExtension(link.pointee.type) == .ffi {
                guard link.pointee.struct_size >= MemoryLayout<CPJRT_FFI_Extension>.size else { return nil }
                return UnsafeRawPointer(link).load(as: CPJRT_FFI_Extension.self)
            }
            next = link.pointee.next.map { UnsafePointer($0) }
        }
        return nil
    }
}
