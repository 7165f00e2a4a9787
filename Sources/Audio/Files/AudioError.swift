/// What can go wrong between a sound file and its samples.
///
/// Each case names the file (`-` is standard input or output) and its description ends with what to do about it.
public enum AudioError: Error, Sendable, Hashable, CustomStringConvertible {
    case cannotOpen(path: String, reason: String)
    /// No decoder recognises the bytes.
    case notAudio(path: String, reason: String)
    case empty(path: String)
    /// A NaN or an infinity, at a time in the file.
    case nonFinite(path: String, seconds: Double)
    /// A sample far beyond -1 to 1, at a time in the file.
    case tooLoud(path: String, seconds: Double, value: Float)
    case unsupportedRate(path: String, rate: Int)
    case tooManyChannels(path: String, channels: Int)
    /// The file ends before the length that its own header states; both in seconds.
    case truncated(path: String, stated: Double, found: Double)
    /// Several streams of Ogg, one after another, of which libsndfile reads the first.
    case chained(path: String)
    /// More audio than may be held in memory at once; both in seconds.
    case tooLong(path: String, seconds: Double, limit: Double)
    /// Raw PCM that ends inside a sample.
    case partialSample(path: String, bytes: Int)
    /// The decoder gave up part of the way through.
    case corrupt(path: String, seconds: Double, reason: String)
    /// No encoder for this extension, rate or encoding.
    case unsupportedFormat(path: String, reason: String)
    case noSpace(path: String)
    /// Whoever read the output has gone.
    case closedPipe(path: String)
    case writeFailed(path: String, reason: String)
    case resamplingFailed(from: Int, to: Int, reason: String)
    /// The picture of a spectrogram could not be made.
    case pictureFailed(reason: String)

    public var description: String {
        switch self {
        case .cannotOpen(let path, let reason):
            "\(path): cannot be opened: \(reason). Check the path and its permissions."
        case .notAudio(let path, let reason):
            "\(path): not a sound file that can be read (\(reason)). WAV, FLAC, OGG, Opus, MP3 and AIFF are; "
                + "say so if it is raw PCM."
        case .empty(let path):
            "\(path): holds no audio. Give a file with at least one sample."
        case .nonFinite(let path, let seconds):
            "\(path): the sample at \(rounded(seconds)) s is NaN or infinite. Repair or re-export the file."
        case .tooLoud(let path, let seconds, let value):
            "\(path): the sample at \(rounded(seconds)) s is \(value), and samples lie between -1 and 1. Scale the sound, or "
                + "export it as integers."
        case .unsupportedRate(let path, let rate):
            "\(path): a sample rate of \(rate) Hz is outside \(SampleRate.supported.lowerBound)–"
                + "\(SampleRate.supported.upperBound) Hz. Convert it to 48000 Hz first."
        case .tooManyChannels(let path, let channels):
            "\(path): has \(channels) channels and at most \(AudioReader.maximumChannels) are read. "
                + "Mix it down or extract one channel first."
        case .truncated(let path, let stated, let found):
            "\(path): ends after \(rounded(found)) s of the \(rounded(stated)) s that its header states. "
                + "Copy or download it again, or re-encode it to accept the loss."
        case .chained(let path):
            "\(path): holds several Ogg streams, one after another, and only the first would be read. Decode it to one WAV, or split it, "
                + "first."
        case .tooLong(let path, let seconds, let limit):
            "\(path): holds \(rounded(seconds)) s of audio or more, and at most \(rounded(limit)) s are read at once. "
                + "Cut it into clips first."
        case .partialSample(let path, let bytes):
            "\(path): the raw PCM ends with \(bytes) bytes that do not fill a sample of every channel. "
                + "Check the sample format and the channel count."
        case .corrupt(let path, let seconds, let reason):
            "\(path): cannot be decoded after \(rounded(seconds)) s: \(reason). Copy or download it again."
        case .unsupportedFormat(let path, let reason):
            "\(path): \(reason). Write .wav, .flac or .ogg."
        case .noSpace(let path):
            "\(path): no space left on the device. Free some, or write to another one."
        case .closedPipe(let path):
            "\(path): the program reading from this one has ended."
        case .writeFailed(let path, let reason):
            "\(path): cannot be written: \(reason)."
        case .resamplingFailed(let from, let to, let reason):
            "Resampling \(from) Hz to \(to) Hz failed: \(reason)."
        case .pictureFailed(let reason):
            "The spectrogram could not be drawn: \(reason)."
        }
    }

    private func rounded(_ seconds: Double) -> Double { (seconds * 1000).rounded() / 1000 }
}

/// The sample rates that are read and written, in Hz.
public enum SampleRate {
    /// From below telephone speech to four times the highest rate that studios record at.
    public static let supported = 4_000...768_000

    /// Whether FLAC's frames have a way to state it.
    public static func isPossibleInFLAC(_ rate: Int) -> Bool { rate <= 65_535 || rate <= 655_350 && rate % 10 == 0 }
}
