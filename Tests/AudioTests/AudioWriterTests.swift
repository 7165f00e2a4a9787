import Foundation
import Testing

@testable import Audio

struct AudioWriterTests {
    private let signal = tone(440, seconds: 1, rate: 24000)

    @Test(
        "What is written is read back", arguments: [("a.wav", 1.0 / 65536), ("a.FLAC", 1.0 / 65536), ("a.ogg", 0.03)])
    func roundTrip(name: String, tolerance: Double) throws {
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent(name).path
            let writer = try AudioWriter(path: path, sampleRate: 24000)
            for start in stride(from: 0, to: signal.count, by: 777) {
                try writer.write(Array(signal[start..<min(start + 777, signal.count)]))
            }
            #expect(!FileManager.default.fileExists(atPath: path))
            try writer.finish()
            let wave = try Waveform.load(path: path)
            #expect(wave.sampleRate == 24000)
            #expect(wave.samples.count == signal.count)
            #expect(zip(wave.samples, signal).allSatisfy { Double(abs($0 - $1)) <= tolerance })
            #expect(try filesIn(folder) == [name])
        }
    }

    @Test func sixteenBitSamplesComeBackToTheSameBits() throws {
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("bits.wav").path
            let samples = (-32768...32767).map { Float($0) / 32768 }
            try Waveform(samples: samples, sampleRate: 48000).write(to: path)
            #expect(try Waveform.load(path: path).samples == samples)
        }
    }

    @Test func sixteenBitsClipInsteadOfWrapping() throws {
        try withTemporaryFolder { folder in
            for name in ["loud.wav", "loud.flac"] {
                let path = folder.appendingPathComponent(name).path
                try Waveform(samples: [1, 1.5, -1, -7, 1e30], sampleRate: 8000).write(to: path)
                let highest: Float = 32767.0 / 32768
                #expect(try Waveform.load(path: path).samples == [highest, highest, -1, -1, highest])
            }
        }
    }

    @Test func floatsAreKeptAsTheyAre() throws {
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("float.wav").path
            let samples: [Float] = [0.1, -3, 1e-20, .leastNonzeroMagnitude]
            try Waveform(samples: samples, sampleRate: 44100).write(to: path, encoding: .float32)
            #expect(try Waveform.load(path: path).samples == samples)
        }
    }

    @Test func anUnfinishedWriterLeavesNothingAndKeepsTheOldFile() throws {
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("a.wav").path
            try Waveform(samples: [0.5], sampleRate: 8000).write(to: path)
            do {
                let writer = try AudioWriter(path: path, sampleRate: 24000)
                try writer.write(signal)
            }
            #expect(try filesIn(folder) == ["a.wav"])
            #expect(try Waveform.load(path: path).samples == [0.5])
        }
    }

    @Test func aSymbolicLinkIsWrittenThrough() throws {
        try withTemporaryFolder { folder in
            let real = folder.appendingPathComponent("real.wav").path
            let link = folder.appendingPathComponent("link.wav").path
            try Waveform(samples: [0.5], sampleRate: 8000).write(to: real)
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: real)
            try Waveform(samples: [0.25], sampleRate: 8000).write(to: link)
            #expect(try Waveform.load(path: real).samples == [0.25])
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == real)
        }
    }

    @Test("A full device is noticed, whatever the encoder says", arguments: ["wav", "flac", "ogg"])
    func fullDevice(ending: String) throws {
        guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("full.\(ending)").path
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/full")
            let error = #expect(throws: AudioError.self) {
                try Waveform(samples: signal, sampleRate: 24000).write(to: path)
            }
            #expect(error == .noSpace(path: path))
            // A file short enough to stay in the encoder's buffer until it closes.
            let late = #expect(throws: AudioError.self) {
                try Waveform(samples: [0.5], sampleRate: 24000).write(to: path)
            }
            #expect(late == .noSpace(path: path))
        }
    }

    @Test func aWriterThatFailedKeepsSayingSo() throws {
        guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("full.wav").path
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/full")
            let writer = try AudioWriter(path: path, sampleRate: 24000)
            for _ in 0..<2 {
                #expect(throws: AudioError.noSpace(path: path)) { try writer.write(signal) }
            }
            #expect(throws: AudioError.noSpace(path: path)) { try writer.finish() }
        }
    }

    @Test func aFailedWriteIsReportedWhenTheFileIsCommitted() throws {
        guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
        let file = try OutputFile(path: "/dev/full")
        let written = [UInt8](repeating: 1, count: 10).withUnsafeBytes { file.write($0) }
        #expect(written == 0)
        #expect(throws: AudioError.noSpace(path: "/dev/full")) { try file.commit() }
    }

    @Test func aDeviceIsWrittenInPlace() throws {
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("null.wav").path
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/null")
            try Waveform(samples: signal, sampleRate: 24000).write(to: path)
            #expect(
                try FileManager.default.attributesOfItem(atPath: "/dev/null")[.type] as? FileAttributeType
                    == .typeCharacterSpecial)
        }
    }

    @Test func whatCannotBeWrittenIsRefusedBeforeAnythingIsCreated() throws {
        try withTemporaryFolder { folder in
            for name in ["a.mp3", "a", ".wav.", "wav"] {
                let path = folder.appendingPathComponent(name).path
                let error = #expect(throws: AudioError.self) { try AudioWriter(path: path, sampleRate: 24000) }
                guard case .unsupportedFormat = error else {
                    Issue.record("\(name) was not refused")
                    continue
                }
            }
            let flac = folder.appendingPathComponent("a.flac").path
            for path in [flac, folder.appendingPathComponent("a.ogg").path] {
                #expect(throws: AudioError.self) {
                    try AudioWriter(path: path, sampleRate: 24000, encoding: .float32)
                }
            }
            #expect(throws: AudioError.self) { try AudioWriter(path: flac, sampleRate: 1) }
            for (name, rate) in [("a.ogg", 768_000), ("a.flac", 768_000), ("a.flac", 100_003)] {
                let path = folder.appendingPathComponent(name).path
                #expect(
                    throws: AudioError.unsupportedFormat(path: path, reason: "the format cannot state \(rate) Hz")
                ) { try AudioWriter(path: path, sampleRate: rate) }
            }
            let missing = folder.appendingPathComponent("missing/a.wav").path
            #expect(throws: AudioError.writeFailed(path: missing, reason: "No such file or directory")) {
                try AudioWriter(path: missing, sampleRate: 24000)
            }
            let left = try filesIn(folder)
            #expect(left.isEmpty)
        }
    }

    @Test func nonFiniteSamplesAreNotWritten() throws {
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("nan.wav").path
            let error = #expect(throws: AudioError.self) {
                try Waveform(samples: [0, 0, .nan], sampleRate: 8000).write(to: path)
            }
            #expect(error == .nonFinite(path: path, seconds: 2.0 / 8000))
            let left = try filesIn(folder)
            #expect(left.isEmpty)
        }
    }
}
