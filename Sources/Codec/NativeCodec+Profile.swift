import Native
import Tokenizer

extension NativeCodec {
    /// The steps of so many frames of silence at once on one thread, and the seconds that each took.
    public func profile(_ direction: Direction, frames: Int = 1) throws -> [(name: String, seconds: Double)] {
        let (hop, width) = (model.configuration.hop, model.quantizer.codeWidth)
        let (audio, codes) = (AlignedBuffer(byteCount: frames * hop * 4), AlignedBuffer(byteCount: frames * width * 4))
        let (input, output) = direction == .encoding ? (audio, codes) : (codes, audio)
        return try withExtendedLifetime((input, output)) {
            try program(direction).profile(frames: frames, input: input.pointer, output: output.pointer)
        }
    }
}
