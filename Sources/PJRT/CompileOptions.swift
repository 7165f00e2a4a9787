/// How a program is compiled: over how many devices, and with which of XLA's options.
public struct CompileOptions: Sendable, Hashable {
    /// How many copies of the program run on different data.
    public var replicas: Int
    /// Over how many devices each copy is split.
    public var partitions: Int
    /// Whether XLA splits a program written for one device, following its sharding annotations.
    public var usesSPMDPartitioning: Bool
    /// Whether sharding is propagated by Shardy, and annotated with its `sdy` dialect, rather than GSPMD.
    public var usesShardy: Bool
    /// Device numbers, `[replica][partition]`; the client's own choice where nil.
    public var deviceAssignment: [[Int]]?
    /// Whether the executable may run on any device, named at each execution, rather than on the assigned one.
    public var isPortable: Bool
    /// Values for XLA's debug options by name, such as `xla_cpu_enable_fast_math`; they outrank `XLA_FLAGS`.
    public var overrides: [String: NamedValue]

    public init(
        replicas: Int = 1, partitions: Int = 1, usesSPMDPartitioning: Bool = false, usesShardy: Bool = false,
        deviceAssignment: [[Int]]? = nil, isPortable: Bool = false, overrides: [String: NamedValue] = [:]
    ) {
        self.replicas = replicas
        self.partitions = partitions
        self.usesSPMDPartitioning = usesSPMDPartitioning
        self.usesShardy = usesShardy
        self.deviceAssignment = deviceAssignment
        self.isPortable = isPortable
        self.overrides = overrides
    }

    /// How many devices an execution uses.
    public var deviceCount: Int { replicas * partitions }
}

extension CompileOptions {
    /// The options as XLA's `CompileOptionsProto` (`xla/pjrt/proto/compile_options.proto`).
    ///
    /// The counts are always written: a plugin aborts the process on zero replicas, which an absent field means. So is
    /// the device ordinal, whose absence means device 0 and not "unset", which is -1.
    func serialized() throws -> [UInt8] {
        guard replicas > 0, partitions > 0 else {
            throw CompileOptionsError.noDevices(replicas: replicas, partitions: partitions)
        }
        if let deviceAssignment {
            guard deviceAssignment.count == replicas, deviceAssignment.allSatisfy({ $0.count == partitions }) else {
                throw CompileOptionsError.deviceAssignment(
                    deviceAssignment, replicas: replicas, partitions: partitions)
            }
        }
        var build = ProtobufWriter()
        build.integer(1, -1)
        build.integer(4, replicas)
        build.integer(5, partitions)
        if usesSPMDPartitioning { build.bool(6, true) }
        if let deviceAssignment { build.message(9, Self.serialized(deviceAssignment)) }
        if usesShardy { build.bool(19, true) }

        var options = ProtobufWriter()
        options.message(3, build)
        if isPortable { options.bool(4, true) }
        for (name, value) in overrides.sorted(by: { $0.key < $1.key }) {
            var entry = ProtobufWriter()
            entry.string(1, name)
            entry.message(2, Self.serialized(value))
            options.message(7, entry)
        }
        return options.bytes
    }

    /// `DeviceAssignmentProto` (`xla/xla_data.proto`): one list of replicas for each partition.
    private static func serialized(_ assignment: [[Int]]) -> ProtobufWriter {
        var proto = ProtobufWriter()
        let partitions = assignment.first?.count ?? 0
        proto.integer(1, assignment.count)
        proto.integer(2, partitions)
        for partition in 0..<partitions {
            var devices = ProtobufWriter()
            devices.packed(1, assignment.map { $0[partition] })
            proto.message(3, devices)
        }
        return proto
    }

    /// `OptionOverrideProto`. It has no list, which is spelled as XLA's flags spell one.
    private static func serialized(_ value: NamedValue) -> ProtobufWriter {
        var proto = ProtobufWriter()
        switch value {
        case .string(let value): proto.string(1, value)
        case .bool(let value): proto.bool(2, value)
        case .integer(let value): proto.integer(3, value)
        case .float(let value): proto.double(4, Double(value))
        case .integers(let values): proto.string(1, values.map(String.init).joined(separator: ","))
        }
        return proto
    }
}
