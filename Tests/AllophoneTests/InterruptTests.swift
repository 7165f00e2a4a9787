import Foundation
import Testing

@testable import allophone

@Suite struct InterruptTests {
    /// Commands have several parts, each of which may ask.
    @Test func aSignalIsHeardByWhoeverAsks() async {
        await #expect(processExitsWith: .exitCode(77)) {
            let first = Interrupt()
            if first.isSet { exit(1) }
            let second = Interrupt()
            kill(getpid(), SIGTERM)
            for _ in 0..<500 where !second.isSet { usleep(10_000) }
            if second.isSet && Interrupt().isSet { exit(77) }
        }
    }

    @Test func aSecondSignalEndsTheProcess() async {
        await #expect(processExitsWith: .exitCode(128 + SIGTERM)) {
            let interrupt = Interrupt()
            kill(getpid(), SIGTERM)
            for _ in 0..<500 where !interrupt.isSet { usleep(10_000) }
            kill(getpid(), SIGTERM)
            sleep(10)
        }
    }

    @Test func whatNohupIgnoresStaysIgnored() async {
        await #expect(processExitsWith: .exitCode(77)) {
            signal(SIGHUP, SIG_IGN)
            let interrupt = Interrupt()
            kill(getpid(), SIGHUP)
            usleep(300_000)
            if !interrupt.isSet { exit(77) }
        }
    }
}
