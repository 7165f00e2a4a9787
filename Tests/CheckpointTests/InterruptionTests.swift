import Checkpoint
import Glibc
import Tensor
import TestSupport
import Testing

/// A save that ends anywhere leaves a checkpoint to go on from: the one before, or already the new one.
@Suite struct InterruptionTests {
    let folder: TemporaryFolder
    let store: CheckpointStore

    init() throws {
        folder = try TemporaryFolder()
        store = CheckpointStore(folder: folder.file("checkpoints"), retention: .init(last: 1))
    }

    /// A checkpoint that can be told from others by `value`, spread over several files.
    private func save(_ value: Int, step: Int) throws {
        try store.save(
            step: step,
            arrays: ["model": ["w": HostArray([Int64(value)])], "optimizer": ["m": HostArray([Int64(value)])]],
            state: value)
    }

    /// The value of the latest checkpoint, which must be the same in all of its files.
    private func latestValue() throws -> Int {
        let loaded = try #require(try store.latest())
        let value = try loaded.state(as: Int.self)
        for file in ["model", "optimizer"] {
            #expect(try loaded.arrays(file).values.map { $0.doubles } == [[Double(value)]])
        }
        return value
    }

    @Test(arguments: [(100, 200), (100, 100)])
    func aProcessKilledBetweenAnyTwoChangesLeavesAWholeCheckpoint(old: Int, new: Int) throws {
        var count = 0
        var outcomes: [Int] = []
        while true {
            if Disk.exists(store.folder) { try Disk.removeFolder(store.folder) }
            try save(1, step: old)
            let died = try dying(after: count) { try save(2, step: new) }
            outcomes.append(try latestValue())
            for step in try store.steps {
                #expect(throws: Never.self, "what has a name is whole") { try store.checkpoint(step: step) }
            }
            try save(3, step: new)
            #expect(try latestValue() == 3)
            let kept = new == 100 ? "step-00000100" : "step-00000200"
            #expect(try Disk.entries(of: store.folder) == [".lock", kept], "the next save cleans up")
            if !died { break }
            count += 1
        }
        #expect(count > 20, "the protocol has that many steps")
        #expect(outcomes == outcomes.sorted(), "once the new checkpoint is there it stays")
        #expect(outcomes.first == 1 && outcomes.last == 2)
    }

    @Test(arguments: [(100, 200), (100, 100)])
    func aFullDiskAtAnyMomentIsAnErrorAndLeavesAWholeCheckpoint(old: Int, new: Int) throws {
        var index = 0
        while true {
            if Disk.exists(store.folder) { try Disk.removeFolder(store.folder) }
            try save(1, step: old)
            let failed = try failing(at: index, with: ENOSPC) { try save(2, step: new) }
            #expect([1, 2].contains(try latestValue()))
            #expect(try !Disk.entries(of: store.folder).contains { $0.hasPrefix(".partial") })
            #expect(try !failed || latestValue() == 2 || store.steps.contains(old), "what was there has its name")
            if !failed { break }
            index += 1
        }
        #expect(index > 20)
    }

    @Test func theFirstSaveKilledIsNoCheckpointAndNoError() throws {
        for count in 0..<10 {
            #expect(try dying(after: count) { try save(1, step: 1) })
            #expect(try store.latest() == nil)
        }
    }

    @Test(arguments: [5, 25, 60])
    func aRunKilledBySignalNineGoesOnFromItsLastCheckpoint(milliseconds: Int) async throws {
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = store.folder as String, milliseconds] in
            let store = CheckpointStore(folder: path, retention: .init(last: 2))
            try store.save(step: 1, arrays: ["model": ["w": HostArray([1] as [Int64])]], state: 1)
            Task.detached {
                try await Task.sleep(for: .milliseconds(milliseconds))
                kill(getpid(), SIGKILL)
            }
            for step in 2... {
                let weights = ["w": HostArray([Int64](repeating: Int64(step), count: 10_000))]
                try store.save(step: step, arrays: ["model": weights], state: step)
            }
        }
        let loaded = try #require(try store.latest())
        #expect(loaded.skipped == [], "what has a name is whole")
        #expect(try loaded.state(as: Int.self) == loaded.step)
        #expect(try loaded.arrays("model")["w"]?.values(as: Int64.self).allSatisfy { $0 == loaded.step } == true)
    }
}
