import Checkpoint
import Foundation
import NN
import Tensor
import TestSupport
import Testing
import Tokenizer

extension CommandLineTests {
    /// Means of models' weights.
    @Suite struct AverageTests {
        let folder: TemporaryFolder
        let first: String

        init() throws {
            folder = try TemporaryFolder()
            first = try TinyModel.write(to: folder)
        }

        private var mean: String { folder.file("mean.safetensors") }

        /// The first model with every weight `change` more.
        private func model(_ change: Float) throws -> String {
            let arrays = try TinyModel.arrays().mapValues { array in
                HostArray(array.floats.map { $0 + change }, shape: array.shape)
            }
            let path = folder.file("\(change).safetensors")
            try Safetensors.write(arrays, metadata: ModelFile.metadata(TinyModel.configuration), to: path)
            return path
        }

        @Test func everyWeightIsTheMean() throws {
            let models = [first, try model(0.5), try model(1)]
            let report = try Program.succeed("average", models[0], models[1], models[2], "--output", mean, "--json")
                .json()
            let (result, middle) = (try ModelFile(path: mean), try ModelFile(path: models[1]))
            #expect(report["fingerprint"] as? String == result.fingerprint.description)
            #expect(result.model.configuration == middle.model.configuration)
            for (name, array) in middle.arrays {
                let found = try #require(result.arrays[name]).floats
                #expect(zip(found, array.floats).allSatisfy { abs($0 - $1) < 1e-6 }, "\(name)")
            }
            let told = try Program.succeed("average", first, first, "-o", mean)
            #expect(told.output.isEmpty && told.messages.contains("the mean of 2 models"))
            #expect(try ModelFile(path: mean).fingerprint == ModelFile(path: first).fingerprint)
            // Of one it is that one: how a checkpoint becomes a model.
            #expect(try Program.succeed("average", models[1], "-o", mean).messages.contains("\(models[1]) → \(mean)"))
            #expect(try ModelFile(path: mean).fingerprint == middle.fingerprint)
        }

        @Test func whatHasNoMeanIsRefused() throws {
            try Program.fail(["average", "-o", mean], status: 64, mentions: ["<inputs>"], in: folder)
            try Program.fail(
                ["average", first, first, "-o", first], status: 64, mentions: ["give another output"], in: folder)
            var configuration = TinyModel.configuration
            configuration.width *= 2
            let other = folder.file("other.safetensors")
            let arrays = try Alpha(configuration).parameters.mapValues { HostArray(repeating: 0, type: $0.type) }
            try ModelFile.write(arrays, of: Alpha(configuration), to: other)
            try Program.fail(
                ["average", first, other, "-o", mean], status: 65,
                mentions: ["\(other): its configuration is not that of \(first)"], in: folder)
        }
    }
}
