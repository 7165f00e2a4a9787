import Native
import Tokenizer

extension NativeCodec {
    /// The steps of one frame of silence on one thread, and the seconds that each took.
    public func profile(_ direction: Direction) throws -> [(name: String, seconds: Double)] {
        let (hop, width) = (model.configuration.hop, model.quantizer.codeWidth)
        let (audio, codes) = (AlignedBuffer(byteCount: hop * 4), AlignedBuffer(byteCount: width * 4))
        let (input, output) = direction == .encoding ? (audio, codes) : (codes, audio)
        return try withExtendedLifetime((input, output)) {
            try program(direction).profile(frames: 1, input: input.pointer, output: output.pointer)
        }
    }
}
