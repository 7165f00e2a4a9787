import Checkpoint
import Tensor
import TestSupport
import Testing

/// bf16 and f16 where a reader wants f32, against PyTorch (`Tests/Oracles/checkpoint_halves.py`).
@Suite struct WideningTests {
    private let path = fixture("checkpoint_halves.safetensors")

    private func wide(_ names: String..., in file: SafetensorsFile) -> [String: TensorType] {
        Dictionary(uniqueKeysWithValues: names.map { ($0, TensorType(.f32, file.types[$0]!.shape)) })
    }

    @Test func halvesAreReadAsTheNumbersThatTheyAre() throws {
        let file = try SafetensorsFile(path: path)
        let expected = wide("wide", "bf16", "f16", in: file)
        let arrays = try file.arrays(matching: expected, allowingExtra: true, widening: true)
        #expect(arrays.mapValues(\.type) == expected && file.types["bf16"]?.dtype == .bf16)
        for name in ["bf16", "f16"] {
            let reference = try file.array(named: "\(name).wide")
            #expect(arrays[name] == reference)
            #expect(try file.array(named: name).doubles == reference.doubles)
        }
        #expect(arrays["wide"] == (try file.array(named: "wide")), "f32 stays as it is")
    }

    @Test func roundingToBFloat16GivesPyTorchsBits() throws {
        let file = try SafetensorsFile(path: path)
        let (wide, narrow) = (try file.array(named: "wide"), try file.array(named: "bf16"))
        #expect(wide.converted(to: .bf16) == narrow)
        #expect(narrow.converted(to: .f32).converted(to: .bf16) == narrow)
        #expect(HostArray(wide.doubles, as: .bf16, shape: wide.shape) == narrow)
    }

    @Test func nothingIsWidenedUnasked() throws {
        let file = try SafetensorsFile(path: path)
        let error = #expect(throws: TensorDifferences.self) {
            try file.arrays(matching: wide("bf16", in: file), allowingExtra: true)
        }
        #expect(error?.mistyped.map(\.found.dtype) == [.bf16])
        // Asked for as it is stored, a narrow tensor stays narrow.
        let stored = try #require(file.types["bf16"])
        let arrays = try file.arrays(matching: ["bf16": stored], allowingExtra: true, widening: true)
        #expect(arrays["bf16"]?.dtype == .bf16)
    }

    @Test(arguments: [(DType.i8, DType.f32), (.f64, .f32), (.u16, .f32), (.bf16, .f64), (.bf16, .f16), (.f32, .bf16)])
    func otherTypesAreRefusedByName(found: DType, expected: DType) throws {
        let folder = try TemporaryFolder()
        let path = folder.file("model.safetensors")
        try Safetensors.write(["head.weight": counting(found, [3])], to: path)
        let error = #expect(throws: TensorDifferences.self) {
            try SafetensorsFile(path: path)
                .arrays(matching: ["head.weight": TensorType(expected, [3])], widening: true)
        }
        #expect(
            error?.description == """
                \(path): the tensors are not those of this model.
                  of another type (1):
                    head.weight: \(found.rawValue) for \(expected.rawValue)
                Convert these tensors to the types that are expected.
                """)
    }

    @Test(arguments: [DType.bf16, .f16], [Double.nan, .infinity, -.infinity])
    func narrowValuesThatAreNotFiniteAreFound(dtype: DType, value: Double) throws {
        let folder = try TemporaryFolder()
        let path = folder.file("model.safetensors")
        try Safetensors.write(["x": HostArray([0, value, 1], as: dtype, shape: [3])], to: path)
        let file = try SafetensorsFile(path: path)
        let error = #expect(throws: TensorDifferences.self) {
            try file.arrays(matching: wide("x", in: file), widening: true)
        }
        #expect(error?.nonFinite == ["x"])
        let read = try file.arrays(matching: wide("x", in: file), finite: false, widening: true)
        #expect(read["x"].map { $0.floats[1].isNaN ? value.isNaN : Double($0.floats[1]) == value } == true)
    }
}
