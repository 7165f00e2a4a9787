import Audio
import Checkpoint
import Datasets
import Metrics
import PJRT
import Tokenizer
import Training
import XLA

/// Exit statuses, from BSD's `sysexits.h`, so that a script can tell what went wrong.
enum ExitStatus: Int32 {
    /// A file's content cannot be used.
    case data = 65
    /// A file is missing or cannot be read.
    case input = 66
    /// A plugin or device is missing.
    case unavailable = 69
    /// Output cannot be written.
    case output = 73
    /// A configuration or recipe cannot be used.
    case configuration = 78

    /// `nil` for errors of the command line itself, which the parser reports.
    init?(_ error: any Error) {
        switch error {
        case let error as FileError:
            self = error.isOutOfSpace ? .output : .input
        case AudioError.noSpace, AudioError.writeFailed: self = .output
        case is LogFileError: self = .output
        case AudioError.cannotOpen: self = .input
        case is AudioError, is TokenFileError, is SafetensorsError, is TensorDifferences, is CheckpointError,
            is ModelFileError,
            is ManifestError, is TokenLayoutError, is CommandError:
            self = .data
        case is ConfigurationError, is RecipeError, is TrainingError:
            self = .configuration
        case is PluginError, is PJRTError, is EngineError:
            self = .unavailable
        default: return nil
        }
    }
}

/// What goes wrong in a command itself.
enum CommandError: Error, CustomStringConvertible {
    case noModel
    case unknownKind(path: String)
    case wouldOverwrite(path: String)

    var description: String {
        switch self {
        case .noModel:
            "no model was given. Name one with --model or the environment's ALLOPHONE_MODEL; `allophone train` makes one"
        case .unknownKind(let path):
            "\(path): not a token file, a model or a sound file; see `allophone info --help`"
        case .wouldOverwrite(let path): "\(path): is the input too; give another output"
        }
    }
}
