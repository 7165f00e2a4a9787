#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

func systemMessage(_ code: Int32) -> String { String(cString: strerror(code)) }

/// One `read(2)`: what has arrived, up to `limit` bytes; empty at the end of the input.
func readBytes(_ descriptor: Int32, atMost limit: Int, path: String) throws -> [UInt8] {
    var code: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
        var result: Int
        repeat { result = read(descriptor, buffer.baseAddress, limit) } while result < 0 && errno == EINTR
        if result < 0 { code = errno }
        count = max(result, 0)
    }
    guard code == 0 else { throw AudioError.cannotOpen(path: path, reason: systemMessage(code)) }
    return bytes
}

/// Writes all of `bytes`, however many calls it takes.
func writeBytes(_ descriptor: Int32, _ bytes: [UInt8], path: String) throws {
    var code: Int32 = 0
    bytes.withUnsafeBytes { buffer in
        var offset = 0
        while offset < buffer.count {
            let result = write(descriptor, buffer.baseAddress! + offset, buffer.count - offset)
            if result > 0 {
                offset += result
            } else if errno != EINTR {
                code = errno
                return
            }
        }
    }
    guard code == 0 else { throw writeError(code, path: path) }
}

func writeError(_ code: Int32, path: String) -> AudioError {
    switch code {
    case ENOSPC, EDQUOT: .noSpace(path: path)
    case EPIPE: .closedPipe(path: path)
    default: .writeFailed(path: path, reason: systemMessage(code))
    }
}
