public import Logging
import PJRT
import Synchronization
public import XLA

/// What an engine logged, for tests to read.
public final class LogRecord: LogHandler, Sendable {
    public struct Line: Sendable {
        public let level: Logger.Level
        public let message: String
        public let metadata: [String: String]
    }

    private let storage = Mutex([Line]())

    public var lines: [Line] { storage.withLock { $0 } }
    public func messages(_ level: Logger.Level) -> [String] { lines.filter { $0.level == level }.map(\.message) }

    public var logger: Logger { Logger(label: "test") { _ in self } }

    // A handler of one logger, which nobody changes.
    public var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    public var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    public subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    public func log(event: LogEvent) {
        let line = Line(
            level: event.level, message: "\(event.message)",
            metadata: (event.metadata ?? [:]).mapValues { "\($0)" })
        storage.withLock { $0.append(line) }
    }
}

/// An engine of its own, with what it logs.
public func recordingEngine(
    cacheFolder: String? = nil, compiler: CompilerProcess? = nil, compilation: Function.Compilation = .standard
) throws -> (engine: Engine, log: LogRecord) {
    let log = LogRecord()
    let engine = try Engine(
        platform: .cpu, cacheFolder: cacheFolder, compiler: compiler, compilation: compilation, log: log.logger)
    return (engine, log)
}
