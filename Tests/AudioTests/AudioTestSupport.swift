import Foundation
import Testing

@testable import Audio

/// A path in Tests/Fixtures.
func fixture(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures").appendingPathComponent(name).path
}

/// A folder that exists while `body` runs.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("audio-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
}

func filesIn(_ folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
}

/// `amplitude · sin(2π · frequency · t)`.
func tone(_ frequency: Double, seconds: Double, rate: Int, amplitude: Double = 0.5) -> [Float] {
    (0..<Int((seconds * Double(rate)).rounded())).map {
        Float(amplitude * sin(2 * .pi * frequency * Double($0) / Double(rate)))
    }
}

/// Everything that a stream gives, `chunk` frames at a time.
func drain(_ stream: any SampleStream, chunk: Int = 1000) throws -> [Float] {
    var samples: [Float] = []
    while case let next = try stream.read(maximumFrames: chunk), !next.isEmpty {
        #expect(next.count <= chunk)
        samples += next
    }
    return samples
}

/// The amplitude of the component at `frequency`, by projection on a sine and a cosine.
func amplitude(of frequency: Double, in samples: ArraySlice<Float>, rate: Int) -> Double {
    var real = 0.0
    var imaginary = 0.0
    for (index, sample) in samples.enumerated() {
        let angle = 2 * .pi * frequency * Double(index) / Double(rate)
        real += Double(sample) * cos(angle)
        imaginary += Double(sample) * sin(angle)
    }
    return 2 * (real * real + imaginary * imaginary).squareRoot() / Double(samples.count)
}

/// A RIFF file of 16-bit PCM written byte by byte, so that its header can lie.
func wav(samples: [Int16], rate: UInt32 = 16000, channels: UInt16 = 1, statedBytes: UInt32? = nil) -> Data {
    func little(_ value: UInt32, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(value >> (8 * $0) & 0xFF) } }
    let size = statedBytes ?? UInt32(samples.count * 2)
    var bytes = Array("RIFF".utf8) + little(36 &+ size, 4) + Array("WAVEfmt ".utf8) + little(16, 4)
    bytes += little(1, 2) + little(UInt32(channels), 2) + little(rate, 4)
    bytes += little(rate &* UInt32(channels) &* 2, 4) + little(UInt32(channels) * 2, 2) + little(16, 2)
    bytes += Array("data".utf8) + little(size, 4)
    bytes += samples.flatMap { little(UInt32(UInt16(bitPattern: $0)), 2) }
    return Data(bytes)
}
