import Audio
import Datasets
import Foundation
import PJRT
import Tensor
import TestSupport
import Testing
import Tokenizer
import XLA

@testable import Training

/// Holds what trains the small model, one test after another: the first compiles, and the others find its executables.
@Suite(.serialized) struct SmallTrainingTests {}

/// A model and a dataset that cost next to nothing.
enum SmallTraining {
    static let configuration = Alpha.Configuration(
        sampleRate: 8000, width: 4, strides: [4, 4], dilations: [1], latentDimension: 8,
        transformer: .init(layers: 1, heads: 2, window: 4, expansion: 1),
        quantizer: [.vq(codebookSize: 8, dimension: 4), .bsq(bits: 4)])

    /// Samples of a segment: 0.1 s is 50 frames.
    static let length = 800

    static var recipe: Recipe {
        var recipe = Recipe(model: .configuration(configuration))
        recipe.steps = 1000
        recipe.batchSize = 2
        recipe.segmentSeconds = 0.1
        recipe.quantizerWarmupSteps = 10
        recipe.optimizer.warmupSteps = 2
        recipe.optimizer.learningRate = 3e-3
        recipe.losses.stft = 0
        recipe.losses.melWindows = [64]
        recipe.losses.melBands = [8]
        recipe.evaluation.every = 0
        recipe.checkpoints.every = 2
        recipe.checkpoints.keep = 2
        return recipe
    }

    /// A second of speech to train on, and one held out, at the model's rate.
    static func dataset(in folder: TemporaryFolder) throws -> String {
        let path = Fixture.folder.appending(path: "speech/festvox-ru-sample.flac").path
        let speech = try Waveform.load(path: path, sampleRate: 8000).samples
        try Waveform(samples: Array(speech[..<8000]), sampleRate: 8000).write(to: folder.file("a.wav"))
        try Waveform(samples: Array(speech[8000..<16000]), sampleRate: 8000).write(to: folder.file("b.wav"))
        let lines = """
            {"path": "a.wav", "seconds": 1, "split": "train"}
            {"path": "b.wav", "seconds": 1, "split": "dev"}

            """
        try write(Array(lines.utf8), to: folder.file("manifest.jsonl"))
        return folder.path
    }
}

extension Engine {
    /// What a training step is given for whole rows of sound.
    ///
    /// - Parameter audio: `[batch, samples]`.
    func trainingArguments(_ state: Tree<Buffer>, audio: HostArray, sampleRate: Int = 8000) throws -> Tree<Buffer> {
        let (batch, samples) = (audio.shape[0], audio.shape[1])
        return [
            "state": state, "audio": .leaf(try upload(audio.reshaped([batch, samples, 1]))),
            "lengths": .leaf(try upload(HostArray(repeating: Double(samples), type: TensorType(.i32, [batch])))),
            "bandwidth": .leaf(
                try upload(HostArray(repeating: Double(sampleRate) / 2, type: TensorType(.f32, [batch])))),
        ]
    }
}
