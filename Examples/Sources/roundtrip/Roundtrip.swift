import Allophone
import Foundation

/// A sound file to tokens, and the tokens back to sound.
@main enum Roundtrip {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count == 4 else {
            print("usage: roundtrip MODEL IN.wav OUT.wav")
            exit(64)
        }
        do {
            try convert(model: arguments[1], from: arguments[2], to: arguments[3])
        } catch {
            print("error: \(error)")
            exit(1)
        }
    }

    static func convert(model path: String, from input: String, to output: String) throws {
        let file = try ModelFile(path: path)
        let codec = try NativeCodec(file, threads: 2)
        let configuration = codec.model.configuration

        // Any format, rate and channel count, to mono at the model's rate.
        let speech = try Waveform.load(path: input, sampleRate: configuration.sampleRate)
        let tokens = try codec.encode(speech.samples)
        print("\(tokens.count) frames of \(tokens.levelCount) codes, \(Int(configuration.bitRate)) bit/s")
        print("level 1:", tokens.level(0).map(String.init).joined(separator: " "))

        let writer = try AudioWriter(path: output, sampleRate: configuration.sampleRate, encoding: .float32)
        // The last frame was filled up with silence.
        try writer.write(Array(codec.decode(tokens).prefix(speech.samples.count)))
        try writer.finish()
    }
}
