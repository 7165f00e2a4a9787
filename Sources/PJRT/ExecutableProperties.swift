import CPJRT

extension LoadedExecutable {
    private var plugin: Plugin { client.plugin }
    private var api: PJRT_Api { plugin.api.pointee }

    /// The element type of each output.
    public var outputTypes: [ElementType] {
        get throws {
            let result = try plugin.call("read the output types of '\(name)'", api.PJRT_Executable_OutputElementTypes) {
                $0.executable = program
            }
            return try UnsafeBufferPointer(start: result.output_types, count: result.num_output_types).map { type in
                guard let known = ElementType(pjrt: type) else {
                    throw BufferError.unsupportedElementType(code: type.rawValue)
                }
                return known
            }
        }
    }

    /// The dimensions of each output on one device.
    public var outputDimensions: [[Int]] {
        get throws {
            let result = try plugin.call("read the output shapes of '\(name)'", api.PJRT_Executable_OutputDimensions) {
                $0.executable = program
            }
            var next = result.dims
            return UnsafeBufferPointer(start: result.dim_sizes, count: result.num_outputs).map { rank in
                let dimensions = UnsafeBufferPointer(start: next, count: rank).map { Int($0) }
                next = next?.advanced(by: rank)
                return dimensions
            }
        }
    }

    /// How many copies of the program an execution runs.
    public var replicaCount: Int {
        get throws {
            try plugin.call("count the replicas of '\(name)'", api.PJRT_Executable_NumReplicas) {
                $0.executable = program
            }.num_replicas
        }
    }

    /// Over how many devices each copy is split.
    public var partitionCount: Int {
        get throws {
            try plugin.call("count the partitions of '\(name)'", api.PJRT_Executable_NumPartitions) {
                $0.executable = program
            }.num_partitions
        }
    }

    /// Bytes that differ whenever the compiled programs differ; nil where the platform gives none.
    public var fingerprint: [UInt8]? {
        get throws {
            try ifImplemented {
                let result = try plugin.call("read the fingerprint of '\(name)'", api.PJRT_Executable_Fingerprint) {
                    $0.executable = program
                }
                return [UInt8](
                    UnsafeRawBufferPointer(
                        start: result.executable_fingerprint, count: result.executable_fingerprint_size))
            }
        }
    }

    /// What XLA estimates one execution to cost; nil where the platform gives no estimate.
    public var costAnalysis: CostAnalysis? {
        get throws {
            try ifImplemented {
                let result = try plugin.call("estimate the cost of '\(name)'", api.PJRT_Executable_GetCostAnalysis) {
                    $0.executable = program
                }
                return CostAnalysis(
                    properties: [String: NamedValue](result.properties, count: result.num_properties))
            }
        }
    }

    /// The memory one execution needs on one device; nil where the platform does not say.
    public var memoryStatistics: CompiledMemoryStatistics? {
        get throws {
            try ifImplemented {
                CompiledMemoryStatistics(
                    try plugin.call(
                        "read the memory needs of '\(name)'", api.PJRT_Executable_GetCompiledMemoryStats
                    ) { $0.executable = program })
            }
        }
    }
}

/// What XLA estimates one execution to cost on one device.
public struct CostAnalysis: Sendable, Hashable {
    /// Every estimate by XLA's own name.
    public let properties: [String: NamedValue]

    /// Floating-point operations.
    public var flops: Double? { properties["flops"]?.number }
    /// Bytes read and written.
    public var bytesAccessed: Double? { properties["bytes accessed"]?.number }
    /// Transcendental operations, such as exponentials and sines.
    public var transcendentals: Double? { properties["transcendentals"]?.number }
}

/// The memory one execution needs on one device, in bytes.
public struct CompiledMemoryStatistics: Sendable, Hashable {
    public let generatedCode: Int
    public let arguments: Int
    public let outputs: Int
    /// The part of the outputs that reuses donated arguments.
    public let aliased: Int
    public let temporary: Int
    /// The most in use at once; nil from plugins that do not count it.
    public let peak: Int?

    init(_ stats: PJRT_Executable_GetCompiledMemoryStats_Args) {
        generatedCode = Int(stats.generated_code_size_in_bytes)
        arguments = Int(stats.argument_size_in_bytes)
        outputs = Int(stats.output_size_in_bytes)
        aliased = Int(stats.alias_size_in_bytes)
        temporary = Int(stats.temp_size_in_bytes)
        peak = stats.peak_memory_in_bytes > 0 ? Int(stats.peak_memory_in_bytes) : nil
    }
}
