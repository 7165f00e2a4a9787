/// A buffer used in a way its state or shape does not allow; found before the plugin is asked.
public enum BufferError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The buffer's memory is gone: it was donated to an execution, or deleted.
    case deleted(operation: String, type: ElementType, dimensions: [Int])
    case byteCount(type: ElementType, dimensions: [Int], expected: Int, actual: Int)
    /// A dimension is negative, or the array is larger than memory can be.
    case invalidDimensions([Int])
    case otherClient(operation: String)
    case unsupportedElementType(code: UInt32)

    public var description: String {
        switch self {
        case .deleted(let operation, let type, let dimensions):
            "cannot \(operation): the \(type)\(dimensions) buffer was donated or deleted; "
                + "use the output that replaced it, or exclude it from donation"
        case .byteCount(let type, let dimensions, let expected, let actual):
            "a \(type)\(dimensions) buffer holds \(expected) bytes, but \(actual) were given"
        case .invalidDimensions(let dimensions):
            "\(dimensions) is no array's shape: a dimension is negative, or the size overflows"
        case .otherClient(let operation):
            "cannot \(operation): the buffer or device belongs to another client; copy it through the host"
        case .unsupportedElementType(let code):
            "PJRT element type \(code) is not one that buffers carry here; convert it inside the program"
        }
    }
}

/// A client option whose value the plugin would answer by ending the process.
public enum ClientOptionError: Error, Sendable, Equatable, CustomStringConvertible {
    case cpuDeviceCount(NamedValue)

    public var description: String {
        switch self {
        case .cpuDeviceCount(let value): "cpu_device_count is a number of devices, at least 1, not \(value)"
        }
    }
}

/// Compile options that contradict themselves; some plugins answer them by ending the process.
public enum CompileOptionsError: Error, Sendable, Equatable, CustomStringConvertible {
    case noDevices(replicas: Int, partitions: Int)
    /// The assignment is not one device for each partition of each replica.
    case deviceAssignment([[Int]], replicas: Int, partitions: Int)

    public var description: String {
        switch self {
        case .noDevices(let replicas, let partitions):
            "a program needs at least one replica and one partition, not \(replicas) and \(partitions)"
        case .deviceAssignment(let assignment, let replicas, let partitions):
            "the device assignment \(assignment) is not \(replicas) replicas of \(partitions) partitions each"
        }
    }
}

/// An execution whose arguments do not fit the executable; found before the plugin is asked.
public enum ExecutionError: Error, Sendable, Equatable, CustomStringConvertible {
    case deviceCount(executable: String, expected: Int, actual: Int)
    /// Devices were given different numbers of arguments.
    case raggedArguments(executable: String, counts: [Int])

    public var description: String {
        switch self {
        case .deviceCount(let executable, let expected, let actual):
            "'\(executable)' runs on \(expected) devices, but argument lists for \(actual) were given"
        case .raggedArguments(let executable, let counts):
            "'\(executable)' takes the same number of arguments on every device, but was given \(counts)"
        }
    }
}
