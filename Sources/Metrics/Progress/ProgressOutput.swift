#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Where progress is shown, and what can be shown there.
public struct ProgressOutput: Sendable {
    enum Kind: Sendable, Hashable {
        /// One line, drawn over and over.
        case terminal
        /// A line now and then: a log file or a pipe.
        case plain
        case silent
    }

    var kind: Kind
    var style: ProgressStyle
    /// The width of the terminal, in columns.
    var columns: @Sendable () -> Int
    var write: @Sendable (String) -> Void

    /// Standard error: a live line on a terminal, else a plain line now and then.
    ///
    /// `NO_COLOR` (any value but none) takes the colour away, `TERM=dumb` the live line, and a locale without UTF-8 the
    /// line-drawing characters.
    public static let standardError = ProgressOutput(
        environment: { name in getenv(name).map { String(cString: $0) } }, isTerminal: isatty(2) == 1)

    /// Shows nothing.
    public static let silent = ProgressOutput(
        kind: .silent, style: ProgressStyle(usesColor: false, usesUnicode: false), columns: { 0 }, write: { _ in })

    init(
        kind: Kind, style: ProgressStyle, columns: @escaping @Sendable () -> Int,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.kind = kind
        self.style = style
        self.columns = columns
        self.write = write
    }

    init(environment: (String) -> String?, isTerminal: Bool) {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(environment).first { !$0.isEmpty } ?? ""
        let codeset = locale.uppercased().filter { $0 != "-" }
        self.init(
            kind: isTerminal && environment("TERM") != "dumb" ? .terminal : .plain,
            style: ProgressStyle(
                usesColor: (environment("NO_COLOR") ?? "").isEmpty, usesUnicode: codeset.contains("UTF8")),
            columns: {
                var size = winsize()
                return ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
            },
            write: writeToStandardError)
    }
}

@Sendable private func writeToStandardError(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
        let count = bytes.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
        // A progress display that cannot be shown is no reason to stop the work.
        guard count > 0 else { return }
        bytes = bytes.dropFirst(count)
    }
}
