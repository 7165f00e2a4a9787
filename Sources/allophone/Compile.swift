import ArgumentParser
import XLA

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What `train` starts to compile a large program, which comes on standard input.
struct Compile: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compile-program", abstract: "Compile a program of XLA's for another process.",
        shouldDisplay: false)

    @Argument(help: "The plugin's file.")
    var plugin: String
    @Argument(help: "Where executables are kept.")
    var cache: String
    @Argument(help: "What the program is called.")
    var name: String

    /// This program as a compiler; `nil` where the system does not say which file that is.
    static var process: CompilerProcess? {
        guard let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            return nil
        }
        return CompilerProcess(path: path, arguments: [Self.configuration.commandName ?? ""])
    }

    func run() throws {
        let text = FileManager.default.contents(atPath: "/dev/stdin") ?? Data()
        try Engine.compileForAnotherProcess(
            String(decoding: text, as: UTF8.self), name: name, plugin: plugin, cacheFolder: cache)
    }
}
