import Checkpoint
import Foundation
import Tensor
import TestSupport
import Testing

@Suite struct SafetensorsTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The tensors of `Tests/Oracles/checkpoint_safetensors.py`.
    static let referenceArrays: [String: HostArray] = [
        "encoder.0.weight": counting(.f32, [2, 3, 4]),
        "encoder.0.bias": counting(.f32, [3]),
        "f64": counting(.f64, [5]),
        "bf16": counting(.bf16, [3, 3]),
        "f16": counting(.f16, [7]),
        "i64": counting(.i64, [2, 2]),
        "i32": counting(.i32, [3]),
        "i16": counting(.i16, [5]),
        "i8": counting(.i8, [5]),
        "u64": counting(.u64, [2]),
        "u32": counting(.u32, [3]),
        "u16": counting(.u16, [3]),
        "u8": counting(.u8, [3]),
        "bool": counting(.bool, [3]),
        "step": counting(.i64, []),
        "empty": counting(.f32, [0, 4]),
        "a \"name\" \\ α": counting(.f32, [1]),
    ]
    static let referenceMetadata = ["re\"cipe\\": "α/β\n\t\u{1}\u{7F}𝄞"]

    @Test func readsWhatTheReferenceImplementationWrote() throws {
        let file = try SafetensorsFile(path: fixture("checkpoint_reference.safetensors"))
        #expect(file.metadata == Self.referenceMetadata)
        #expect(file.types == Self.referenceArrays.mapValues(\.type))
        #expect(try file.arrays() == Self.referenceArrays)
    }

    @Test func writesTheBytesOfTheReferenceImplementation() throws {
        let path = folder.file("written.safetensors")
        try Safetensors.write(Self.referenceArrays, metadata: Self.referenceMetadata, to: path)
        #expect(try contents(of: path) == contents(of: fixture("checkpoint_reference.safetensors")))
    }

    @Test func dataIsAlignedToEightBytes() throws {
        for name in ["a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh"] {
            let path = folder.file(name)
            try Safetensors.write([name: counting(.f64, [3])], to: path)
            #expect((try contents(of: path).count - 24) % 8 == 0)
            #expect(try SafetensorsFile(path: path).array(named: name) == counting(.f64, [3]))
        }
    }

    @Test func writesAFileWithoutTensors() throws {
        let path = folder.file("empty.safetensors")
        try Safetensors.write([:], to: path)
        #expect(try SafetensorsFile(path: path).arrays().isEmpty)
    }

    @Test func anUnknownNameIsAnErrorThatNamesItsNeighbours() throws {
        let file = try SafetensorsFile(path: fixture("checkpoint_reference.safetensors"))
        let error = #expect(throws: SafetensorsError.self) { try file.array(named: "encoder.0.weigth") }
        #expect(error?.description.contains("encoder.0.weight") == true)
    }

    @Test func theOpenFileOutlivesItsReplacement() throws {
        let path = folder.file("model.safetensors")
        try Safetensors.write(["x": counting(.f32, [4])], to: path)
        let opened = try SafetensorsFile(path: path)
        try Safetensors.write(["y": counting(.i8, [1])], to: path)
        #expect(try opened.array(named: "x") == counting(.f32, [4]))
    }

    @Test func aFileCutAfterOpeningIsTruncatedNotACrash() throws {
        let path = folder.file("model.safetensors")
        try Safetensors.write(["x": counting(.f32, [1000])], to: path)
        let opened = try SafetensorsFile(path: path)
        #expect(truncate(path, 500) == 0)
        let error = #expect(throws: SafetensorsError.self) { try opened.array(named: "x") }
        guard case .truncated = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func theReservedNameIsRefusedAndNothingIsLeft() throws {
        #expect(throws: SafetensorsError.self) {
            try Safetensors.write(["__metadata__": counting(.f32, [1])], to: folder.file("model.safetensors"))
        }
        #expect(try folder.entries() == [])
    }

    @Test func foldersAndMissingFilesAreFileErrors() throws {
        #expect(throws: FileError.self) { try SafetensorsFile(path: folder.path) }
        let error = #expect(throws: FileError.self) { try SafetensorsFile(path: folder.file("none")) }
        #expect(error?.isNotFound == true)
        #expect(throws: FileError.self) { try SafetensorsFile(path: "/dev/zero") }
    }
}

func fixture(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/\(name)").standardized.path
}

/// 0, 1, 2, … less 2 where the type has a sign, halved where it has fractions; truth values alternate.
func counting(_ dtype: DType, _ shape: Shape) -> HostArray {
    let values = (0..<shape.elementCount).map { index -> Double in
        if dtype == .bool { return Double(index % 2) }
        let value = Double(dtype.isSigned ? index - 2 : index)
        return dtype.isFloating ? value / 2 : value
    }
    return HostArray(values, as: dtype, shape: shape)
}
