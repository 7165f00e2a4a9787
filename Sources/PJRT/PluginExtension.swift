import CPJRT

/// An optional part of the PJRT API, offered by some plugins.
public struct PluginExtension: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    init(_ type: PJRT_Extension_Type) { rawValue = type.rawValue }

    public static let gpuCustomCall = PluginExtension(PJRT_Extension_Type_Gpu_Custom_Call)
    public static let profiler = PluginExtension(PJRT_Extension_Type_Profiler)
    public static let customPartitioner = PluginExtension(PJRT_Extension_Type_Custom_Partitioner)
    public static let stream = PluginExtension(PJRT_Extension_Type_Stream)
    public static let layouts = PluginExtension(PJRT_Extension_Type_Layouts)
    public static let ffi = PluginExtension(PJRT_Extension_Type_FFI)
    public static let memoryDescriptions = PluginExtension(PJRT_Extension_Type_MemoryDescriptions)
    public static let triton = PluginExtension(PJRT_Extension_Type_Triton)

    public var description: String {
        switch self {
        case .gpuCustomCall: "gpu-custom-call"
        case .profiler: "profiler"
        case .customPartitioner: "custom-partitioner"
        case .stream: "stream"
        case .layouts: "layouts"
        case .ffi: "ffi"
        case .memoryDescriptions: "memory-descriptions"
        case .triton: "triton"
        default: "extension-\(rawValue)"
        }
    }

    static func chain(from start: UnsafePointer<PJRT_Extension_Base>?) -> [PluginExtension] {
        Array(sequence(first: start, next: { $0?.pointee.next.map { UnsafePointer($0) } }).prefix { $0 != nil })
            .compactMap { $0.map { PluginExtension($0.pointee.type) } }
    }
}
