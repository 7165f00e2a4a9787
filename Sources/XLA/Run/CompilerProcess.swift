import PJRT
import Processes

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A process that compiles a program for this one, into the cache that both have.
///
/// XLA's compiler leaves the memory that it worked in to its process, in pieces: with one heap, as `HostMemory.keepFreed` has it, every
/// large allocation afterwards searches among them. A training step takes a quarter longer in a process that has compiled it
/// (1.42 s instead of 1.09) and the process is larger by what the compiler needed.
public struct CompilerProcess: Sendable {
    /// The file of a program that calls `serve`.
    let path: String
    /// What tells it to; what `serve` takes follows.
    let arguments: [String]
    /// Bytes of text from which on a program is worth a process.
    let smallest: Int

    public init(path: String, arguments: [String], smallest: Int = 200_000) {
        self.path = path
        self.arguments = arguments
        self.smallest = smallest
    }

    /// Seconds after which a compiler is taken for stuck; the longest known takes minutes.
    private static let patience = 6 * 3600.0

    /// - Returns: why it came to nothing, or `nil` if the executable is in the cache.
    func compile(
        _ program: Program, _ compilation: Function.Compilation, name: String, plugin: Plugin, cache: ExecutableCache
    ) -> String? {
        do throws(ChildProcess.Failure) {
            let outcome = try ChildProcess.run(
                path, arguments + [plugin.path, cache.folder, compilation.rawValue, name], input: program.text,
                timeout: Self.patience)
            return outcome.end == .exited(0) ? nil : "\(outcome.end): \(outcome.errors.suffix(500))"
        } catch { return error.reason }
    }

    /// The program that this process runs, which must call `serve` when `command` is its first argument; `nil` where the system does not
    /// say which file that is.
    public static func thisProgram(_ command: String) -> CompilerProcess? {
        guard let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            return nil
        }
        return CompilerProcess(path: path, arguments: [command])
    }

    /// What such a process does: compiles the program whose text is the file of standard input, and keeps its executable where the process
    /// that asked will look for it.
    ///
    /// - Parameters:
    ///   - plugin: the plugin's file.
    ///   - cacheFolder: where executables are kept.
    ///   - name: what the program is called.
    /// - Throws: `PluginError` or `PJRTError`.
    public static func serve(plugin: String, cacheFolder: String, compilation: Function.Compilation, name: String)
        throws
    {
        let text = String(decoding: FileManager.default.contents(atPath: "/dev/stdin") ?? Data(), as: UTF8.self)
        let engine = try Engine(platform: .cpu, pluginPath: plugin, cacheFolder: cacheFolder)
        let executable = try compilation.compile(text, on: engine.client)
        engine.cache?.store(try executable.serialize(), for: Program(text: text), compilation, name: name)
    }
}
