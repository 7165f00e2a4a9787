public import Tokenizer

/// A model at work: whatever turns sound into tokens and back, stream by stream.
public protocol SpeechCodec: Sendable {
    associatedtype Encoder: StreamEncoder
    associatedtype Decoder: StreamDecoder

    /// The model whose tokens these are: its configuration says their rate and layout.
    var model: Alpha { get }
    /// Samples that are worth giving at once where they need not be live.
    var chunkSamples: Int { get }

    /// A stream of its own that begins after silence; streams share the model's weights.
    ///
    /// - Throws: `CodecError.notLoaded` if the codec was made for other directions.
    func makeEncoder() throws -> Encoder
    /// A stream of its own that begins after silence; streams share the model's weights.
    ///
    /// - Throws: `CodecError.notLoaded` if the codec was made for other directions.
    func makeDecoder() throws -> Decoder
    /// A decoder that hears level 1 alone, whatever the other levels say.
    func makeLevelOneDecoder() throws -> Decoder
}

/// One stream of sound becoming tokens. The tokens do not depend on how the samples are cut.
public protocol StreamEncoder {
    /// Takes mono samples at the model's rate and gives the tokens that they complete.
    mutating func push(_ samples: some Collection<Float>) throws -> TokenFrames
    /// Gives the tokens of what is left, the last frame filled up with silence.
    mutating func finish() throws -> TokenFrames
}

/// One stream of tokens becoming sound.
public protocol StreamDecoder {
    /// Takes frames of tokens and gives the samples that they complete.
    mutating func push(_ frames: TokenFrames) throws -> [Float]
    /// Gives the samples of what is left.
    mutating func finish() throws -> [Float]
}

/// What a stream cannot take. Nothing of the call has been taken then, and the stream goes on as if it had not been.
public indirect enum CodecError: Error, Hashable, CustomStringConvertible {
    /// A sample that is no number.
    case notFinite(sample: Int)
    /// A sample so large that sums over it would overflow.
    case tooLoud(sample: Int, value: Float)
    /// Frames of another number of levels than the model has.
    case levelCount(expected: Int, given: Int)
    /// A code that is not in the codebook of its level.
    case code(UInt64, frame: Int, level: Int, largest: UInt64)
    /// What one of several streams, counted from 0, was given.
    case ofStream(Int, CodecError)
    /// The codec was made for the other direction alone.
    case notLoaded(String)
    /// The model's level 1 stands for nothing in particular.
    case noPhonemes
    /// No level of the model but its phonemes has bits that could be turned over.
    case nothingToSearch

    public var description: String {
        switch self {
        case .notFinite(let sample): "sample \(sample) of the chunk is not a number: repair the recording"
        case .tooLoud(let sample, let value):
            "sample \(sample) of the chunk is \(value), and samples lie between -1 and 1: scale the recording"
        case .levelCount(let expected, let given): "frames have \(given) levels, and the model has \(expected)"
        case .code(let code, let frame, let level, let largest):
            "frame \(frame) of the chunk has code \(code) in level \(level + 1), whose largest is \(largest): "
                + "the tokens are damaged, or of another model"
        case .ofStream(let stream, let error): "stream \(stream): \(error)"
        case .notLoaded(let direction): "the codec was made without \(direction): name it among its directions"
        case .noPhonemes: "the model's level 1 has no phonemes: give a model that was trained with an inventory"
        case .nothingToSearch:
            "the model has no bits beside its phonemes that a search could turn over: encode without one"
        }
    }
}
