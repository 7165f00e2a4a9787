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
        // Compiler messages end in line breaks, which would split a caller's own sentence.
        let end = message.lastIndex { !$0.isWhitespace }.map { message.index(after: $0) } ?? message.startIndex
        self.init(
            code: code ?? .unknown, operation: operation, message: String(message[..<end]), plugin: plugin.path)
    }

    private static func destroy(_ error: OpaquePointer, _ api: PJRT_Api) {
        withFrame(of: PJRT_Error_Destroy_Args.self) { frame in
            frame.pointee.error = error
            api.PJRT_Error_Destroy?(frame)
        }
    }
}

/// The result of `body`, or nil where the plugin does not implement what it asks for.
func ifImplemented<Result>(_ body: () throws -> Result) throws -> Result? {
    do {
        return try body()
    } catch let error as PJRTError where error.code == .unimplemented {
        return nil
    }
}
