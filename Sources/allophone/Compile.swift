public import ArgumentParser
public import XLA

/// What `train` starts to compile a large program.
struct Compile: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compile-program",
        abstract: "Compile a program of XLA's, which standard input has, for another process.",
        shouldDisplay: false)

    @Argument(help: "The plugin's file.")
    var plugin: String
    @Argument(help: "Where executables are kept.")
    var cache: String
    @Argument(help: "How it is compiled.")
    var compilation: Function.Compilation
    @Argument(help: "What the program is called.")
    var name: String

    func run() throws {
        try CompilerProcess.serve(plugin: plugin, cacheFolder: cache, compilation: compilation, name: name)
    }
}

extension Function.Compilation: ExpressibleByArgument {}
