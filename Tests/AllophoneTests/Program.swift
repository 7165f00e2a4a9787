import Foundation
import TestSupport
import Testing

/// The built `allophone`, run as a user runs it.
///
/// Compiled programs are kept beside it, so only the first run of the suite after a change waits for the compiler.
enum Program {
    static let path = folder.appending(path: "allophone").path
    /// Where compiled programs are kept between runs of the tests.
    static let cacheFolder = folder.appending(path: "allophone-test-cache").path
    private static let folder = (Bundle.main.executableURL ?? Bundle.main.bundleURL).deletingLastPathComponent()

    /// How a run ended, and what it wrote.
    struct Outcome {
        var status: Int32
        var signal: Int32?
        var output: [UInt8]
        var messages: String

        var text: String { String(decoding: output, as: UTF8.self) }

        /// The one line of JSON on standard output.
        func json() throws -> [String: Any] {
            try #require(JSONSerialization.jsonObject(with: Data(output)) as? [String: Any])
        }
    }

    /// A run that has been started.
    final class Running {
        let process = Process()
        private let scratch: TemporaryFolder

        /// - Parameter input: the file that is standard input.
        fileprivate init(
            _ executable: String, _ arguments: [String], environment: [String: String], input: FileHandle?,
            output: FileHandle?
        ) throws {
            scratch = try TemporaryFolder()
            process.executableURL = URL(filePath: executable)
            process.arguments = arguments
            var variables = ProcessInfo.processInfo.environment
            variables["ALLOPHONE_CACHE"] = cacheFolder
            variables["ALLOPHONE_XLA_COMPILATION"] = "quick"
            variables["ALLOPHONE_MODEL"] = nil
            variables["ALLOPHONE"] = path
            process.environment = variables.merging(environment) { $1 }
            process.standardInput = input ?? FileHandle.nullDevice
            // Into files: a pipe that nobody empties would stop the program.
            process.standardOutput = try output ?? scratch.writing("output")
            process.standardError = try scratch.writing("messages")
            try process.run()
        }

        func wait() throws -> Outcome {
            process.waitUntilExit()
            let isSignal = process.terminationReason == .uncaughtSignal
            return Outcome(
                status: isSignal ? 128 + process.terminationStatus : process.terminationStatus,
                signal: isSignal ? process.terminationStatus : nil,
                output: (try? contents(of: scratch.file("output"))) ?? [],
                messages: String(decoding: try contents(of: scratch.file("messages")), as: UTF8.self))
        }

        /// Waits until `condition` holds, at most two minutes and no longer than the run.
        func wait(until condition: () throws -> Bool) throws {
            let end = ContinuousClock.now + .seconds(120)
            while try !condition() {
                guard process.isRunning, ContinuousClock.now < end else {
                    process.terminate()
                    Issue.record("ended or stood still before what was waited for: \(try wait().messages)")
                    return
                }
                usleep(5000)
            }
        }
    }

    static func start(
        _ arguments: [String], environment: [String: String] = [:], input: FileHandle? = nil,
        output: FileHandle? = nil
    ) throws -> Running {
        try Running(path, arguments, environment: environment, input: input, output: output)
    }

    /// Runs to the end.
    static func run(
        _ arguments: [String], environment: [String: String] = [:], input: FileHandle? = nil
    ) throws -> Outcome {
        try start(arguments, environment: environment, input: input).wait()
    }

    /// Runs a line of bash, in which `$ALLOPHONE` is the program, and `$1` and so on are `arguments`.
    static func bash(_ line: String, _ arguments: String...) throws -> Outcome {
        try startBash(line, arguments).wait()
    }

    static func startBash(_ line: String, _ arguments: [String]) throws -> Running {
        try Running("/bin/bash", ["-c", line, "bash"] + arguments, environment: [:], input: nil, output: nil)
    }

    /// Runs to an end that is expected to be good.
    @discardableResult
    static func succeed(
        _ arguments: String..., input: FileHandle? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        let outcome = try run(arguments, input: input)
        #expect(outcome.status == 0, "\(outcome.messages)", sourceLocation: sourceLocation)
        return outcome
    }

    /// Runs to an end that is expected to be bad in the way that a script and its user need: this status; the reason on
    /// standard error, naming all of `mentions`; nothing on standard output; and no file in `folder` made, changed or lost.
    static func fail(
        _ arguments: [String], status: Int32, mentions: [String], in folder: TemporaryFolder,
        environment: [String: String] = [:], input: FileHandle? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = try folder.snapshot()
        let outcome = try run(arguments, environment: environment, input: input)
        expectFailure(outcome, status: status, mentions: mentions, sourceLocation: sourceLocation)
        #expect(try folder.snapshot() == before, "nothing is left behind", sourceLocation: sourceLocation)
    }

    static func expectFailure(
        _ outcome: Outcome, status: Int32, mentions: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(outcome.status == status, "\(outcome.messages)", sourceLocation: sourceLocation)
        #expect(outcome.output.isEmpty, sourceLocation: sourceLocation)
        #expect(
            outcome.messages.hasPrefix(status == 64 ? "" : "error: "), "\(outcome.messages)",
            sourceLocation: sourceLocation)
        for mention in mentions {
            #expect(outcome.messages.contains(mention), "\(outcome.messages)", sourceLocation: sourceLocation)
        }
    }
}

extension TemporaryFolder {
    func writing(_ name: String) throws -> FileHandle {
        try write([], to: file(name))
        return try FileHandle(forWritingTo: URL(filePath: file(name)))
    }

    func reading(_ name: String) throws -> FileHandle { try FileHandle(forReadingFrom: URL(filePath: file(name))) }

    /// Every file below the folder, hidden ones too, with its bytes; `nil` stands for a folder.
    func snapshot() throws -> [String: [UInt8]?] {
        let names = try #require(FileManager.default.enumerator(atPath: path)).compactMap { $0 as? String }
        return Dictionary(uniqueKeysWithValues: names.map { ($0, try? contents(of: file($0))) })
    }

    /// Whether a file that is not complete yet is in the folder.
    func hasPartialFile() throws -> Bool { try entries().contains { $0.hasPrefix(".") } }
}

/// Holds every test that runs the program but does not train, one after another: they would only take the processor from each other.
@Suite(.serialized) struct CommandLineTests {}

/// Holds those that train, which mostly wait for a compiler of one thread.
@Suite(.serialized) struct TrainingCommandTests {}
