import Foundation
import TestSupport
import Testing

@testable import Processes

@Suite struct ChildProcessTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try Data("first\nsecond\n".utf8).write(to: URL(filePath: folder.file("input")))
    }

    private func shell(_ script: String) -> ChildProcess {
        ChildProcess(
            path: "/bin/sh", arguments: ["-c", script, "sh", "a word", "*"], input: folder.file("input"),
            output: folder.file("output"), errors: folder.file("errors"))
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOf: URL(filePath: folder.file(name)), encoding: .utf8)
    }

    @Test func filesAreItsInputAndOutputsAndWordsStayWhole() throws {
        #expect(try shell(#"cat; echo "$1|$2" >&2"#).run(timeout: 20) == .exited(0))
        #expect(try text("output") == "first\nsecond\n")
        #expect(try text("errors") == "a word|*\n")
    }

    @Test func itsStatusOrSignalIsTold() throws {
        #expect(try shell("exit 77").run(timeout: 20) == .exited(77))
        try FileManager.default.removeItem(atPath: folder.file("output"))
        try FileManager.default.removeItem(atPath: folder.file("errors"))
        #expect(try shell("kill -TERM $$").run(timeout: 20) == .killed(signal: SIGTERM))
    }

    @Test func itIsKilledWhenItsTimeIsOver() throws {
        let start = ContinuousClock.now
        #expect(try shell("echo $$; exec sleep 60").run(timeout: 0.3) == .timedOut)
        #expect(ContinuousClock.now - start < .seconds(20))
        let child = try #require(pid_t(try text("output").trimmingCharacters(in: .newlines)))
        #expect(kill(child, 0) == -1 && errno == ESRCH)
    }

    /// In a process of its own, as a signal's disposition is of all threads.
    @Test func itsEndIsToldWhereChildrenAreIgnored() async {
        await #expect(processExitsWith: .exitCode(77)) {
            signal(SIGCHLD, SIG_IGN)
            let outcome = try ChildProcess.run("/bin/sh", ["-c", "exit 77"], input: "", timeout: 20)
            if case .exited(let status) = outcome.end { exit(status) }
        }
    }

    @Test func whatItsParentIgnoresEndsIt() async {
        await #expect(processExitsWith: .exitCode(77)) {
            signal(SIGTERM, SIG_IGN)
            let outcome = try ChildProcess.run("/bin/sh", ["-c", "kill -TERM $$"], input: "", timeout: 20)
            if outcome.end == .killed(signal: SIGTERM) { exit(77) }
        }
    }

    @Test func allThatRunAreKilled() async {
        await #expect(processExitsWith: .exitCode(77)) {
            let thread = Thread {
                while true {
                    usleep(10_000)
                    ChildProcess.killAll()
                }
            }
            thread.start()
            let outcome = try ChildProcess.run("/bin/sh", ["-c", "exec sleep 60"], input: "", timeout: 20)
            if outcome.end == .killed(signal: SIGKILL) { exit(77) }
        }
    }

    @Test func whatItWroteIsKept() throws {
        let outcome = try ChildProcess.run("/bin/sh", ["-c", "cat; echo no >&2; exit 3"], input: "text", timeout: 20)
        #expect(outcome.end == .exited(3) && outcome.output == "text" && outcome.errors == "no\n")
    }

    @Test func itIsInAGroupOfItsOwn() throws {
        #expect(try shell("echo $$; cut -d' ' -f5 /proc/$$/stat").run(timeout: 20) == .exited(0))
        let numbers = try text("output").split(whereSeparator: \.isWhitespace)
        #expect(numbers.count == 2 && numbers.first == numbers.last)
    }

    @Test func aProgramThatIsNotThereIsAFailure() {
        var process = shell("")
        process.path = folder.file("none")
        let error = #expect(throws: ChildProcess.Failure.self) { try process.run(timeout: 1) }
        #expect(error == .system(code: ENOENT))
    }
}
