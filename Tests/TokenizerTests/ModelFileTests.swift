import Checkpoint
import Foundation
import NN
import Tensor
import TestSupport
import Testing
import Tokenizer

@Suite struct ModelFileTests {
    private let folder: TemporaryFolder
    private let model: Alpha
    private let arrays: [String: HostArray]

    init() throws {
        folder = try TemporaryFolder()
        model = try Alpha(SmallAlpha.configuration)
        arrays = SmallAlpha.values(model.parameters)
    }

    private var path: String { folder.file("model.safetensors") }

    /// Writes a model whose tensors and metadata have gone through `change`.
    private func write(_ change: (inout [String: HostArray], inout [String: String]) -> Void) throws {
        var (arrays, metadata) = (self.arrays, try ModelFile.metadata(model.configuration))
        change(&arrays, &metadata)
        try Safetensors.write(arrays, metadata: metadata, to: path)
    }

    @Test func aModelSurvivesItsFile() throws {
        try ModelFile.write(arrays, of: model, to: path)
        let file = try ModelFile(path: path)
        #expect(file.model.configuration == model.configuration && file.arrays == arrays && file.path == path)
        #expect(try ModelFile(path: path).fingerprint == file.fingerprint)
    }

    @Test func everyOtherModelHasAnotherFingerprint() throws {
        func fingerprint(_ change: (inout [String: HostArray], inout [String: String]) -> Void) throws -> Fingerprint {
            try write(change)
            return try ModelFile(path: path).fingerprint
        }
        let one = try fingerprint { _, _ in }
        let weight = try fingerprint { arrays, _ in
            let name = "decoder.head.bias"
            arrays[name] = HostArray([arrays[name]!.floats[0].nextUp])
        }
        // The same tensors, and another way to read them.
        let configuration = try fingerprint { _, metadata in
            metadata["configuration"] = metadata["configuration"]!.replacingOccurrences(
                of: "\"window\":5", with: "\"window\":6")
        }
        #expect(Set([one, weight, configuration]).count == 3)
    }

    @Test func everyDifferenceInTensorsIsListed() throws {
        let (gone, bent, spoilt) = ("encoder.stem.weight", "decoder.head.weight", "encoder.activation.alpha")
        try write { arrays, _ in
            arrays[gone] = nil
            arrays[bent] = arrays[bent]!.reshaped([arrays[bent]!.count])
            arrays["decoder.tail.weight"] = HostArray([Float(1)])
        }
        let error = #expect(throws: TensorDifferences.self) { try ModelFile(path: path) }
        #expect(error?.missing == [gone] && error?.extra == ["decoder.tail.weight"])
        #expect(error?.misshapen.map(\.name) == [bent] && error?.source == path)
        try write { arrays, _ in arrays[spoilt] = HostArray(repeating: .nan, type: arrays[spoilt]!.type) }
        #expect(throws: TensorDifferences.self) { try ModelFile(path: path) }
    }

    @Test func aModelThatIsNotFiniteIsNotWritten() throws {
        var arrays = arrays
        arrays["decoder.head.bias"] = HostArray([Float.infinity])
        #expect(throws: TensorDifferences.self) { try ModelFile.write(arrays, of: model, to: path) }
        arrays["decoder.head.bias"] = nil
        #expect(throws: TensorDifferences.self) { try ModelFile.write(arrays, of: model, to: path) }
        #expect(try folder.entries().isEmpty)
    }

    @Test func otherFilesAreNoModels() throws {
        try Safetensors.write(arrays, to: path)
        #expect(throws: ModelFileError.notAModel(path: path)) { try ModelFile(path: path) }
        try write { _, metadata in metadata["format"] = "something-else" }
        #expect(throws: ModelFileError.notAModel(path: path)) { try ModelFile(path: path) }
        try write { _, metadata in metadata["configuration"] = nil }
        #expect(throws: ModelFileError.notAModel(path: path)) { try ModelFile(path: path) }
        #expect(throws: FileError.self) { try ModelFile(path: folder.file("missing")) }
    }

    @Test func aNewerVersionAsksForAnUpdate() throws {
        try write { _, metadata in metadata["version"] = "2" }
        let error = ModelFileError.newerVersion(path: path, version: "2")
        #expect(throws: error) { try ModelFile(path: path) }
        #expect(error.description.hasPrefix(path) && error.description.contains("update it"))
    }

    @Test(arguments: ["{", "[]", "{\"sampleRate\":24000}", "width:0"])
    func aConfigurationThatMakesNoModelIsRefused(_ text: String) throws {
        try write { _, metadata in
            metadata["configuration"] =
                text == "width:0"
                ? metadata["configuration"]!.replacingOccurrences(of: "\"width\":4", with: "\"width\":0") : text
        }
        let error = #expect(throws: ModelFileError.self) { try ModelFile(path: path) }
        guard case .badConfiguration(path, let reason)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(text != "width:0" || reason.contains("'width' must be"))
    }
}
