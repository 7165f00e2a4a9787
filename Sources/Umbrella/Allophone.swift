/// Everything that a program needs to turn speech into tokens and back: `import Allophone`.
///
/// `ModelFile` reads a model, `NativeCodec` runs it on this CPU, its `Encoder` and `Decoder` are streams; `Waveform`,
/// `AudioSource` and `AudioWriter` are sound files, `TokenReader` and `TokenWriter` token files. `ModelFile.phonemeReader`
/// reads tokens as phonemes.
@_exported public import Audio
@_exported public import Checkpoint
@_exported public import Codec
@_exported public import Native
@_exported public import Phonemes
@_exported public import Tokenizer
