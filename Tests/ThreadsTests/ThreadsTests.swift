import Foundation
import Testing
import Threads

@Suite struct ThreadsTests {
    /// `@unchecked Sendable`: read and written under `monitor` alone.
    private final class Tally: @unchecked Sendable {
        let monitor = Monitor()
        var value = 0
        var ended = 0
    }

    @Test func theLockKeepsOthersOutAndABroadcastWakesWhoWaits() {
        let tally = Tally()
        for number in 0..<4 {
            startThread(name: "tally.\(number)", stackSize: 256 << 10) {
                for _ in 0..<10_000 { tally.monitor.withLock { tally.value += 1 } }
                tally.monitor.withLock {
                    tally.ended += 1
                    tally.monitor.broadcast()
                }
            }
        }
        tally.monitor.withLock {
            while tally.ended < 4 { tally.monitor.wait() }
            #expect(tally.value == 40_000)
        }
    }

    @Test func aThreadThatCannotBeIsTold() {
        #expect(!startThread(name: "huge", stackSize: 1 << 60) {})
    }

    #if os(Linux)
        @Test func aThreadHasItsName() throws {
            let found = Found<String>()
            startThread(name: "allophone.native.1", stackSize: 256 << 10) {
                found.set((try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)) ?? "")
            }
            #expect(found.wait() == "allophone.nativ\n")
        }
    #endif

    @Test func aThreadHasItsStack() {
        let found = Found<Int>()
        startThread(name: "deep", stackSize: 64 << 20) { found.set(depth(reaching: 32 << 20, from: nil)) }
        #expect(found.wait() > 0)
    }

    @Test func aPauseIsAtLeastAsLongAsAskedFor() {
        let clock = ContinuousClock()
        let taken = clock.measure { pause(seconds: 0.05) }
        #expect(taken >= .milliseconds(50))
        #expect(clock.measure { pause(seconds: -1) } < .milliseconds(50))
    }
}

/// A value from another thread. `@unchecked Sendable`: read and written under `monitor` alone.
private final class Found<Value: Sendable>: @unchecked Sendable {
    private let monitor = Monitor()
    private var value: Value?

    func set(_ value: Value) {
        monitor.withLock {
            self.value = value
            monitor.broadcast()
        }
    }

    func wait() -> Value {
        monitor.withLock {
            while true {
                if let value { return value }
                monitor.wait()
            }
        }
    }
}

/// Calls itself until so many bytes of stack are in use; how often that was.
private func depth(reaching byteCount: Int, from start: UInt?) -> Int {
    var here: UInt8 = 0
    let place = withUnsafeMutablePointer(to: &here) { UInt(bitPattern: $0) }
    let start = start ?? place
    return start - place >= byteCount ? 1 : 1 + depth(reaching: byteCount, from: start)
}
