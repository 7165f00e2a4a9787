public import Tokenizer

extension SpeechCodec {
    /// Encodes a whole recording of mono samples at the model's rate; the last frame is filled up with silence.
    ///
    /// - Throws: what a stream throws.
    public func encode(_ samples: [Float]) throws -> TokenFrames {
        var encoder = try makeEncoder()
        var tokens = TokenFrames(levelCount: model.configuration.quantizer.count)
        for start in stride(from: 0, to: samples.count, by: chunkSamples) {
            do {
                tokens.append(try encoder.push(samples[start..<min(samples.count, start + chunkSamples)]))
            } catch CodecError.notFinite(let sample) {
                throw CodecError.notFinite(sample: start + sample)
            } catch CodecError.tooLoud(let sample, let value) {
                throw CodecError.tooLoud(sample: start + sample, value: value)
            }
        }
        tokens.append(try encoder.finish())
        return tokens
    }

    /// Decodes all tokens of a recording: a hop of samples for each frame.
    ///
    /// - Throws: what a stream throws.
    public func decode(_ tokens: TokenFrames) throws -> [Float] {
        var decoder = try makeDecoder()
        return try decoder.push(tokens) + decoder.finish()
    }
}
