internal import Foundation
internal import PJRT
public import Tensor
internal import Testing
public import XLA

/// XLA's CPU plugin, which `make setup` fetches.
public struct XLABackend: TestBackend {
    /// Clients for the tests of a process. Executables are kept beside the tests, so that a program is compiled once.
    private static let standard = Result {
        try Engine(platform: .cpu, cacheFolder: cacheFolder, compilation: .standard)
    }
    private static let quick = Result { try Engine(platform: .cpu, cacheFolder: cacheFolder, compilation: .quick) }
    private static let cacheFolder = (Bundle.main.executableURL ?? Bundle.main.bundleURL).deletingLastPathComponent()
        .appending(path: "allophone-test-cache/xla").path

    /// - Parameter compilation: the compiler's. With little of it training steps compile in a third of the time, for tests of what happens
    ///   when; figures are compared as they are computed for users.
    public static func engine(_ compilation: Function.Compilation = .standard) throws -> Engine {
        try (compilation == .quick ? quick : standard).get()
    }

    private let compilation: Function.Compilation

    public init(compilation: Function.Compilation = .standard) { self.compilation = compilation }

    public var name: String { "XLA" }

    /// Recorded operations on special values, which XLA's CPU backend treats otherwise than JAX.
    static func knownDifference(_ operation: String) -> Comment? {
        switch operation {
        case "maximumSpecial", "minimumSpecial", "argmaxSpecial":
            "a NaN may lose to a number: xla_cpu_enable_fast_min_max is on, which JAX turns off"
        case "sortSpecial", "topSpecial": "-0 comes before 0, which JAX holds to be equal"
        default: nil
        }
    }

    public func run(_ graph: Graph, _ inputs: [HostArray]) throws -> [HostArray] { try run([(graph, inputs)])[0] }

    /// All calls in one program: most of what a small one costs is the compiler's start.
    public func run(_ calls: [(graph: Graph, inputs: [HostArray])]) throws -> [[HostArray]] {
        let engine = try Self.engine(compilation)
        let placeholders = calls.enumerated().flatMap { call, each in
            each.graph.inputs.enumerated().map { ("\(call).\($0)", $1) }
        }
        let function = Function(
            "test", on: engine, placeholders: Dictionary(uniqueKeysWithValues: placeholders)
        ) { _ in
            .list(calls.map { call in .list(call.graph.outputs.map { .leaf($0) }) })
        }
        let arguments = try calls.map { call in
            try Tree<Buffer>.list(call.inputs.map { .leaf(try engine.upload($0)) })
        }
        guard case .list(let results) = try function(.list(arguments)).hostArrays() else { return [] }
        return results.map(\.leaves)
    }
}
