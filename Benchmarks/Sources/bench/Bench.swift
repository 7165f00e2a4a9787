import ArgumentParser
import Foundation
import XLA

@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Benchmarks against peers: side by side in one run, ratios above 1 where ours is faster.",
        subcommands: [
            CodecBench.self, TrainBench.self, GANBench.self, NativeBench.self, StreamBench.self, StreamsBench.self,
            PrecisionBench.self, SearchBench.self, Soak.self, FreshModel.self, OperationBench.self,
            CompileProgram.self,
        ])
}

/// What benchmarks of training start to compile a large program, as `allophone train` does.
struct CompileProgram: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "compile-program", shouldDisplay: false)

    @Argument var plugin: String
    @Argument var cache: String
    @Argument var compilation: Function.Compilation
    @Argument var name: String

    func run() throws {
        try CompilerProcess.serve(plugin: plugin, cacheFolder: cache, compilation: compilation, name: name)
    }

    /// An engine as `allophone train` has it.
    static func trainingEngine() throws -> Engine {
        HostMemory.keepFreed()
        return try Engine(platform: .cpu, compiler: .thisProgram(_commandName))
    }
}

extension Function.Compilation: ExpressibleByArgument {}

struct PeerOptions: ParsableArguments {
    @Option(help: "The Python that has PyTorch and JAX.")
    var python = ".venv/bin/python"

    @Option(help: "How often ours and each peer run, in turn.")
    var rounds = 7

    @Option(help: "Peers to compare with.")
    var peers: [String] = ["torch", "jax"]
}

func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? .nan : sorted[sorted.count / 2]
}

func time(_ body: () throws -> Void) rethrows -> Double {
    let elapsed = try ContinuousClock().measure(body).components
    return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
}

/// The closing line of a benchmark: medians in seconds, and the ratio peer / ours.
func report(_ name: String, ours: [Double], peers: [(name: String, seconds: [Double])], extra: [String: Any] = [:])
    throws
{
    var line: [String: Any] = extra
    line["benchmark"] = name
    line["ours"] = rounded(median(ours))
    for (index, peer) in peers.enumerated() {
        let ratio = median(peer.seconds) / median(ours)
        if index == 0 {
            line["peer"] = rounded(median(peer.seconds))
            line["ratio"] = rounded(ratio)
        }
        line[peer.name] = ["seconds": rounded(median(peer.seconds)), "ratio": rounded(ratio)]
    }
    let data = try JSONSerialization.data(withJSONObject: line, options: [.sortedKeys])
    print(String(decoding: data, as: UTF8.self))
}

func rounded(_ value: Double) -> Double { (value * 1e4).rounded() / 1e4 }

/// Memory of this process that is in use now.
func residentMegabytes() -> Double {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return .nan }
    return (Double(text.split(separator: " ")[1]) ?? .nan) * 4096 / 1e6
}
