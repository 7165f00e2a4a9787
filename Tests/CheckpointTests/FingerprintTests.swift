import Tensor
import Testing

@testable import Checkpoint

@Suite struct FingerprintTests {
    /// Python: `hashlib.sha256(bytes(i % 251 for i in range(n)))`, at the lengths where the padding changes.
    @Test(arguments: [
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (3, "ae4b3280e56e2faf83f414a6e3dabe9d5fbe18976544c05fed121accb85b53fc"),
        (55, "463eb28e72f82e0a96c0a4cc53690c571281131f672aa229e0d45ae59b598b59"),
        (56, "da2ae4d6b36748f2a318f23e7ab1dfdf45acdc9d049bd80e59de82a60895f562"),
        (63, "29af2686fd53374a36b0846694cc342177e428d1647515f078784d69cdb9e488"),
        (64, "fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108"),
        (119, "da18797ed7c3a777f0847f429724a2d8cd5138e6ed2895c3fa1a6d39d18f7ec6"),
        (1000, "4e4c294b331f7a2099a379bec34b9f9fc03dc46ab465d998f4d683da53487e6d"),
    ])
    func sha256EqualsPythons(count: Int, expected: String) {
        #expect(sha256((0..<count).map { UInt8($0 % 251) }).map { hexadecimal($0) }.joined() == expected)
    }

    @Test func checksumOfPiecesIsThatOfTheWhole() {
        var whole = CRC32()
        whole.update(Array("123456789".utf8))
        #expect(whole.value == 0xCBF4_3926, "the check value of CRC-32")
        var pieces = CRC32()
        for piece in ["1234", "", "56789"] { pieces.update(Array(piece.utf8)) }
        #expect(pieces == whole)
    }

    /// The value is from `Tests/Oracles/checkpoint_safetensors.py`.
    @Test func fingerprintEqualsPythons() {
        let names = ["encoder.0.weight", "encoder.0.bias", "bf16", "i64"]
        let arrays = SafetensorsTests.referenceArrays.filter { names.contains($0.key) }
        #expect(
            Fingerprint(of: arrays, configuration: #"{"hop": 480}"#).description
                == "ef4140e3e3367c1df9d35de632b4895ef19516c727fd9fc68abc969e98cf3cfe")
    }

    @Test func everyPartOfAModelCounts() throws {
        let arrays = ["a": HostArray([1, 2] as [Float]), "b": HostArray([3] as [Float])]
        var variants = [arrays, arrays, arrays, arrays]
        variants[1]["a"] = HostArray([1, 3] as [Float])
        variants[2]["a"] = HostArray([1, 2] as [Float], shape: [1, 2])
        variants[3]["c"] = variants[3].removeValue(forKey: "b")
        var prints = Set(variants.map { Fingerprint(of: $0, configuration: "{}") })
        prints.insert(Fingerprint(of: arrays, configuration: "{ }"))
        #expect(prints.count == 5)
        #expect(Fingerprint(of: arrays, configuration: "{}") == Fingerprint(of: variants[0], configuration: "{}"))
    }

    @Test func onlyThirtyTwoBytesAreAFingerprint() throws {
        #expect(Fingerprint(bytes: [1, 2, 3]) == nil)
        let fingerprint = try #require(Fingerprint(bytes: Array(0..<32)))
        #expect(fingerprint.description.hasPrefix("00010203") && fingerprint.description.count == 64)
    }
}
