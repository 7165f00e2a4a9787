internal import PJRT

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

extension Function {
    /// How hard the compiler tries.
    public enum Effort: Sendable {
        case full
        /// For what runs a few times, and would take longer to compile than to run.
        case low

        /// What the environment asks for.
        static var wanted: Effort {
            ProcessInfo.processInfo.environment["ALLOPHONE_XLA_EFFORT"] == "low" ? .low : .full
        }

        func compile(_ program: Program, on client: Client) throws -> LoadedExecutable {
            var options = CompileOptions()
            if self == .low {
                options.overrides["xla_backend_optimization_level"] = 0
                // A pipeline of MLIR for each fusion, which takes longer than all the rest.
                if client.platformName == "cpu" { options.overrides["xla_cpu_use_fusion_emitters"] = false }
            }
            do {
                return try client.compile(program.text, options: options)
            } catch  where self == .low {
                // Another XLA may not have these options.
                return try client.compile(program.text)
            }
        }
    }
}
