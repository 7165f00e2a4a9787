import Checkpoint
import NN
import Tensor
import TestSupport
import Testing
import Tokenizer

/// Model files whose weights are in fewer bits.
@Suite struct ModelWeightsTests {
    private let folder: TemporaryFolder
    private let model: Alpha
    private let arrays: [String: HostArray]

    init() throws {
        folder = try TemporaryFolder()
        model = try Alpha(SmallAlpha.configuration)
        arrays = SmallAlpha.values(model.parameters)
        try ModelFile.write(arrays, of: model, to: path)
    }

    private var path: String { folder.file("model.safetensors") }
    private var narrowPath: String { folder.file("narrow.safetensors") }

    private func narrow() throws -> ModelFile {
        try ModelFile(path: path).write(as: .bf16, to: narrowPath)
        return try ModelFile(path: narrowPath)
    }

    /// The nearer of the two numbers of bf16 around `value`, by subtraction in f64; of two as near, the even one.
    private func nearest(_ value: Float) -> UInt16 {
        let below = UInt16(value.bitPattern >> 16)
        func distance(_ bits: UInt16) -> Double { abs(Double(Float(bitPattern: UInt32(bits) << 16)) - Double(value)) }
        let (one, other) = (distance(below), distance(below + 1))
        return one == other ? below + (below & 1) : one < other ? below : below + 1
    }

    @Test func kernelsAndMatricesAreRoundedToNearestAndNothingElseIs() throws {
        let narrow = try narrow()
        let file = try SafetensorsFile(path: narrowPath)
        #expect(narrow.storedTypes == file.types.mapValues(\.dtype))
        var rounded: [String] = []
        for (name, array) in arrays {
            let stored = try file.array(named: name)
            if stored.dtype == .f32 {
                #expect(stored == array && narrow.arrays[name] == array, "\(name)")
            } else {
                rounded.append(name)
                #expect(stored.dtype == .bf16 && stored.shape == array.shape)
                let bits = array.floats.map(nearest)
                #expect(stored.values(as: UInt16.self) == bits, "\(name)")
                #expect(narrow.arrays[name]?.floats.map(\.bitPattern) == bits.map { UInt32($0) << 16 }, "\(name)")
            }
        }
        let wanted = arrays.filter { !$0.key.hasPrefix("quantizer.") && $0.value.shape.rank > 1 }
        #expect(Set(rounded) == Set(wanted.keys) && rounded.contains("encoder.stem.weight"))
    }

    @Test func roundedWeightsAreAnotherModelAndWidenedOnesAreNot() throws {
        let (original, narrow) = (try ModelFile(path: path), try narrow())
        #expect(narrow.fingerprint != original.fingerprint)
        let wide = folder.file("wide.safetensors")
        try narrow.write(as: .f32, to: wide)
        let widened = try ModelFile(path: wide)
        #expect(widened.fingerprint == narrow.fingerprint && widened.arrays == narrow.arrays)
        #expect(Set(widened.storedTypes.values) == [.f32])
        // What is rounded is rounded: once more changes no byte.
        let again = folder.file("again.safetensors")
        try widened.write(as: .bf16, to: again)
        #expect(try contents(of: again) == contents(of: narrowPath))
        // All in bf16, or a part in f16, is read as well.
        let half = arrays.mapValues { $0.converted(to: .bf16) }
        var mixed = arrays
        mixed["decoder.head.weight"] = arrays["decoder.head.weight"]!.converted(to: .f16)
        mixed["encoder.stem.bias"] = half["encoder.stem.bias"]
        for stored in [half, mixed] {
            try Safetensors.write(stored, metadata: ModelFile.metadata(model.configuration), to: wide)
            #expect(try ModelFile(path: wide).arrays == stored.mapValues { $0.converted(to: .f32) })
        }
    }

    @Test func allOfTheMetadataIsKept() throws {
        var metadata = try ModelFile.metadata(model.configuration)
        metadata["configuration"] = " " + metadata["configuration"]!
        metadata["licence"] = "CC-BY-4.0, \"as is\""
        try Safetensors.write(arrays, metadata: metadata, to: path)
        let narrow = try narrow()
        #expect(narrow.metadata == metadata)
        #expect(narrow.model.configuration == model.configuration)
    }

    @Test func aWeightThatRoundsToInfinityIsNotWritten() throws {
        var large = arrays
        let name = "decoder.head.weight"
        large[name] = HostArray(repeating: Double(Float.greatestFiniteMagnitude), type: arrays[name]!.type)
        try ModelFile.write(large, of: model, to: path)
        let before = try contents(of: path)
        let file = try ModelFile(path: path)
        for output in [path, narrowPath] {
            let error = #expect(throws: TensorDifferences.self) { try file.write(as: .bf16, to: output) }
            #expect(error?.nonFinite == [name] && error?.source == path)
        }
        #expect(try contents(of: path) == before)
        #expect(try folder.entries() == ["model.safetensors"])
    }

    /// What `ModelFile` says of a file with `array` for one of its weights.
    private func refusal(of array: HostArray) throws -> TensorDifferences {
        try Safetensors.write(
            arrays.merging(["decoder.head.weight": array]) { $1 }, metadata: ModelFile.metadata(model.configuration),
            to: path)
        let error = try #require(throws: TensorDifferences.self) { try ModelFile(path: path) }
        #expect(error.source == path)
        return error
    }

    @Test func narrowWeightsThatNoModelHasAreRefused() throws {
        let name = "decoder.head.weight"
        let shape = arrays[name]!.shape
        for dtype in [DType.i8, .f64, .u16] {
            let error = try refusal(of: HostArray(repeating: 1, type: TensorType(dtype, shape)))
            #expect(error.mistyped.map(\.name) == [name] && error.mistyped.map(\.found.dtype) == [dtype])
        }
        for value in [Double.nan, .infinity] {
            let error = try refusal(of: HostArray(repeating: value, type: TensorType(.bf16, shape)))
            #expect(error.nonFinite == [name] && error.mistyped.isEmpty)
        }
        let bent = TensorType(.bf16, [arrays[name]!.count])
        #expect(try refusal(of: HostArray(repeating: 1, type: bent)).misshapen.map(\.name) == [name])
    }

    @Test func aNarrowFileCutAnywhereIsRefused() throws {
        _ = try narrow()
        let whole = try contents(of: narrowPath)
        for count in [0, 8, 100, whole.count / 2, whole.count - 1] {
            try write(Array(whole.prefix(count)), to: narrowPath)
            #expect(throws: SafetensorsError.self) { try ModelFile(path: narrowPath) }
        }
    }
}
