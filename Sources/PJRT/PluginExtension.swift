import CPJRT

/// An optional part of the PJRT API, offered by some plugins.
public struct PluginExtension: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    init(_ type: PJRT_Extension_Type) { rawValue = type.rawValue }

    public static let profiler = PluginExtension(PJRT_Extension_Type_Profiler)
    public static let layouts = PluginExtension(PJRT_Extension_Type_Layouts)
    public static let ffi = PluginExtension(PJRT_Extension_Type_FFI)
    public static let memoryDescriptions = PluginExtension(PJRT_Extension_Type_MemoryDescriptions)

    /// The header's name for the extension, or its number where the plugin is newer than the header.
    public var description: String {
        Self.names.indices.contains(Int(rawValue)) ? Self.names[Int(rawValue)] : "extension-\(rawValue)"
    }

    /// By number, as `PJRT_Extension_Type` counts them.
    private static let names = [
        "gpu-custom-call", "profiler", "custom-partitioner", "stream", "layouts", "ffi", "memory-descriptions",
        "triton", "raw-buffer", "phase-compile", "example", "unknown", "cross-host-transfers",
        "executable-metadata", "callback", "host-allocator",
    ]

    static func chain(from start: UnsafePointer<PJRT_Extension_Base>?) -> [PluginExtension] {
        var result: [PluginExtension] = []
        var next = start
        while let link = next {
            result.append(PluginExtension(link.pointee.type))
            next = link.pointee.next.map { UnsafePointer($0) }
        }
        return result
    }
}
