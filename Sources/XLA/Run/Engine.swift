public import Logging
public import PJRT
public import Tensor

/// A device that runs programs, with what is shared by all functions on it: the client, the executable cache, the log.
public final class Engine: Sendable {
    public let client: Client
    public let device: Device
    let cache: ExecutableCache?
    let log: Logger
    /// Whether programs may call `Kernels`.
    let hasKernels: Bool
    private let compiler: CompilerProcess?
    /// How functions are compiled that have no wish of their own, and all if it is `quick`.
    private let compilation: Function.Compilation

    /// - Parameters:
    ///   - platform: which plugin to look for.
    ///   - pluginPath: a plugin file, used instead of any search.
    ///   - cacheFolder: where executables are kept between processes; `nil` keeps none.
    ///   - usesKernels: whether programs may call this package's own kernels where the platform is a CPU; by default in
    ///     release builds, unless `ALLOPHONE_XLA_KERNELS` is 0 in the environment.
    ///   - compiler: what compiles large programs for a CPU, if there is a cache; this process where it is `nil` or fails.
    ///   - compilation: how functions are compiled that have no wish of their own, and all if it is `quick`, as it is by default if
    ///     `ALLOPHONE_XLA_COMPILATION` is `quick` in the environment: for tests.
    /// - Throws: `PluginError` or `PJRTError`.
    public init(
        platform: PlatformKind = .default, pluginPath: String? = nil, options: [String: NamedValue] = [:],
        cacheFolder: String? = ExecutableCache.defaultFolder, usesKernels: Bool? = nil,
        compiler: CompilerProcess? = nil, compilation: Function.Compilation? = nil,
        log: Logger = Logger(label: "allophone.xla")
    ) throws {
        let plugin = try Plugin.load(platform, path: pluginPath)
        let client = try Client(plugin: plugin, options: options)
        guard let device = client.addressableDevices.first else { throw EngineError.noDevice(plugin: plugin.path) }
        self.client = client
        self.device = device
        self.log = log
        hasKernels = (usesKernels ?? Kernels.areWanted) && Kernels.register(with: client)
        self.compiler = client.platformName == "cpu" ? compiler : nil
        self.compilation = compilation ?? .wanted
        cache = cacheFolder.map { ExecutableCache(folder: $0, client: client, log: log) }
    }

    /// Copies an array to the device.
    public func upload(_ array: HostArray) throws -> Buffer {
        try array.bytes.withUnsafeBytes { bytes in
            try client.makeBuffer(
                bytes: bytes, type: ElementType(array.dtype), dimensions: array.shape.dimensions, device: device)
        }
    }

    /// Copies each array of a tree to the device.
    public func upload(_ tree: Tree<HostArray>) throws -> Tree<Buffer> { try tree.map { try upload($1) } }

    public func upload(_ arrays: [String: HostArray]) throws -> Tree<Buffer> { try upload(Tree(arrays)) }

    /// Compiles a program, or takes its executable from the cache.
    func compile(
        _ program: Program, name: String, shapes: String, _ wish: Function.Compilation
    ) throws -> LoadedExecutable {
        let start = ContinuousClock.now
        let compilation = compilation == .quick || wish == .standard ? compilation : wish
        if let cached = cache?.load(program, compilation) {
            log.debug("loaded \(name)", metadata: ["shapes": "\(shapes)", "ms": "\(milliseconds(since: start))"])
            return cached
        }
        if compilation != .quick, let cache, let compiler, program.text.utf8.count >= compiler.smallest {
            let failure = compiler.compile(program, compilation, name: name, plugin: client.plugin, cache: cache)
            if failure == nil, let compiled = cache.load(program, compilation) {
                log.info(
                    "compiled \(name) in another process",
                    metadata: ["shapes": "\(shapes)", "ms": "\(milliseconds(since: start))"])
                return compiled
            }
            log.warning(
                "\(name) will be compiled in this process, which makes it slower: \(failure ?? "nothing came of another")"
            )
        }
        let executable = try compilation.compile(program.text, on: client)
        let isLarge = milliseconds(since: start) > 5000
        log.info("compiled \(name)", metadata: ["shapes": "\(shapes)", "ms": "\(milliseconds(since: start))"])
        do {
            let bytes = try executable.serialize()
            cache?.store(bytes, for: program, compilation, name: name)
            // A training step that the CPU's compiler had just made has taken twice the time of the same step from the cache; why is
            // not known.
            return isLarge && client.platformName == "cpu" ? try client.load(serialized: bytes) : executable
        } catch {
            log.warning("cannot serialise \(name), which will be compiled again in the next process: \(error)")
            return executable
        }
    }

    /// Computes values that depend on nothing but constants, such as a few initial parameters.
    public func evaluate(_ tensors: Tree<Tensor>, name: String = "evaluate") throws -> Tree<Buffer> {
        try Function(name, on: self) { _ in tensors }([:])
    }
}

/// An engine that cannot be set up.
public enum EngineError: Error, CustomStringConvertible {
    case noDevice(plugin: String)

    public var description: String {
        switch self {
        case .noDevice(let plugin):
            "\(plugin): the plugin offers no device. Is the accelerator in use by another process?"
        }
    }
}

func milliseconds(since start: ContinuousClock.Instant) -> Int {
    let elapsed = (ContinuousClock.now - start).components
    return Int(elapsed.seconds * 1000 + elapsed.attoseconds / 1_000_000_000_000_000)
}

extension ElementType {
    init(_ dtype: DType) {
        self =
            switch dtype {
            case .f64: .f64
            case .f32: .f32
            case .bf16: .bf16
            case .f16: .f16
            case .i64: .i64
            case .i32: .i32
            case .i16: .i16
            case .i8: .i8
            case .u64: .u64
            case .u32: .u32
            case .u16: .u16
            case .u8: .u8
            case .bool: .bool
            }
    }

    var dtype: DType { DType.allCases.first { ElementType($0) == self }! }
}

extension Buffer {
    /// The type of the array this buffer holds.
    public var type: TensorType { TensorType(elementType.dtype, Shape(dimensions)) }

    /// Waits for the value and copies it to host memory.
    public func hostArray() throws -> HostArray { HostArray(type: type, bytes: try toHost()) }
}

extension Tree<Buffer> {
    /// Waits for every value and copies it to host memory.
    public func hostArrays() throws -> Tree<HostArray> { try map { try $1.hostArray() } }
}
