import Foundation
import Testing

@testable import Audio

struct RawPCMTests {
    @Test("Samples pass through a pipe", arguments: RawPCM.allCases)
    func pipeRoundTrip(format: RawPCM) throws {
        let pipe = Pipe()
        let writer = RawPCMWriter(
            descriptor: pipe.fileHandleForWriting.fileDescriptor, format: format, sampleRate: 24000)
        let reader = try RawPCMReader(
            descriptor: pipe.fileHandleForReading.fileDescriptor, format: format, sampleRate: 24000)
        let samples = (0..<480).map { Float($0 - 240) / 256 }
        try writer.write(samples)
        // The pipe is still open: a live stream must give what has arrived.
        #expect(try reader.read(maximumFrames: 480) == samples)
        try writer.write([0.5])
        #expect(try reader.read(maximumFrames: 480) == [0.5])
        try pipe.fileHandleForWriting.close()
        #expect(try reader.read(maximumFrames: 480) == [])
    }

    @Test func framesThatArriveInPiecesArePutTogether() throws {
        let pipe = Pipe()
        let reader = try RawPCMReader(
            descriptor: pipe.fileHandleForReading.fileDescriptor, format: .s16le, sampleRate: 24000, channels: 2)
        // Two stereo frames and a half: (0x0100, 0x0300), (0x0200, 0x0200).
        pipe.fileHandleForWriting.write(Data([0, 1, 0, 3, 0, 2]))
        #expect(try reader.read(maximumFrames: 10) == [512.0 / 32768])
        pipe.fileHandleForWriting.write(Data([0, 2, 9]))
        #expect(try reader.read(maximumFrames: 10) == [512.0 / 32768])
        try pipe.fileHandleForWriting.close()
        let error = #expect(throws: AudioError.self) { try reader.read(maximumFrames: 10) }
        #expect(error == .partialSample(path: "-", bytes: 1))
    }

    @Test func anEmptyPipeIsAnError() throws {
        let pipe = Pipe()
        try pipe.fileHandleForWriting.close()
        let reader = try RawPCMReader(
            descriptor: pipe.fileHandleForReading.fileDescriptor, format: .f32le, sampleRate: 24000)
        #expect(throws: AudioError.empty(path: "-")) { try reader.read(maximumFrames: 10) }
    }

    @Test func aFullDeviceIsNoticed() throws {
        guard let full = FileHandle(forWritingAtPath: "/dev/full") else { return }
        let writer = RawPCMWriter(descriptor: full.fileDescriptor, format: .s16le, sampleRate: 24000)
        #expect(throws: AudioError.noSpace(path: "-")) { try writer.write([0.5]) }
    }

    @Test func liveInputIsResampledWithoutWaitingForMore() throws {
        let pipe = Pipe()
        let reader = try RawPCMReader(
            descriptor: pipe.fileHandleForReading.fileDescriptor, format: .s16le, sampleRate: 48000)
        let source = try AudioSource(reader, sampleRate: 24000)
        let writer = RawPCMWriter(
            descriptor: pipe.fileHandleForWriting.fileDescriptor, format: .s16le, sampleRate: 48000)
        try writer.write(tone(440, seconds: 0.1, rate: 48000))
        #expect(try !source.read(maximumFrames: 480).isEmpty)
        try pipe.fileHandleForWriting.close()
    }
}
