import Audio
import Foundation
import TestSupport

/// Sounds to feed to the program.
enum Sounds {
    /// Two seconds of a man reading Russian, 16 kHz.
    static let speechPath = Fixture.folder.appending(path: "speech/festvox-ru-sample.flac").path

    /// `seconds` of that speech, over and over, at `rate`.
    static func speech(seconds: Double, rate: Int) throws -> [Float] {
        let clip = try Waveform.load(path: speechPath, sampleRate: rate).samples
        return (0..<Int(seconds * Double(rate))).map { clip[$0 % clip.count] }
    }

    /// Three harmonics in a little noise.
    static func voice(count: Int, rate: Int) -> [Float] {
        var random = Mutator(seed: 7)
        return (0..<count).map { index in
            let time = Double(index) / Double(rate)
            let harmonics = (1...3).reduce(0.0) { $0 + sin(2 * .pi * 130 * Double($1) * time) / Double($1) }
            return Float(0.2 * harmonics + Double.random(in: -0.02...0.02, using: &random))
        }
    }

    /// A WAV file of 32-bit floats, each of which stands in every channel.
    static func wav(_ samples: [Float], rate: Int, channels: Int = 1) -> [UInt8] {
        func word<Integer: FixedWidthInteger>(_ value: Integer) -> [UInt8] {
            withUnsafeBytes(of: value.littleEndian) { Array($0) }
        }
        let data = samples.flatMap { sample in [[UInt8]](repeating: word(sample.bitPattern), count: channels).joined() }
        let frame = 4 * channels
        let format =
            word(UInt16(3)) + word(UInt16(channels)) + word(UInt32(rate)) + word(UInt32(rate * frame))
            + word(UInt16(frame)) + word(UInt16(32))
        return Array("RIFF".utf8) + word(UInt32(36 + data.count)) + Array("WAVEfmt ".utf8) + word(UInt32(16)) + format
            + Array("data".utf8) + word(UInt32(data.count)) + data
    }

    /// 16-bit PCM without a header.
    static func pcm(_ samples: [Float]) -> [UInt8] {
        samples.flatMap { sample in withUnsafeBytes(of: Int16(sample * 32767).littleEndian) { Array($0) } }
    }
}
