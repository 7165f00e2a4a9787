import ArgumentParser
import Audio
import Checkpoint
import Codec
import Datasets
import Metrics
import Native
import PJRT
import Phonemes
import Tokenizer
import Training
import XLA

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Exit statuses, from BSD's `sysexits.h`, so that a script can tell what went wrong.
enum ExitStatus: Int32, CaseIterable {
    /// The command line asks for something that cannot be.
    case usage = 64
    /// A file's content cannot be used.
    case data = 65
    /// A file is missing or cannot be read.
    case input = 66
    /// A plugin or device is missing, or fails.
    case unavailable = 69
    /// A defect of this program.
    case software = 70
    /// Output cannot be written.
    case output = 73
    /// A configuration or recipe cannot be used.
    case configuration = 78

    /// `nil` for what the parser throws to end a command, such as a request for help, and reports itself.
    init?(_ error: any Error) {
        switch error {
        case let error as FileError: self = error.isOfOutput ? .output : .input
        case let error as AudioError: self.init(error)
        case is LogFileError: self = .output
        case RecipeError.unreadable: self = .input
        case let error as SourceError: self.init(error)
        case let error as SkippedRecord where error.isNotFetched: self = .input
        case is TokenFileError, is TokenPriorError, is SafetensorsError, is TensorDifferences, is CheckpointError,
            is ModelFileError,
            is PipelineError, is SkippedRecord, is PreparationError, is TokenLayoutError, is SpeechQuality.Mismatch,
            is CodecError, CommandError.unknownKind:
            self = .data
        case is ConfigurationError, is RecipeError, is TrainingError: self = .configuration
        case is PhonemeInventoryError, CommandError.noInventory, CommandError.noRoomForPrior, CommandError.unalignable,
            CommandError.nothingHeldOut:
            self = .data
        case EspeakError.unknownLanguage, EspeakError.textTooLong: self = .data
        case is EspeakError: self = .unavailable
        case is PluginError, is PJRTError, is EngineError: self = .unavailable
        case is CommandError: self = .usage
        case is PlanError, is EvaluationError: self = .software
        // Besides errors that nobody foresaw these are the contracts of `PJRT`: `BufferError`, `ExecutionError` and others.
        default:
            guard Allophone.exitCode(for: error) == .failure else { return nil }
            self = .software
        }
    }

    private init(_ error: AudioError) {
        switch error {
        case .cannotOpen: self = .input
        case .noSpace, .writeFailed, .closedPipe: self = .output
        case .unsupportedFormat: self = .usage
        case .resamplingFailed, .pictureFailed: self = .software
        case .notAudio, .empty, .nonFinite, .tooLoud, .unsupportedRate, .tooManyChannels, .truncated, .chained,
            .tooLong, .partialSample, .corrupt:
            self = .data
        }
    }

    private init(_ error: SourceError) {
        switch error {
        case .badLocator: self = .usage
        case .file, .unavailable, .hub: self = .input
        case .parquetUnavailable: self = .unavailable
        case .unknownLayout, .noSuchSplit, .malformed: self = .data
        }
    }

    /// In a few words, for the help.
    private var summary: String {
        switch self {
        case .usage: "the command line is wrong"
        case .data: "a file's content cannot be used"
        case .input: "a file is missing or cannot be read"
        case .unavailable: "a plugin or device is missing, or fails"
        case .software: "a defect of this program"
        case .output: "output cannot be written"
        case .configuration: "a configuration or recipe cannot be used"
        }
    }

    /// One line each, for the help.
    static var table: String {
        (["  0   done"] + allCases.map { "  \($0.rawValue)  \($0.summary)" }).joined(separator: "\n")
    }
}

extension FileError {
    fileprivate var isOfOutput: Bool {
        switch action {
        case .write, .create, .rename, .remove, .flush, .lock: true
        case .open, .read, .list: isOutOfSpace
        }
    }
}

/// What goes wrong in a command itself.
enum CommandError: Error, CustomStringConvertible {
    case noModel
    case unknownKind(path: String)
    case wouldOverwrite(path: String)
    case exists(path: String)
    case noInventory(path: String)
    case noRoomForPrior(path: String, reason: String)
    case unalignable(path: String, reason: AlignmentError)
    case nothingHeldOut(SourceError)
    case interrupted(signal: Int32)

    var description: String {
        switch self {
        case .noModel:
            "no model was given. Name one with --model or the environment's ALLOPHONE_MODEL; `allophone train` makes one"
        case .unknownKind(let path):
            "\(path): not a token file, a model or a sound file; see `allophone info --help`"
        case .wouldOverwrite(let path): "\(path): is what is read, too; give another output"
        case .exists(let path): "\(path): is there already; give an empty folder, or remove it first"
        case .noInventory(let path):
            "\(path): level 1 of this model does not stand for phonemes; train one whose configuration has 'phonemes', "
                + "such as alpha-tiny-phonemes"
        case .nothingHeldOut(let error): "\(error) Name a dataset to evaluate on with --held-out."
        case .noRoomForPrior(let path, let reason): "\(path): there can be no prior of its tokens: \(reason)"
        case .unalignable(let path, let reason): "\(path): \(reason)"
        case .interrupted(let signal): "ended by signal \(signal)"
        }
    }
}

/// The signal that the process should end by, without a word: the reader of its output has gone, as `head` does, or
/// somebody wants it to end.
func fatalSignal(_ error: any Error) -> Int32? {
    switch error {
    case let error as FileError where error.code == EPIPE: SIGPIPE
    case AudioError.closedPipe: SIGPIPE
    case CommandError.interrupted(let signal): signal
    default: nil
    }
}
