import CAllophone
import Checkpoint
import Codec
import Native
import Tokenizer

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A call that asks for what cannot be.
struct CallError: Error, CustomStringConvertible {
    let status: allophone_status
    let description: String

    static func argument(_ description: String) -> CallError {
        CallError(status: ALLOPHONE_ERROR_ARGUMENT, description: description)
    }
}

/// Runs what a function of the interface does, and keeps what it throws for `allophone_error_message`.
func attempt(_ body: () throws -> Void) -> allophone_status {
    do {
        try body()
        return ALLOPHONE_OK
    } catch {
        LastError.keep("\(error)")
        return status(of: error)
    }
}

private func status(of error: any Error) -> allophone_status {
    switch error {
    case let error as CallError: error.status
    case is FileError: ALLOPHONE_ERROR_FILE
    case is SafetensorsError, is ModelFileError, is ConfigurationError, is TensorDifferences, is TokenLayoutError,
        PlanError.notFinite:
        ALLOPHONE_ERROR_MODEL
    case CodecError.notFinite, CodecError.tooLoud: ALLOPHONE_ERROR_SAMPLES
    case CodecError.code, CodecError.levelCount: ALLOPHONE_ERROR_CODES
    case CodecError.notLoaded, CodecError.nothingToSearch: ALLOPHONE_ERROR_USE
    default: ALLOPHONE_ERROR_INTERNAL
    }
}

/// The message of the last call on this thread that failed.
enum LastError {
    /// `nil` if the process has no more keys; messages are then lost.
    private static let key: pthread_key_t? = {
        var key = pthread_key_t()
        return pthread_key_create(&key) { free($0) } == 0 ? key : nil
    }()

    static func keep(_ message: String) {
        guard let key else { return }
        let previous = pthread_getspecific(key)
        pthread_setspecific(key, strdup(message))
        free(previous)
    }

    static var message: UnsafePointer<CChar> {
        if let key, let kept = pthread_getspecific(key) {
            return UnsafePointer(kept.assumingMemoryBound(to: CChar.self))
        }
        let empty: StaticString = ""
        return UnsafeRawPointer(empty.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
