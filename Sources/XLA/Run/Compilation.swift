internal import PJRT

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

extension Function {
    /// How a function is compiled.
    public enum Compilation: String, Sendable {
        case standard
        /// With little effort, for what runs a few times and would take longer to compile than to run.
        case quick
        /// For what has branches that need not wait for one another, such as discriminators: they run at the same time, with memory of
        /// their own. On two cores an adversarial step takes a twelfth less time; a step without discriminators takes as long, in
        /// half as much memory again.
        case concurrent

        /// What the environment asks for.
        static var wanted: Compilation {
            ProcessInfo.processInfo.environment["ALLOPHONE_XLA_COMPILATION"] == "quick" ? .quick : .standard
        }

        /// What XLA is told.
        func options(on client: Client) -> CompileOptions {
            var options = CompileOptions()
            let isCPU = client.platformName == "cpu"
            switch self {
            case .standard: break
            case .quick:
                options.overrides["xla_backend_optimization_level"] = 0
                // A pipeline of MLIR for each fusion, which takes longer than all the rest.
                if isCPU { options.overrides["xla_cpu_use_fusion_emitters"] = false }
            case .concurrent:
                if isCPU { options.overrides["xla_cpu_enable_concurrency_optimized_scheduler"] = true }
            }
            return options
        }

        func compile(_ program: String, on client: Client) throws -> LoadedExecutable {
            let options = options(on: client)
            do {
                return try client.compile(program, options: options)
            } catch  where !options.overrides.isEmpty {
                // Another XLA may not have these options.
                return try client.compile(program)
            }
        }
    }
}
