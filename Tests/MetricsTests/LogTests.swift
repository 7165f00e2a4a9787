import Audio
import Foundation
import Testing

@testable import Metrics

struct JSONLinesLogTests {
    private func lines(_ path: String) throws -> [String] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    @Test func aLineIsAJSONObject() throws {
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("metrics.jsonl").path
            let log = try JSONLinesLog(path: path, resumingAfter: nil) { 1_767_225_600.25 }
            try log.log(step: 7, ["loss": 0.125, "a \"quoted\"\n\\key": 1e-30, "nan": .nan, "big": -.infinity])
            let line = try lines(path)[0]
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect(object?["step"] as? Int == 7)
            #expect(object?["time"] as? Double == 1_767_225_600.25)
            #expect(object?["loss"] as? Double == 0.125)
            #expect(object?["a \"quoted\"\n\\key"] as? Double == 1e-30)
            #expect(object?["nan"] as? String == "NaN")
            #expect(object?["big"] as? String == "-Infinity")
        }
    }

    @Test func everyLineIsOnDiskWhenTheCallReturns() throws {
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("metrics.jsonl").path
            let log = try JSONLinesLog(path: path)
            for step in 0..<3 {
                try log.log(step: step, ["loss": 1])
                #expect(try lines(path).count == step + 1)
            }
        }
    }

    @Test func aTornLastLineIsCutWhenTheLogIsOpenedAgain() throws {
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("metrics.jsonl").path
            try JSONLinesLog(path: path, resumingAfter: nil, now: { 0 }).log(step: 1, ["loss": 1])
            let whole = try Data(contentsOf: URL(fileURLWithPath: path))
            for cut in 1..<whole.count {
                try (whole + whole.prefix(cut)).write(to: URL(fileURLWithPath: path))
                try JSONLinesLog(path: path, resumingAfter: nil, now: { 0 }).log(step: 2, [:])
                #expect(try lines(path) == [#"{"step":1,"time":0,"loss":1}"#, #"{"step":2,"time":0}"#])
            }
        }
    }

    @Test func aRunThatGoesBackForgetsWhatCameAfter() throws {
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("metrics.jsonl").path
            let log = try JSONLinesLog(path: path, resumingAfter: nil, now: { 0 })
            for step in 1...5 { try log.log(step: step, [:]) }
            try log.goBack(to: 3)
            try log.log(step: 4, ["again": 1])
            #expect(
                try lines(path) == (1...3).map { #"{"step":\#($0),"time":0}"# } + [#"{"step":4,"time":0,"again":1}"#])
        }
    }

    @Test func aResumedRunDoesNotRepeatSteps() throws {
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("metrics.jsonl").path
            let log = try JSONLinesLog(path: path)
            // Long enough to need several reads.
            let padding = String(repeating: "x", count: 1000)
            for step in 1...3000 { try log.log(step: step, [padding: 0]) }
            try JSONLinesLog(path: path, resumingAfter: 2500).log(step: 2501, ["again": 1])
            let kept = try lines(path)
            #expect(kept.count == 2501)
            #expect(kept[2499].hasPrefix(#"{"step":2500,"#))
            #expect(kept[2500].hasPrefix(#"{"step":2501,"#) && kept[2500].contains("again"))
        }
    }

    @Test func aLogThatCannotBeWrittenSaysSo() {
        #expect(
            throws: LogFileError.cannotOpen(path: "/nonexistent/a.jsonl", reason: "No such file or directory")
        ) { try JSONLinesLog(path: "/nonexistent/a.jsonl") }
        guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
        #expect(throws: LogFileError.writeFailed(path: "/dev/full", reason: "No space left on device")) {
            try AppendOnlyFile(path: "/dev/full").append([1])
        }
    }

    @Test func linesOfManyTasksDoNotMix() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).jsonl").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let log = try JSONLinesLog(path: path)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask { for step in 0..<50 { try log.log(step: step, ["task": Double(task)]) } }
            }
            try await group.waitForAll()
        }
        let all = try lines(path)
        #expect(all.count == 400)
        #expect(all.allSatisfy { $0.hasPrefix("{\"step\":") && $0.hasSuffix("}") })
    }
}

struct TensorBoardLogTests {
    struct Oracle: Decodable {
        let time: Double
        let samples: [Float]
        let png: Data
        let events: Data
    }

    @Test func theFileIsWhatTensorBoardItselfWrites() throws {
        let oracle = try JSONDecoder().decode(
            Oracle.self, from: Data(contentsOf: URL(fileURLWithPath: fixture("tensorboard.json"))))
        try withTemporaryFolder { folder in
            let log = try TensorBoardLog(folder: folder.path, resumingAfter: 300) { oracle.time }
            try log.log(step: 0, ["loss": 0])
            try log.log(step: 1_234_567, ["rate": 1e-4, "loss/größe": .nan])
            try log.log(step: 302, "clip", audio: Waveform(samples: oracle.samples, sampleRate: 24000))
            try log.log(step: 303, "picture", png: Array(oracle.png))
            #expect(try Data(contentsOf: URL(fileURLWithPath: log.path)) == oracle.events)
            #expect(log.path.contains("/events.out.tfevents.1767225600."))
        }
    }

    @Test func filesOfOneSecondHaveTheirOwnNames() throws {
        try withTemporaryFolder { folder in
            let first = try TensorBoardLog(folder: folder.path, resumingAfter: nil) { 5 }
            let second = try TensorBoardLog(folder: folder.path, resumingAfter: nil) { 5 }
            #expect(first.path != second.path)
        }
    }

    @Test func checksumsAreCastagnolis() {
        // RFC 3720, appendix B.4.
        #expect(TFRecord.crc32c([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(TFRecord.crc32c([UInt8](0..<32)) == 0x46DD_794E)
        #expect(TFRecord.crc32c(Array("123456789".utf8)) == 0xE306_9283)
    }
}
