import Checkpoint
import Glibc
import Tensor
import TestSupport
import Testing

struct RunState: Codable, Equatable {
    var key: UInt64
    var best: Double
    var rate: Float
}

@Suite struct CheckpointStoreTests {
    let folder: TemporaryFolder
    let store: CheckpointStore

    init() throws {
        folder = try TemporaryFolder()
        store = CheckpointStore(folder: folder.file("checkpoints"))
    }

    private func save(_ step: Int, in store: CheckpointStore? = nil) throws {
        try (store ?? self.store).save(
            step: step, arrays: arrays(step), state: RunState(key: UInt64(step), best: .infinity, rate: 0.1))
    }

    private func arrays(_ step: Int) -> [String: [String: HostArray]] {
        [
            "model": ["w": HostArray([Float](repeating: Float(step), count: 100))],
            "optimizer": ["m": HostArray([Int64(step)])],
        ]
    }

    private func flip(_ file: String, step: Int, at offset: Int) throws {
        let path = "\(store.folder)/step-\(String(100_000_000 + step).dropFirst())/\(file)"
        var bytes = try contents(of: path)
        bytes[offset] ^= 4
        try write(bytes, to: path)
    }

    @Test func whatIsSavedIsLoadedExactly() throws {
        let state = RunState(key: .max, best: .infinity, rate: 0.1)
        let path = try store.save(
            step: 1200, arrays: arrays(1200), metadata: ["model": ["configuration": "{}"]], state: state)
        #expect(path.hasSuffix("/checkpoints/step-00001200"))
        let loaded = try #require(try store.latest())
        #expect(loaded.step == 1200)
        #expect(loaded.skipped == [])
        #expect(loaded.files == ["model", "optimizer"])
        for file in loaded.files { #expect(try loaded.arrays(file) == arrays(1200)[file]) }
        #expect(try loaded.file("model").metadata == ["configuration": "{}"])
        #expect(try loaded.state(as: RunState.self) == state)
    }

    @Test func aFolderWithoutCheckpointsHasNoLatest() throws {
        #expect(try store.latest() == nil)
        #expect(try store.steps == [])
        #expect(throws: CheckpointError.noSuchStep(folder: store.folder, step: 3, available: [])) {
            try store.checkpoint(step: 3)
        }
    }

    @Test func theLatestIsTheOneOfTheHighestStep() throws {
        for step in [90, 1000, 200] { try save(step) }
        #expect(try store.latest()?.step == 1000)
        #expect(try store.checkpoint(step: 200).arrays("model") == arrays(200)["model"])
    }

    @Test(arguments: ["model.safetensors", "optimizer.safetensors", "state.json", "manifest.json"])
    func aDamagedCheckpointIsPassedOverAndNamed(file: String) throws {
        try save(100)
        try save(200)
        try flip(file, step: 200, at: 12)
        let loaded = try #require(try store.latest())
        #expect(loaded.step == 100)
        #expect(loaded.skipped.count == 1)
        #expect(loaded.skipped.first?.description.contains("step-00000200: \(file)") == true)
        #expect(throws: CheckpointError.self) { try store.checkpoint(step: 200) }
    }

    @Test(arguments: ["model.safetensors", "state.json", "manifest.json"])
    func aCheckpointThatLacksAFileIsPassedOver(file: String) throws {
        try save(100)
        try save(200)
        #expect(unlink("\(store.folder)/step-00000200/\(file)") == 0)
        #expect(try store.latest()?.step == 100)
    }

    /// As a disk may answer for a part of it that is broken.
    @Test func aCheckpointThatCannotBeReadIsPassedOver() throws {
        try save(100)
        try save(200)
        let path = "\(store.folder)/step-00000200/state.json"
        #expect(unlink(path) == 0 && mkdir(path, 0o777) == 0)
        let loaded = try #require(try store.latest())
        #expect(loaded.step == 100)
        #expect(loaded.skipped.first?.description.contains("state.json cannot be read: Is a directory") == true)
        // And is saved again.
        try save(200)
        #expect(try store.latest()?.step == 200)
    }

    @Test func aFileCutShortIsNoticed() throws {
        try save(100)
        #expect(truncate("\(store.folder)/step-00000100/model.safetensors", 300) == 0)
        let error = #expect(throws: CheckpointError.self) { try store.latest() }
        #expect(error?.description.contains("has 300 bytes instead of") == true)
    }

    @Test func onlyDamagedCheckpointsAreAnErrorAndNotAFreshStart() throws {
        try save(100)
        try flip("model.safetensors", step: 100, at: 100)
        let error = #expect(throws: CheckpointError.self) { try store.latest() }
        guard case .noneIntact(_, let failures) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(failures.count == 1)
    }

    @Test func aNewerFormatIsNamed() throws {
        try save(100)
        try write(Array(#"{"format": 2, "entries": []}"#.utf8), to: "\(store.folder)/step-00000100/manifest.json")
        let path = "\(store.folder)/step-00000100"
        #expect(throws: CheckpointError.newerFormat(path: path, found: 2, supported: 1)) {
            try store.checkpoint(step: 100)
        }
    }

    @Test func retentionKeepsTheLastAndTheMilestones() throws {
        let store = CheckpointStore(folder: store.folder, retention: .init(last: 2, every: 300))
        for step in stride(from: 100, through: 1000, by: 100) { try save(step, in: store) }
        #expect(try store.steps == [300, 600, 900, 1000])
    }

    @Test func retentionNeverRemovesWhatWasJustSaved() throws {
        let store = CheckpointStore(folder: store.folder, retention: .init(last: 1))
        try save(500, in: store)
        try save(100, in: store)
        #expect(try store.steps == [100, 500])
    }

    @Test func aStepCanBeSavedAgain() throws {
        try save(100)
        try store.save(step: 100, arrays: arrays(7), state: 7)
        #expect(try store.latest()?.arrays("model") == arrays(7)["model"])
        #expect(try Disk.entries(of: store.folder) == [".lock", "step-00000100"])
    }

    @Test func aDamagedStepCanBeSavedAgain() throws {
        try save(100)
        try flip("model.safetensors", step: 100, at: 200)
        try save(100)
        #expect(try store.latest()?.arrays("model") == arrays(100)["model"])
        #expect(try Disk.entries(of: store.folder) == [".lock", "step-00000100"])
    }

    @Test func aSecondWriterIsRefused() throws {
        try save(100)
        let descriptor = open("\(store.folder)/.lock", O_RDWR)
        defer { close(descriptor) }
        #expect(flock(descriptor, LOCK_EX) == 0)
        let error = #expect(throws: FileError.self) { try save(200) }
        #expect(error?.action == .lock)
        #expect(error?.description.contains("Another process") == true)
        #expect(try store.latest()?.step == 100)
    }

    @Test func unfitNamesAreRefused() {
        for name in ["", "../model", ".hidden", "a b", "é"] {
            #expect(throws: CheckpointError.invalidName(name)) {
                try store.save(step: 1, arrays: [name: [:]], state: 0)
            }
        }
    }

    @Test func aStateOfAnotherKindIsAnErrorThatNamesTheField() throws {
        try store.save(step: 1, arrays: [:], state: ["key": "text"])
        let loaded = try #require(try store.latest())
        let error = #expect(throws: CheckpointError.self) { try loaded.state(as: RunState.self) }
        #expect(error?.description.contains("key") == true)
        #expect(throws: CheckpointError.self) { try loaded.arrays("model") }
    }
}
