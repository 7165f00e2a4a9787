#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A call to the operating system about a file that failed.
public struct FileError: Error, Hashable, CustomStringConvertible {
    /// What was being done.
    public enum Action: String, Sendable {
        case open, read, write, create, rename, remove, list
        case flush = "flush to disk"
        case lock
    }

    public let path: String
    public let action: Action
    /// The `errno` value.
    public let code: Int32

    public init(path: String, action: Action, code: Int32) {
        self.path = path
        self.action = action
        self.code = code
    }

    /// Whether the disk, or the user's share of it, is full.
    public var isOutOfSpace: Bool { code == ENOSPC || code == EDQUOT }
    public var isNotFound: Bool { code == ENOENT }
    /// Whether the process, or the system, has too many files open or too little memory, whatever the file.
    var isOfTheProcess: Bool { [EMFILE, ENFILE, ENOMEM].contains(code) }

    /// In the system's words, as in "No such file or directory".
    public var reason: String { String(cString: strerror(code)) }

    public var description: String {
        "\(path): cannot \(action.rawValue): \(reason). \(remedy)"
    }

    private var remedy: String {
        switch code {
        case ENOSPC, EDQUOT:
            "Free some space on that disk, or write to another one."
        case ENOENT: "Check the spelling, and that the folder exists."
        case EACCES, EPERM: "Check the permissions of the file and of its folder."
        case EROFS: "That disk is read-only; choose another folder."
        case EISDIR: "That is a folder; name a file in it."
        case ESPIPE: "It has to be an ordinary file, not a pipe or a device."
        case EMFILE, ENFILE: "Close other files, or raise the limit with `ulimit -n`."
        case EPIPE: "The program reading from this one has ended."
        case EWOULDBLOCK: "Another process is using it; wait for it to end, or choose another folder."
        case EFBIG: "The file would be larger than this disk or `ulimit -f` allows."
        case EIO: "The disk reports a hardware fault; check it before writing more to it."
        default: "(error \(code))"
        }
    }
}
