import Checkpoint
import Tensor
import TestSupport
import Testing

@Suite struct VerificationTests {
    let expected: [String: TensorType] = [
        "a": TensorType(.f32, [2, 3]), "b": TensorType(.bf16, [4]), "c": TensorType(.i64, []),
    ]

    @Test func acceptsTheTensorsItExpects() {
        #expect(throws: Never.self) { try verify(expected: expected, found: expected, in: "model.safetensors") }
    }

    @Test func listsEveryDifferenceAtOnce() throws {
        let found: [String: TensorType] = [
            "a": TensorType(.f32, [3, 2]), "b": TensorType(.f32, [5]), "d": TensorType(.f32, [1]),
        ]
        let error = #expect(throws: TensorDifferences.self) {
            try verify(expected: expected, found: found, in: "model.safetensors")
        }
        let differences = try #require(error)
        #expect(differences.missing == ["c"])
        #expect(differences.extra == ["d"])
        #expect(differences.misshapen.map(\.name) == ["a", "b"])
        #expect(differences.mistyped.map(\.name) == ["b"])
        #expect(differences.nonFinite == [])
        #expect(
            differences.description == """
                model.safetensors: the tensors are not those of this model.
                  missing (1):
                    c
                  not part of the model (1):
                    d
                  of another shape (2):
                    a: [3, 2] for [2, 3]
                    b: [5] for [4]
                  of another type (1):
                    b: f32 for bf16
                Use the configuration that the file was made with, or a file made with this one.
                """)
    }

    @Test func aLongListIsCut() {
        let many = Dictionary(uniqueKeysWithValues: (0..<100).map { ("t\($0)", TensorType(.f32, [1])) })
        let error = #expect(throws: TensorDifferences.self) { try verify(expected: many, found: [:], in: "x") }
        #expect(error?.missing.count == 100)
        #expect(error?.description.contains("… and 92 more") == true)
    }

    @Test func extraTensorsMayBeAllowed() {
        var found = expected
        found["d"] = TensorType(.f32, [1])
        #expect(throws: Never.self) {
            try verify(expected: expected, found: found, in: "model.safetensors", allowingExtra: true)
        }
    }

    @Test(arguments: [DType.f64, .f32, .bf16, .f16], [Double.nan, .infinity, -.infinity, 65504])
    func findsValuesThatAreNotFinite(dtype: DType, value: Double) throws {
        let arrays = ["x": HostArray([0, -1, value, 2], as: dtype, shape: [4]), "i": HostArray([-1] as [Int64])]
        let types = arrays.mapValues(\.type)
        #expect(throws: Never.self) { try verify(expected: types, found: arrays, in: "x", finite: false) }
        let verdict = Result { try verify(expected: types, found: arrays, in: "x", finite: true) }
        if value.isFinite {
            #expect(throws: Never.self) { try verdict.get() }
        } else {
            let error = #expect(throws: TensorDifferences.self) { try verdict.get() }
            #expect(error?.nonFinite == ["x"])
        }
    }

    @Test func loadsFromAFileOnlyWhatIsExpected() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("model.safetensors")
        let arrays = ["a": counting(.f32, [2, 3]), "b": HostArray([Float.nan])]
        try Safetensors.write(arrays, to: path)
        let file = try SafetensorsFile(path: path)

        let wanted = ["a": TensorType(.f32, [2, 3])]
        #expect(try file.arrays(matching: wanted, allowingExtra: true) == ["a": counting(.f32, [2, 3])])
        #expect(throws: TensorDifferences.self) { try file.arrays(matching: wanted) }
        #expect(throws: TensorDifferences.self) { try file.arrays(matching: file.types) }
        #expect(try file.arrays(matching: file.types, finite: false).count == 2)
    }
}
