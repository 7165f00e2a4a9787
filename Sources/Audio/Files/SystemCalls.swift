#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

func systemMessage(_ code: Int32) -> String { String(cString: strerror(code)) }

/// Waits until something may be read or written, and is true. A pipe or terminal that does not wait itself is so for all who share it, and
/// it may have been another program that made it so.
private func waited(for descriptor: Int32, _ event: Int) -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(event), revents: 0)
    poll(&request, 1, -1)
    return true
}

/// Whether something has arrived, or the end has, within so long.
func isReadable(_ descriptor: Int32, milliseconds: Int32) -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&request, 1, milliseconds) > 0
}

/// One `read(2)`: what has arrived, up to `limit` bytes; empty at the end of the input.
func readBytes(_ descriptor: Int32, atMost limit: Int, path: String) throws -> [UInt8] {
    var code: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
        var result: Int
        repeat {
            result = read(descriptor, buffer.baseAddress, limit)
        } while result < 0 && (errno == EINTR || errno == EAGAIN && waited(for: descriptor, Int(POLLIN)))
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
            } else if errno != EINTR && !(errno == EAGAIN && waited(for: descriptor, Int(POLLOUT))) {
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
