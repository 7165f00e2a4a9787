#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Which plugin to look for.
public enum PlatformKind: Sendable, Hashable, CustomStringConvertible {
    /// The plugin the environment names; otherwise the best platform whose hardware is present and whose plugin is
    /// installed: TPU, then CUDA, then CPU.
    case `default`
    case cpu
    case cuda
    case tpu
    /// A plugin file.
    case path(String)

    public var description: String {
        switch self {
        case .default: "default"
        case .cpu: "CPU"
        case .cuda: "CUDA"
        case .tpu: "TPU"
        case .path(let path): path
        }
    }

    /// File names a plugin of this platform is known by.
    fileprivate var fileNames: [String] {
        switch self {
        case .cpu: ["xla_cpu_pjrt.so", "pjrt_c_api_cpu_plugin.so"]
        case .cuda: ["xla_cuda_plugin.so", "pjrt_c_api_gpu_plugin.so"]
        case .tpu: ["libtpu.so"]
        case .default: [PlatformKind.tpu, .cuda, .cpu].flatMap(\.fileNames)
        case .path: []
        }
    }

    /// Where the platform's wheels put their plugin, below `site-packages`.
    fileprivate var packageFolders: [String] {
        switch self {
        case .cpu: ["xla_plugins/xla_cpu_pjrt"]
        case .cuda:
            ["jax_plugins/xla_cuda13", "jax_plugins/xla_cuda12", "xla_plugins/xla_cuda13", "xla_plugins/xla_cuda12"]
        case .tpu: ["libtpu"]
        case .default, .path: []
        }
    }

    /// Whether a file may hold this platform's plugin: its name says so, or says no platform.
    fileprivate func admits(_ path: String) -> Bool {
        let name = (path.split(separator: "/").last ?? "").lowercased()
        let platforms = [PlatformKind.cpu: ["cpu"], .cuda: ["cuda", "gpu"], .tpu: ["tpu"]]
        let named = platforms.filter { $0.value.contains { name.contains($0) } }.keys
        return self == .default || named.isEmpty || named.contains(self)
    }

    fileprivate var devicePaths: [String] {
        switch self {
        case .cuda: ["/dev/nvidiactl"]
        case .tpu: ["/dev/accel0", "/dev/vfio/0"]
        case .cpu, .default, .path: []
        }
    }

    var remedy: String {
        switch self {
        case .default, .cpu: "run `make setup`, which fetches the CPU plugin into .xla"
        case .cuda: "run `pip install jax-cuda13-pjrt`"
        case .tpu: "run `pip install libtpu`"
        case .path: "give the path of a PJRT plugin (.so)"
        }
    }
}

/// The places a plugin may lie, in the order they are tried:
///
/// 1. `ALLOPHONE_PJRT_PLUGIN`, a plugin file: when set, nothing else is tried. Then `PJRT_PLUGIN_LIBRARY_PATH`, files
///    or folders separated by `:`. Both are passed over where their name is another platform's than the one asked for.
/// 2. `.xla/cpu`, `.xla/cuda`, `.xla/tpu`: below the working directory and the folders above it, then below the
///    executable's folder and those above it; then `~/.cache/allophone/xla`.
/// 3. Python's packages: `jax_plugins`, `xla_plugins` and `libtpu`, in `VIRTUAL_ENV`, `CONDA_PREFIX`, `PYTHONPATH`,
///    beside each `python3` on `PATH`, and in the usual prefixes.
public struct PluginSearch: Sendable {
    private let environment: [String: String]
    private let workingDirectory: String
    private let executable: String
    private let prefixes: [String]

    /// - Parameters:
    ///   - environment: the variables named above, `HOME` and `XDG_CACHE_HOME`.
    ///   - workingDirectory: an absolute path.
    ///   - executable: the program's own absolute path.
    ///   - prefixes: where Python is installed besides the places the environment names.
    public init(
        environment: [String: String], workingDirectory: String, executable: String,
        prefixes: [String] = ["/usr/local", "/usr"]
    ) {
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.executable = executable
        self.prefixes = prefixes
    }

    /// A search from this process's own environment.
    public init() {
        var environment: [String: String] = [:]
        for name in [
            "ALLOPHONE_PJRT_PLUGIN", "PJRT_PLUGIN_LIBRARY_PATH", "HOME", "XDG_CACHE_HOME", "VIRTUAL_ENV",
            "CONDA_PREFIX", "PYTHONPATH", "PATH",
        ] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        self.init(
            environment: environment, workingDirectory: resolved(".") ?? "/",
            executable: resolved("/proc/self/exe") ?? "/")
    }

    /// The plugin's file, with symbolic links resolved.
    ///
    /// - Throws: `PluginError.notFound`, listing every path tried.
    public func find(_ kind: PlatformKind) throws -> String {
        var tried: [String] = []
        for candidate in candidates(kind) {
            tried.append(candidate)
            if isFile(candidate), let path = resolved(candidate) { return path }
        }
        throw PluginError.notFound(kind: kind, tried: tried)
    }

    /// Every path looked at for `kind`, in order.
    public func candidates(_ kind: PlatformKind) -> [String] {
        if case .path(let path) = kind { return [path] }
        if let path = environment["ALLOPHONE_PJRT_PLUGIN"], !path.isEmpty, kind.admits(path) { return [path] }
        var paths = list("PJRT_PLUGIN_LIBRARY_PATH").flatMap { entry in
            isFolder(entry) ? kind.fileNames.map { "\(entry)/\($0)" } : [entry].filter(kind.admits)
        }
        let platforms: [PlatformKind] =
            kind == .default
            ? [.tpu, .cuda].filter { $0.devicePaths.contains { access($0, F_OK) == 0 } } + [.cpu] : [kind]
        for platform in platforms {
            let folder = "\(platform)".lowercased()
            paths += fetchedFolders.flatMap { root in platform.fileNames.map { "\(root)/\(folder)/\($0)" } }
            paths += sitePackages.flatMap { site in
                platform.packageFolders.flatMap { package in platform.fileNames.map { "\(site)/\(package)/\($0)" } }
            }
        }
        var seen: Set<String> = []
        return paths.filter { seen.insert($0).inserted }
    }

    private var fetchedFolders: [String] {
        let folders = ancestors(of: workingDirectory) + ancestors(of: executable).dropFirst()
        var paths = folders.map { $0 == "/" ? "/.xla" : "\($0)/.xla" }
        let cache = environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
        if let cache = cache ?? environment["HOME"].map({ "\($0)/.cache" }) {
            paths.append("\(cache)/allophone/xla")
        }
        return paths
    }

    private var sitePackages: [String] {
        var roots = ["VIRTUAL_ENV", "CONDA_PREFIX"].compactMap { environment[$0] }
        for folder in list("PATH") {
            // An interpreter's packages lie beside it as invoked (a virtual environment) and as resolved (its base).
            let python = "\(folder)/python3"
            guard isFile(python) else { continue }
            roots += [python, resolved(python) ?? python].map { ancestors(of: $0).dropFirst(2).first ?? "/" }
        }
        roots += prefixes
        if let home = environment["HOME"] { roots.append("\(home)/.local") }
        return list("PYTHONPATH")
            + roots.flatMap { root in
                let versions = entries(of: "\(root)/lib").filter { $0.hasPrefix("python3") }.sorted().reversed()
                return versions.flatMap { version in
                    ["site-packages", "dist-packages"].map { "\(root)/lib/\(version)/\($0)" }.filter(isFolder)
                }
            }
    }

    private func list(_ variable: String) -> [String] {
        environment[variable, default: ""].split(separator: ":").map(String.init)
    }
}

/// `path` and every folder above it, nearest first.
private func ancestors(of path: String) -> [String] {
    var parts = path.split(separator: "/")
    var result: [String] = []
    while true {
        result.append("/" + parts.joined(separator: "/"))
        if parts.popLast() == nil { return result }
    }
}

private func mode(of path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
}

private func isFile(_ path: String) -> Bool { mode(of: path) == S_IFREG }

private func isFolder(_ path: String) -> Bool { mode(of: path) == S_IFDIR }

private func resolved(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
}

private func entries(of folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        names.append(
            withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                String(cString: UnsafeRawPointer(tuple).assumingMemoryBound(to: CChar.self))
            })
    }
    return names
}
