import CPJRT
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A loaded PJRT plugin: one shared library that holds XLA for one platform.
///
/// A plugin stays loaded until the process ends, since XLA keeps threads and static state that do not survive
/// `dlclose`. Loading the same file again gives the same object.
public final class Plugin: @unchecked Sendable {
    // Sendable: every property is immutable, the table behind `api` is neither written nor freed after `init`, and
    // PJRT's functions may be called from any thread.

    /// The plugin's file, with symbolic links resolved.
    public let path: String
    public let apiVersion: APIVersion
    /// The extensions the plugin offers, in the order it lists them.
    public let extensions: [PluginExtension]
    /// The flags appended to `XLA_FLAGS` before the plugin was loaded.
    public let xlaFlags: [String]
    /// All that `XLA_FLAGS` held when the plugin was loaded, without space around it; empty if it was not set.
    let environmentFlags: String

    /// A zero-extended copy of the plugin's function table: functions past the plugin's `struct_size` are nil.
    let api: UnsafePointer<PJRT_Api>

    private static let loaded = Mutex<[String: Plugin]>([:])

    /// Finds and loads a plugin, or returns the one already loaded from the same file.
    ///
    /// - Parameters:
    ///   - kind: the platform to look for; see `PluginSearch` for where.
    ///   - path: a plugin file, used instead of any search.
    ///   - xlaFlags: flags appended to `XLA_FLAGS`, such as `--xla_dump_to=/tmp/hlo`. XLA reads them once, so they are
    ///     refused for a plugin that is already loaded without them.
    /// - Throws: `PluginError`, or `PJRTError` when the plugin cannot initialise itself.
    public static func load(
        _ kind: PlatformKind = .default, path: String? = nil, xlaFlags: [String] = []
    ) throws -> Plugin {
        let found = try PluginSearch().find(path.map { .path($0) } ?? kind)
        return try loaded.withLock { plugins in
            if let plugin = plugins[found] {
                guard Set(xlaFlags).isSubset(of: plugin.xlaFlags) else {
                    throw PluginError.flagsTooLate(path: found, flags: xlaFlags)
                }
                return plugin
            }
            setEnvironment(xlaFlags: xlaFlags)
            let plugin = try Plugin(path: found, xlaFlags: xlaFlags)
            plugins[found] = plugin
            return plugin
        }
    }

    /// XLA reads its environment while the library loads, so this comes first.
    private static func setEnvironment(xlaFlags: [String]) {
        // XLA also returns the errors it logs, and those are thrown; level 3 leaves only what ends the process. A level
        // the user chose stays.
        setenv("TF_CPP_MIN_LOG_LEVEL", "3", 0)
        guard !xlaFlags.isEmpty else { return }
        let present = getenv("XLA_FLAGS").map { [String(cString: $0)] } ?? []
        setenv("XLA_FLAGS", (present + xlaFlags).joined(separator: " "), 1)
    }

    private convenience init(path: String, xlaFlags: [String]) throws {
        guard let library = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw PluginError.unloadable(path: path, reason: String(cString: dlerror()))
        }
        guard let symbol = dlsym(library, "GetPjrtApi") else {
            throw PluginError.unloadable(path: path, reason: "it has no symbol GetPjrtApi, so it is no PJRT plugin")
        }
        typealias GetPjrtApi = @convention(c) () -> UnsafeRawPointer?
        guard let table = unsafeBitCast(symbol, to: GetPjrtApi.self)() else {
            throw PluginError.unloadable(path: path, reason: "its GetPjrtApi returned no function table")
        }
        try self.init(path: path, xlaFlags: xlaFlags, table: table)
    }

    /// - Parameters:
    ///   - table: a `PJRT_Api` of any version, as long as its first field says.
    ///   - environment: what `XLA_FLAGS` holds.
    init(
        path: String, xlaFlags: [String], table: UnsafeRawPointer,
        environment: String = getenv("XLA_FLAGS").map { String(cString: $0) } ?? ""
    ) throws {
        let size = MemoryLayout<PJRT_Api>.size
        let copy = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: MemoryLayout<PJRT_Api>.alignment)
        copy.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        copy.copyMemory(from: table, byteCount: min(table.load(as: Int.self), size))
        api = UnsafePointer(copy.bindMemory(to: PJRT_Api.self, capacity: 1))

        self.path = path
        self.xlaFlags = xlaFlags
        let isText: (Character) -> Bool = { !$0.isWhitespace }
        if let first = environment.firstIndex(where: isText), let last = environment.lastIndex(where: isText) {
            let flags = String(environment[first...last])
            // What does not begin with a flag is a file of flags.
            environmentFlags = flags.hasPrefix("-") ? flags : flags + "\n" + contents(of: flags)
        } else {
            environmentFlags = ""
        }
        let version = api.pointee.pjrt_api_version
        apiVersion = APIVersion(major: Int(version.major_version), minor: Int(version.minor_version))
        extensions = PluginExtension.chain(from: api.pointee.extension_start)
        let supported = APIVersion(major: Int(PJRT_API_MAJOR), minor: Int(PJRT_API_MINOR))
        guard apiVersion.major == supported.major else {
            throw PluginError.incompatible(path: path, version: apiVersion, supported: supported)
        }
        try call("initialise the plugin", api.pointee.PJRT_Plugin_Initialize) { _ in }
    }

    /// What the plugin says of itself, such as `xla_version` and `stablehlo_current_version`.
    public var attributes: [String: NamedValue] {
        get throws {
            let result = try call("read the plugin's attributes", api.pointee.PJRT_Plugin_Attributes) { _ in }
            return [String: NamedValue](result.attributes, count: result.num_attributes)
        }
    }

    public struct APIVersion: Sendable, Hashable, CustomStringConvertible {
        public let major: Int
        public let minor: Int

        public var description: String { "\(major).\(minor)" }
    }
}

/// The text of the file at `path`, empty where there is none.
private func contents(of path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    while case let byte = fgetc(file), byte != EOF, bytes.count < 1 << 20 {
        bytes.append(UInt8(truncatingIfNeeded: byte))
    }
    return String(decoding: bytes, as: UTF8.self)
}
