/// Why no plugin could be loaded.
public enum PluginError: Error, Sendable, Equatable, CustomStringConvertible {
    case notFound(kind: PlatformKind, tried: [String])
    case unloadable(path: String, reason: String)
    case incompatible(path: String, version: Plugin.APIVersion, supported: Plugin.APIVersion)
    /// XLA flags were given for a plugin that has already read its flags.
    case flagsTooLate(path: String, flags: [String])

    public var description: String {
        switch self {
        case .notFound(.path(let path), _):
            "no PJRT plugin at \(path); give the path of a plugin (.so), or run `make setup` to fetch one"
        case .notFound(let kind, let tried):
            """
            no PJRT plugin found for the \(kind) platform. Tried:
            \(tried.map { "  \($0)" }.joined(separator: "\n"))
            To have one, \(kind.remedy); or set ALLOPHONE_PJRT_PLUGIN to a plugin's path.
            """
        case .unloadable(let path, let reason):
            "cannot load the PJRT plugin \(path): \(reason); run `make setup` to fetch it again"
        case .incompatible(let path, let version, let supported):
            "the PJRT plugin \(path) has API \(version), but this program speaks \(supported.major).x; "
                + "run `make setup` to fetch the version it was built for"
        case .flagsTooLate(let path, let flags):
            "the PJRT plugin \(path) is already loaded, so the XLA flags \(flags.joined(separator: " ")) would have no "
                + "effect; give them at the first load, or set XLA_FLAGS before the program starts"
        }
    }
}
