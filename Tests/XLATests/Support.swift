import Logging
import PJRT
import Synchronization
import Tensor
import TestSupport
import Testing
import XLA

/// What an engine logged, for tests to read.
final class LogRecord: LogHandler, Sendable {
    struct Line: Sendable {
        let level: Logger.Level
        let message: String
        let metadata: [String: String]
    }

    private let storage = Mutex([Line]())

    var lines: [Line] { storage.withLock { $0 } }
    func messages(_ level: Logger.Level) -> [String] { lines.filter { $0.level == level }.map(\.message) }

    var logger: Logger { Logger(label: "test") { _ in self } }

    // A handler of one logger, which nobody changes.
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        let line = Line(
            level: event.level, message: "\(event.message)",
            metadata: (event.metadata ?? [:]).mapValues { "\($0)" })
        storage.withLock { $0.append(line) }
    }
}

/// An engine of its own, with what it logs.
func recordingEngine(cacheFolder: String? = nil) throws -> (engine: Engine, log: LogRecord) {
    let log = LogRecord()
    return (try Engine(platform: .cpu, cacheFolder: cacheFolder, log: log.logger), log)
}

extension Function {
    /// Runs on host arrays.
    func run(_ arguments: Tree<HostArray>, on engine: Engine) throws -> Tree<HostArray> {
        try self(engine.upload(arguments)).hostArrays()
    }
}

func vector(_ values: Float...) -> HostArray { HostArray(values) }
