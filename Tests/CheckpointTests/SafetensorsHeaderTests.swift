import Checkpoint
import TestSupport
import Testing

@Suite struct SafetensorsHeaderTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    enum Fault: String {
        case truncated, headerTooLarge, malformedHeader, invalidTensor, unsupportedDType, unusedBytes
    }

    /// Opens a file of `json`, its length in front, and `dataCount` bytes of data.
    private func open(_ json: String, dataCount: Int = 0) throws -> SafetensorsFile {
        try open(Array(json.utf8), dataCount: dataCount)
    }

    private func open(_ json: [UInt8], length: UInt64? = nil, dataCount: Int = 0) throws -> SafetensorsFile {
        let prefix = withUnsafeBytes(of: (length ?? UInt64(json.count)).littleEndian) { Array($0) }
        let path = folder.file("model.safetensors")
        try write(prefix + json + [UInt8](repeating: 0, count: dataCount), to: path)
        return try SafetensorsFile(path: path)
    }

    private func fault(of body: () throws -> SafetensorsFile) -> Fault? {
        do {
            _ = try body()
            return nil
        } catch let error as SafetensorsError {
            #expect(error.description.hasPrefix(folder.path), "the error names the file")
            switch error {
            case .truncated: return .truncated
            case .headerTooLarge: return .headerTooLarge
            case .malformedHeader: return .malformedHeader
            case .invalidTensor: return .invalidTensor
            case .unsupportedDType: return .unsupportedDType
            case .unusedBytes: return .unusedBytes
            case .noSuchTensor: return nil
            }
        } catch {
            Issue.record(error)
            return nil
        }
    }

    @Test(arguments: [
        #"{}"#, #"{}    "#, #"{ "__metadata__" : { } }"#,
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
        #"{ "a" : { "data_offsets" : [ 4 , 8 ] , "shape" : [ ] , "dtype" : "I32" } ,"#
            + "\n\r\t" + #""b":{"dtype":"BF16","shape":[1,2],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[8,8]},"b":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}"#,
    ])
    func acceptsWhatTheFormatAllows(json: String) throws {
        #expect(throws: Never.self) { try open(json, dataCount: json.contains("dtype") ? 8 : 0) }
    }

    @Test func decodesEveryEscape() throws {
        let file = try open(#"{"__metadata__":{"\"\\\/\b\f\n\r\t\u00e9\uD834\udd1E":"é𝄞"}}"#)
        #expect(file.metadata == ["\"\\/\u{8}\u{C}\n\r\té𝄞": "é𝄞"])
    }

    @Test(arguments: [
        "", " {}", "[]", "{", "{}x", "{} \0", #"{"a"}"#, #"{"a":1}"#, #"{"a":null}"#, #"{"a":{}}"#, #"{"a":{},}"#,
        #"{"a":{"dtype":"F32","shape":[2]}}"#,
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"stride":[1]}}"#,
        #"{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
        #"{"__metadata__":{},"__metadata__":{}}"#, #"{"__metadata__":{"a":"b","a":"b"}}"#, #"{"__metadata__":{"a":1}}"#,
        #"{"__metadata__":"a"}"#, #"{"__metadata__":{"a":"\x"}}"#, #"{"__metadata__":{"a":"\ud800"}}"#,
        #"{"__metadata__":{"a":"\ud800\u0041"}}"#, #"{"__metadata__":{"a":"\udc00"}}"#,
        #"{"__metadata__":{"a":"\u00g0"}}"#,
        #"{"__metadata__":{"a":"\u00"#, #"{"__metadata__":{"a":"\"#, "{\"__metadata__\":{\"a\":\"\n\"}}",
        #"{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[02],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[2,],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":"2","data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":{"0":8}}}"#,
    ])
    func refusesMalformedHeaders(json: String) {
        #expect(fault { try open(json, dataCount: 8) } == .malformedHeader)
    }

    @Test func refusesStringsThatAreNotUTF8() {
        let json = Array(#"{"__metadata__":{"a":""#.utf8) + [0xC3, 0x28] + Array(#""}}"#.utf8)
        #expect(fault { try open(json) } == .malformedHeader)
    }

    @Test(arguments: [
        (#""F32","shape":[2],"data_offsets":[0,8]"#, 7, Fault.truncated),
        (#""F32","shape":[2],"data_offsets":[0,8]"#, 9, .unusedBytes),
        (#""F32","shape":[2],"data_offsets":[1,9]"#, 9, .unusedBytes),
        (#""F32","shape":[2],"data_offsets":[0,7]"#, 8, .invalidTensor),
        (#""F32","shape":[2],"data_offsets":[8,0]"#, 8, .invalidTensor),
        (#""F32","shape":[2],"data_offsets":[0]"#, 8, .invalidTensor),
        (#""F32","shape":[2],"data_offsets":[0,8,8]"#, 8, .invalidTensor),
        (#""F32","shape":[2],"data_offsets":[0,9223372036854775807]"#, 8, .invalidTensor),
        (#""F32","shape":[4611686018427387904,4],"data_offsets":[0,0]"#, 8, .invalidTensor),
        (#""F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]"#, 0, .invalidTensor),
        (#""F32","shape":[4294967296,1],"data_offsets":[0,17179869184]"#, 8, .truncated),
        (#""F8_E4M3","shape":[8],"data_offsets":[0,8]"#, 8, .unsupportedDType),
        (#""f32","shape":[2],"data_offsets":[0,8]"#, 8, .unsupportedDType),
        (
            #""F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]"#, 4,
            .invalidTensor
        ),
        (
            #""U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]"#, 6,
            .invalidTensor
        ),
        (
            #""U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]"#, 6,
            .unusedBytes
        ),
    ])
    func refusesTensorsThatDoNotFitTheFile(entry: String, dataCount: Int, expected: Fault) {
        #expect(fault { try open("{\"a\":{\"dtype\":\(entry)}}", dataCount: dataCount) } == expected)
    }

    @Test func refusesImpossibleHeaderLengths() throws {
        #expect(fault { try open(Array("{}".utf8), length: 100_000_001) } == .headerTooLarge)
        #expect(fault { try open(Array("{}".utf8), length: .max) } == .headerTooLarge)
        #expect(fault { try open(Array("{}".utf8), length: 3) } == .truncated)
        let path = folder.file("short")
        try write([1, 2, 3], to: path)
        #expect(fault { try SafetensorsFile(path: path) } == .truncated)
    }

    @Test func refusesTruthValuesOtherThanZeroAndOne() throws {
        let path = folder.file("bool")
        let json = #"{"a":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}}"#
        try write([UInt8(json.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(json.utf8) + [1, 2], to: path)
        let file = try SafetensorsFile(path: path)
        #expect(throws: SafetensorsError.self) { try file.array(named: "a") }
    }
}
