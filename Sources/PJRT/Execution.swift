import CPJRT

/// An execution under way on one or several devices.
public struct Execution: Sendable {
    /// `[device][output]`, in the order of the executable's devices.
    public let outputs: [[Buffer]]
    /// Complete when each device is done; fail with the device's error.
    public let completion: [Event]

    /// Blocks until every device is done.
    public func wait() throws {
        for event in completion { try event.wait() }
    }

    /// Suspends until every device is done.
    public func completed() async throws {
        for event in completion { try await event.completed() }
    }
}

extension LoadedExecutable {
    /// Runs the program on one device, and returns when it is queued; using an output waits for it.
    ///
    /// Arguments the program aliases to outputs (`tf.aliasing_output`) are donated: deleted by this call.
    ///
    /// - Parameters:
    ///   - device: only for a portable executable; it must hold the arguments.
    ///   - keeping: the indices of arguments not to donate; their outputs are copies instead.
    public func execute(_ arguments: [Buffer], device: Device? = nil, keeping: [Int] = []) throws -> [Buffer] {
        try run([arguments], device: device, keeping: keeping, wantsCompletion: false).outputs[0]
    }

    /// Runs the program on all its devices, one list of arguments for each of `addressableDevices`, and returns when it
    /// is queued; using an output waits for it. Donates as the other form does.
    ///
    /// - Returns: `[device][output]`.
    @_disfavoredOverload
    public func execute(_ arguments: [[Buffer]], keeping: [Int] = []) throws -> [[Buffer]] {
        try run(arguments, device: nil, keeping: keeping, wantsCompletion: false).outputs
    }

    /// As `execute`, with events for the completion of each device, for programs without outputs or to find their errors.
    public func launch(_ arguments: [[Buffer]], device: Device? = nil, keeping: [Int] = []) throws -> Execution {
        try run(arguments, device: device, keeping: keeping, wantsCompletion: true)
    }

    private func run(
        _ arguments: [[Buffer]], device: Device?, keeping: [Int], wantsCompletion: Bool
    ) throws -> Execution {
        let operation = "execute '\(name)'"
        try check(arguments, device: device, operation)
        let argumentCount = arguments[0].count
        // PJRT reads and writes `[device][…]` tables as arrays of row pointers.
        let inputs = arguments.flatMap { $0.map { Optional($0.handle) } }
        var outputs = [OpaquePointer?](repeating: nil, count: arguments.count * outputCount)
        var events = [OpaquePointer?](repeating: nil, count: arguments.count)
        try inputs.withUnsafeBufferPointer { inputs in
            try outputs.withUnsafeMutableBufferPointer { outputs in
                try events.withUnsafeMutableBufferPointer { events in
                    let inputRows = arguments.indices.map { inputs.baseAddress?.advanced(by: $0 * argumentCount) }
                    let outputRows = arguments.indices.map { outputs.baseAddress?.advanced(by: $0 * outputCount) }
                    try call(
                        operation, inputRows, argumentCount, outputRows, wantsCompletion ? events.baseAddress : nil,
                        device, keeping)
                }
            }
        }
        // The plugin holds what it needs of the arguments once it has queued the execution.
        withExtendedLifetime(arguments) {}
        let completion = events.compactMap { event in
            event.map { Event(adopting: $0, operation: operation, client: client) }
        }
        let buffers = try Buffer.adopt(outputs.compactMap(\.self), client: client)
        return Execution(
            outputs: arguments.indices.map { Array(buffers[$0 * outputCount..<($0 + 1) * outputCount]) },
            completion: completion)
    }

    private func call(
        _ operation: String, _ inputRows: [UnsafePointer<OpaquePointer?>?], _ argumentCount: Int,
        _ outputRows: [UnsafeMutablePointer<OpaquePointer?>?], _ events: UnsafeMutablePointer<OpaquePointer?>?,
        _ device: Device?, _ keeping: [Int]
    ) throws {
        try keeping.map { Int64($0) }.withUnsafeBufferPointer { keeping in
            try withFrame(of: PJRT_ExecuteOptions.self) { options in
                options.pointee.non_donatable_input_indices = keeping.baseAddress
                options.pointee.num_non_donatable_input_indices = keeping.count
                try inputRows.withUnsafeBufferPointer { inputRows in
                    try outputRows.withUnsafeBufferPointer { outputRows in
                        _ = try client.plugin.call(
                            operation, client.plugin.api.pointee.PJRT_LoadedExecutable_Execute
                        ) {
                            $0.executable = handle
                            $0.options = options
                            $0.argument_lists = inputRows.baseAddress
                            $0.num_devices = inputRows.count
                            $0.num_args = argumentCount
                            $0.output_lists = outputRows.baseAddress
                            $0.device_complete_events = events
                            $0.execute_device = device?.record.handle
                        }
                    }
                }
            }
        }
    }

    /// Finds the mistakes that some plugins answer with a crash.
    private func check(_ arguments: [[Buffer]], device: Device?, _ operation: String) throws {
        let expected = device == nil ? max(addressableDevices.count, 1) : 1
        guard arguments.count == expected else {
            throw ExecutionError.deviceCount(executable: name, expected: expected, actual: arguments.count)
        }
        guard arguments.allSatisfy({ $0.count == arguments[0].count }) else {
            throw ExecutionError.raggedArguments(executable: name, counts: arguments.map(\.count))
        }
        guard device == nil || device?.client === client else { throw BufferError.otherClient(operation: operation) }
        for list in arguments {
            for (index, buffer) in list.enumerated() {
                guard buffer.client === client else { throw BufferError.otherClient(operation: operation) }
                try buffer.requireAlive("\(operation) with argument \(index)")
            }
        }
    }
}
