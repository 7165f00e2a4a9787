import ArgumentParser
import Codec
import Logging
import Native
import PJRT
import Tokenizer
import Training
import XLA

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

enum DeviceName: String, ExpressibleByArgument, CaseIterable {
    case auto, cpu, cuda, tpu

    var kind: PlatformKind {
        switch self {
        case .auto: .default
        case .cpu: .cpu
        case .cuda: .cuda
        case .tpu: .tpu
        }
    }
}

/// Where programs run.
struct DeviceOptions: ParsableArguments {
    @Option(help: "The device to run on: \(DeviceName.allCases.map(\.rawValue).joined(separator: ", ")).")
    var device = DeviceName.auto

    @Option(help: ArgumentHelp("A PJRT plugin file, instead of looking for one.", valueName: "path"))
    var plugin: String?

    @Flag(help: "Log every compilation, with its shapes and time.")
    var verbose = false

    var isAskedFor: Bool { device != .auto || plugin != nil }

    /// - Parameter compiler: what compiles large programs; by default this process.
    func engine(compiler: CompilerProcess? = nil) throws -> Engine {
        var log = Logger(label: "allophone.xla") { StreamLogHandler.standardError(label: $0) }
        log.logLevel = verbose ? .debug : .warning
        return try Engine(platform: device.kind, pluginPath: plugin, compiler: compiler, log: log)
    }
}

enum Backend: String, ExpressibleByArgument, CaseIterable {
    case native, xla
}

/// What encodes and decodes.
struct BackendOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What runs the model: native (this CPU, no plugin) or xla. Default: native, or xla with --device or --plugin."
        ))
    var backend: Backend?

    @Option(
        help: "How native holds weights: \(Precision.allCases.map(\.rawValue).joined(separator: ", ")). Default: f32.")
    var precision: Precision?

    @Option(help: ArgumentHelp("Threads of native. Default: one for each core, up to 4.", valueName: "count"))
    var threads: Int?

    @OptionGroup var device: DeviceOptions

    func validate() throws {
        if let threads, !(1...256).contains(threads) { throw ValidationError("--threads must be 1 to 256") }
        if backend == .native && device.isAskedFor {
            throw ValidationError("--device and --plugin are of the xla backend: leave out --backend native")
        }
        if usesXLA && (precision != nil || threads != nil) {
            throw ValidationError(
                "--precision and --threads are of the native backend: leave them out, or --backend xla, --device and --plugin"
            )
        }
        if !usesXLA && device.verbose {
            throw ValidationError("--verbose tells of the xla backend's compilations: give --backend xla with it")
        }
    }

    var usesXLA: Bool { (backend ?? (device.isAskedFor ? .xla : .native)) == .xla }
    static var usualThreads: Int { min(4, ProcessInfo.processInfo.activeProcessorCount) }
    var threadCount: Int { threads ?? Self.usualThreads }

    /// The model at work.
    func codec(_ file: ModelFile, for directions: Set<NativeCodec.Direction>) throws -> any SpeechCodec {
        if usesXLA { return try XLACodec(file, on: device.engine()) }
        return try nativeCodec(file, for: directions)
    }

    func nativeCodec(_ file: ModelFile, for directions: Set<NativeCodec.Direction>) throws -> NativeCodec {
        try NativeCodec(file, precision: precision ?? .f32, threads: threadCount, directions: directions)
    }
}

/// Whether encoding tries codes out.
struct SearchOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Try out codes near the encoder's own, after each of so many best paths, and keep what decodes to the nearest of the "
                + "recording: better sound of as many bits, found in many times the time. 4 is a good number, and 8 or 16 where time does not matter; with more than 1 tokens come up to 16 frames late, "
                + "and of a model whose decoder is late by that much more.",
            valueName: "paths"))
    var search: Int?

    func validate() throws {
        if let search, !SearchingCodec.possiblePaths.contains(search) {
            throw ValidationError("--search must be 1 to \(SearchingCodec.possiblePaths.upperBound)")
        }
    }

    /// - Parameter weighsBits: whether a search counts what codes take with the model's prior, if it has one; nothing is gained by that
    ///   where they are written without it.
    /// - Throws: `ValidationError` for the xla backend, `CodecError` where there is nothing to search.
    func codec(
        _ file: ModelFile, on backend: BackendOptions, for directions: Set<NativeCodec.Direction>,
        weighsBits: Bool = true
    ) throws -> any SpeechCodec {
        guard let search else { return try backend.codec(file, for: directions) }
        if backend.usesXLA {
            throw ValidationError("--search is of the native backend: leave out --backend xla, --device and --plugin")
        }
        return try SearchingCodec(
            backend.nativeCodec(file, for: directions.subtracting([.encoding]).union([.searching, .decoding])),
            paths: search, prior: weighsBits ? file.prior : nil)
    }
}

/// Which model to use.
struct ModelOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The model, a file that `train`, `convert`, `average` or `prior` wrote. Default: $ALLOPHONE_MODEL.",
            valueName: "path"))
    var model: String?

    var path: String? {
        model ?? ProcessInfo.processInfo.environment["ALLOPHONE_MODEL"].flatMap { $0.isEmpty ? nil : $0 }
    }

    func load() throws -> ModelFile {
        guard let path else { throw CommandError.noModel }
        return try ModelFile(path: path)
    }
}

/// Refuses an output that is the input or the model, whatever path it is reached by.
///
/// - Throws: `CommandError.wouldOverwrite`.
func requireDistinct(input: String, model: String? = nil, output: String) throws(CommandError) {
    for source in [input, model] {
        guard let source, source != "-", output != "-" else { continue }
        var (one, other) = (stat(), stat())
        let isSame =
            stat(source, &one) == 0 && stat(output, &other) == 0 && one.st_dev == other.st_dev
            && one.st_ino == other.st_ino
        if source == output || isSame { throw .wouldOverwrite(path: output) }
    }
}
