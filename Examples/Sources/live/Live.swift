import Allophone
import Foundation

/// A live stream through a model, a frame of 20 ms at a time: PCM of 32-bit floats at the model's rate from standard input
/// to standard output, such as
///
///     arecord -t raw -f FLOAT_LE -r 24000 | live MODEL | aplay -f FLOAT_LE -r 24000
@main enum Live {
    static func main() {
        guard CommandLine.arguments.count == 2 else {
            fail("usage: live MODEL < IN.f32 > OUT.f32", status: 64)
        }
        do {
            try run(model: CommandLine.arguments[1])
        } catch {
            fail("error: \(error)", status: 1)
        }
    }

    static func fail(_ message: String, status: Int32) -> Never {
        FileHandle.standardError.write(Data("\(message)\n".utf8))
        exit(status)
    }

    static func run(model path: String) throws {
        let codec = try NativeCodec(ModelFile(path: path))
        let configuration = codec.model.configuration
        let source = try RawPCMReader(format: .f32le, sampleRate: configuration.sampleRate)
        let sink = RawPCMWriter(format: .f32le, sampleRate: configuration.sampleRate)
        var encoder = try codec.makeEncoder()
        var decoder = try codec.makeDecoder()
        while case let samples = try source.read(maximumFrames: configuration.hop), !samples.isEmpty {
            // Empty until a frame is whole; then its tokens are here with its last sample.
            let tokens = try encoder.push(samples)
            try sink.write(decoder.push(tokens))
        }
        try sink.write(decoder.push(encoder.finish()) + decoder.finish())
        sink.finish()
    }
}
