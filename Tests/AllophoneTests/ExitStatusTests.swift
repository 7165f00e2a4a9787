import ArgumentParser
import Audio
import Checkpoint
import Datasets
import Foundation
import Metrics
import PJRT
import Testing
import Tokenizer
import Training
import XLA

@testable import allophone

/// Every kind of error has a status, so that a script can tell what went wrong.
@Suite struct ExitStatusTests {
    static let statuses: [(any Error, allophone.ExitStatus)] = [
        (CommandError.noModel, .usage), (CommandError.wouldOverwrite(path: "a"), .usage),
        (AudioError.unsupportedFormat(path: "a", reason: "b"), .usage),
        (CommandError.unknownKind(path: "a"), .data), (AudioError.empty(path: "a"), .data),
        (TokenFileError.notATokenFile(name: "a"), .data), (ModelFileError.notAModel(path: "a"), .data),
        (SafetensorsError.unusedBytes(path: "a", offset: 0, count: 1), .data),
        (CheckpointError.invalidState(path: "a", reason: "b"), .data),
        (SourceError.malformed(path: "a", reason: "b"), .data), (SpeechQuality.Mismatch.silentReference, .data),
        (AudioError.cannotOpen(path: "a", reason: "b"), .input),
        (SourceError.unknownLayout(name: "a", reason: "b"), .data),
        (RecipeError.unreadable(path: "a", reason: "b"), .input),
        (FileError(path: "a", action: .open, code: ENOENT), .input),
        (SourceError.file(FileError(path: "a", action: .open, code: ENOENT)), .input),
        (FileError(path: "a", action: .read, code: EIO), .input),
        (FileError(path: "a", action: .list, code: EACCES), .input),
        (PluginError.notFound(kind: .cpu, tried: []), .unavailable), (EngineError.noDevice(plugin: "a"), .unavailable),
        (ExecutionError.raggedArguments(executable: "a", counts: [1, 2]), .software),
        (BufferError.otherClient(operation: "a"), .software), (CocoaError(.fileNoSuchFile), .software),
        (AudioError.resamplingFailed(from: 1, to: 2, reason: "a"), .software),
        (AudioError.noSpace(path: "a"), .output), (AudioError.writeFailed(path: "a", reason: "b"), .output),
        (LogFileError.cannotOpen(path: "a", reason: "b"), .output),
        (FileError(path: "a", action: .create, code: ENOENT), .output),
        (FileError(path: "a", action: .write, code: ENOSPC), .output),
        (FileError(path: "a", action: .rename, code: EACCES), .output),
        (FileError(path: "a", action: .flush, code: EIO), .output),
        (FileError(path: "a", action: .lock, code: EWOULDBLOCK), .output),
        (FileError(path: "a", action: .open, code: ENOSPC), .output),
        (ConfigurationError.unknownPreset("a"), .configuration),
        (RecipeError.notJSON(path: "a", reason: "b"), .configuration),
        (TrainingError.recipeChanged(folder: "a"), .configuration),
    ]

    @Test(arguments: statuses.indices)
    func everyErrorHasItsStatus(index: Int) {
        let (error, status) = Self.statuses[index]
        #expect(allophone.ExitStatus(error) == status, "\(error)")
        #expect(fatalSignal(error) == nil)
    }

    @Test func theParserReportsItsOwnErrors() {
        #expect(allophone.ExitStatus(ValidationError("a")) == nil)
        #expect(allophone.ExitStatus(CleanExit.helpRequest()) == nil)
    }

    @Test func aClosedPipeEndsTheProcessBySignal() {
        #expect(fatalSignal(FileError(path: "a", action: .write, code: EPIPE)) == SIGPIPE)
        #expect(fatalSignal(AudioError.closedPipe(path: "a")) == SIGPIPE)
        #expect(fatalSignal(CommandError.interrupted(signal: SIGTERM)) == SIGTERM)
    }
}
