import Checkpoint
import Foundation
import Tensor
import TestSupport
import Testing
import Tokenizer

extension CommandLineTests {
    /// Models with their weights in another type.
    @Suite struct ConvertTests {
        let folder: TemporaryFolder
        let model: String

        init() throws {
            folder = try TemporaryFolder()
            model = try TinyModel.write(to: folder)
        }

        private var small: String { folder.file("small.safetensors") }

        @Test func aSmallModelEncodesAndDecodesAsItsWidenedTwin() throws {
            try Program.succeed("convert", model, small, "--weights", "bf16")
            try Program.succeed("convert", small, folder.file("wide.safetensors"), "--weights", "f32")
            for name in ["small", "wide"] {
                let path = folder.file("\(name).safetensors")
                try Program.succeed("encode", Sounds.speechPath, folder.file("\(name).allo"), "-m", path)
                try Program.succeed("decode", folder.file("small.allo"), folder.file("\(name).wav"), "-m", path)
            }
            #expect(try contents(of: folder.file("small.allo")) == contents(of: folder.file("wide.allo")))
            #expect(try contents(of: folder.file("small.wav")) == contents(of: folder.file("wide.wav")))
            // Rounded weights make other tokens, so the model that they were rounded from is another one.
            try Program.fail(
                ["decode", folder.file("small.allo"), folder.file("out.wav"), "--model", model], status: 65,
                mentions: ["Decode them with the model that made them"], in: folder)
        }

        @Test func reportAndInfoGiveTypesAndSizes() throws {
            let outcome = try Program.succeed("convert", model, small, "--weights", "bf16", "--json")
            let report = try outcome.json()
            let sizes = [try contents(of: model).count, try contents(of: small).count]
            #expect(report["inputBytes"] as? Int == sizes[0] && report["outputBytes"] as? Int == sizes[1])
            #expect(report["input"] as? String == model && report["output"] as? String == small)
            #expect(report["weights"] as? String == "bf16" && report["isSameModel"] as? Bool == false)
            let info = try Program.succeed("info", small, "--json").json()
            #expect(info["bytes"] as? Int == sizes[1])
            #expect(info["fingerprint"] as? String == report["fingerprint"] as? String)
            let file = try ModelFile(path: small)
            let counts = file.storedTypes.reduce(into: [DType: Int]()) { counts, entry in
                counts[entry.value, default: 0] += file.arrays[entry.key]?.count ?? 0
            }
            #expect(info["weights"] as? String == "\(counts[.bf16] ?? 0) bf16, \(counts[.f32] ?? 0) f32")
            let original = try Program.succeed("info", model, "--json").json()
            #expect(original["weights"] as? String == "\(original["parameters"] ?? 0) f32")
            #expect(original["configuration"] as? String == info["configuration"] as? String)
            // For people, on standard error as those of the other commands.
            let told = try Program.succeed("convert", small, folder.file("wide.safetensors"), "--weights", "f32")
            #expect(told.output.isEmpty && told.messages.contains("the same model"))
        }

        @Test func whatCannotBeConvertedIsRefused() throws {
            func fail(
                _ input: String, _ output: String, _ status: Int32, _ mention: String, weights: String = "bf16"
            ) throws {
                try Program.fail(
                    ["convert", input, output, "--weights", weights], status: status, mentions: [mention], in: folder)
            }
            try fail(model, model, 64, "give another output")
            try fail(model, small, 64, "--weights", weights: "int8")
            try fail(folder.file("missing"), small, 66, "Check the spelling")
            try fail(model, folder.file("missing/out"), 73, "cannot create")
            let bad = folder.file("bad.safetensors")
            try Safetensors.write(["a": HostArray([Float(1)])], to: bad)
            try fail(bad, small, 65, "not an Allophone model")
            try Program.succeed("convert", model, bad, "--weights", "bf16")
            try write(Array(contents(of: bad).dropLast()), to: bad)
            try fail(bad, small, 65, "\(bad): the file has")
            var arrays = try TinyModel.arrays()
            let name = "decoder.head.weight"
            let metadata = try ModelFile.metadata(TinyModel.configuration)
            let shape = try #require(arrays[name]).shape
            for (dtype, value, mention) in [
                (DType.i8, 1, "\(name): i8 for f32\nConvert these tensors"), (.bf16, Double.nan, "not finite (1)"),
            ] {
                arrays[name] = HostArray(repeating: value, type: TensorType(dtype, shape))
                try Safetensors.write(arrays, metadata: metadata, to: bad)
                try fail(bad, small, 65, mention)
            }
        }

        @Test func aDiskThatFillsUpLeavesTheEarlierFile() throws {
            try write(Array("earlier".utf8), to: small)
            let before = try folder.snapshot()
            let outcome = try Program.bash(
                "ulimit -f 1; \"$ALLOPHONE\" convert \"$1\" \"$2\" --weights bf16", model, small)
            Program.expectFailure(outcome, status: 73, mentions: [small, "File too large"])
            #expect(try folder.snapshot() == before)
        }
    }
}
