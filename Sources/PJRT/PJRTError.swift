import CPJRT

/// A failure the plugin reported: what was attempted, the plugin's code and its own message.
public struct PJRTError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The status codes of Abseil, which every PJRT plugin uses.
    public enum Code: UInt32, Sendable {
        case cancelled = 1
        case unknown = 2
        case invalidArgument = 3
        case deadlineExceeded = 4
        case notFound = 5
        case alreadyExists = 6
        case permissionDenied = 7
        case resourceExhausted = 8
        case failedPrecondition = 9
        case aborted = 10
        case outOfRange = 11
        case unimplemented = 12
        case `internal` = 13
        case unavailable = 14
        case dataLoss = 15
        case unauthenticated = 16
    }

    public let code: Code
    /// What was attempted, as the end of the sentence "cannot …".
    public let operation: String
    public let message: String
    /// The plugin's file.
    public let plugin: String

    public var description: String { "cannot \(operation): \(message) (\(code), from \(plugin))" }
}

extension PJRTError {
    /// Reads and destroys `error`, which the caller owns and must not use again.
    init(consuming error: OpaquePointer, operation: String, plugin: Plugin) {
        let api = plugin.api.pointee
        let code = withFrame(of: PJRT_Error_GetCode_Args.self) { frame in
            frame.pointee.error = error
            // An error while reading an error has nowhere to go: the code is then unknown.
            guard let nested = api.PJRT_Error_GetCode?(frame) else {
                return Code(rawValue: frame.pointee.code.rawValue)
            }
            Self.destroy(nested, api)
            return nil
        }
        let message = withFrame(of: PJRT_Error_Message_Args.self) { frame in
            frame.pointee.error = error
            api.PJRT_Error_Message?(frame)
            return String(frame.pointee.message, count: frame.pointee.message_size)
        }
        Self.destroy(error, api)
        self.init(code: code ?? .unknown, operation: operation, message: message, plugin: plugin.path)
    }

    private static func destroy(_ error: OpaquePointer, _ api: PJRT_Api) {
        withFrame(of: PJRT_Error_Destroy_Args.self) { frame in
            frame.pointee.error = error
            api.PJRT_Error_Destroy?(frame)
        }
    }
}

/// A buffer used in a way its state or shape does not allow; found before the plugin is asked.
public enum BufferError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The buffer's memory is gone: it was donated to an execution, or deleted.
    case deleted(operation: String, type: ElementType, dimensions: [Int])
    case byteCount(type: ElementType, dimensions: [Int], expected: Int, actual: Int)
    case negativeDimension([Int])
    case otherClient(operation: String)
    case unsupportedElementType(code: UInt32)

    public var description: String {
        switch self {
        case .deleted(let operation, let type, let dimensions):
            "cannot \(operation): the \(type)\(dimensions) buffer was donated or deleted; "
                + "use the output that replaced it, or exclude it from donation"
        case .byteCount(let type, let dimensions, let expected, let actual):
            "a \(type)\(dimensions) buffer holds \(expected) bytes, but \(actual) were given"
        case .negativeDimension(let dimensions):
            "\(dimensions) has a negative dimension"
        case .otherClient(let operation):
            "cannot \(operation): the buffer or device belongs to another client; copy it through the host"
        case .unsupportedElementType(let code):
            "PJRT element type \(code) is not one that buffers carry here; convert it inside the program"
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
