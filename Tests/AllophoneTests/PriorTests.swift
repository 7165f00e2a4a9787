import Checkpoint
import Foundation
import TestSupport
import Testing
import Tokenizer

extension CommandLineTests {
    /// Token files that take the bits that codes are worth.
    @Suite struct PriorTests {
        let folder: TemporaryFolder
        let model: String

        init() throws {
            folder = try TemporaryFolder()
            model = try TinyModel.write(to: folder)
        }

        /// The files of 12 s of speech, in pieces of 1.5 s, the last two of which are held out.
        private func dataset() throws -> String {
            let speech = try Sounds.speech(seconds: 12, rate: 24000)
            let rows = try (0..<8).map { piece in
                let samples = Array(speech[piece * 36000..<(piece + 1) * 36000])
                try write(Sounds.wav(samples, rate: 24000), to: folder.file("\(piece).wav"))
                return #"{"path": "\#(piece).wav", "seconds": 1.5, "split": "\#(piece < 6 ? "train" : "dev")"}"#
            }
            try write(Array(rows.joined(separator: "\n").utf8), to: folder.file("manifest.jsonl"))
            return folder.path
        }

        @Test func filesBecomeSmallerAndSayTheSame() throws {
            let coded = folder.file("coded.safetensors")
            let report = try Program.succeed(
                "prior", model, "--data", dataset(), "--output", coded, "--steps", "300", "--width", "16", "--json"
            ).json()
            #expect(report["clips"] as? Int == 6 && report["frames"] as? Int == 6 * 75)
            #expect(report["heldOutFrames"] as? Int == 2 * 75 && report["bitsPerFrame"] as? Double == 10)
            let bits = try #require(report["bitsPerFrameWithPrior"] as? Double)
            #expect(bits < 9.5, "\(bits) bits a frame")

            let sound = folder.file("7.wav")
            let encoded = try Program.succeed("encode", sound, folder.file("c.allo"), "-m", coded, "--json").json()
            try Program.succeed("encode", sound, folder.file("n.allo"), "-m", model)
            let rate = try #require(encoded["bitRate"] as? Double)
            #expect(rate < 500 && abs(rate / 50 - bits) < 2)
            for name in ["c", "n"] {
                try Program.succeed("decode", folder.file("\(name).allo"), folder.file("\(name).out.wav"), "-m", coded)
            }
            #expect(try contents(of: folder.file("c.out.wav")) == contents(of: folder.file("n.out.wav")))
            let info = try Program.succeed("info", folder.file("c.allo"), "--json").json()
            #expect(info["bitRate"] as? Double == rate && info["frames"] as? Int == 75)
            #expect(info["coding"] as? String == "with the model's prior")
            let described = try Program.succeed("info", coded, "--json").json()
            #expect(described["prior"] as? String == "16 units, 3 frames back")
            #expect(described["fingerprint"] as? String == info["model"] as? String)
            let evaluated = try Program.succeed("evaluate", sound, "-m", coded, "--json").json()
            let expected = try #require(evaluated["codedBitRate"] as? Double)
            // But for the last byte of a block.
            #expect(evaluated["bitRate"] as? Double == 500 && rate >= expected - 1e-6 && rate < expected + 8 / 1.5)
            // What goes out frame by frame is not coded.
            let piped = try Program.bash(
                #""$ALLOPHONE" encode "$1" - --model "$2" > "$3""#, sound, coded, folder.file("p.allo"))
            #expect(piped.status == 0)
            #expect(try TokenReader(path: folder.file("p.allo")).header.prior == nil)

            try Program.fail(
                ["decode", folder.file("c.allo"), folder.file("x.wav"), "-m", model], status: 65,
                mentions: ["c.allo: the tokens are written with a prior that the model at hand does not have"],
                in: folder)
        }

        @Test func aSearchCountsBitsWhereTheyAreSaved() throws {
            let dear = folder.file("dear.safetensors")
            try ModelFile(path: model).write(with: dearBits(TinyModel.configuration.tokenLayout), to: dear)
            try write(Sounds.wav(Sounds.speech(seconds: 1, rate: 24000), rate: 24000), to: folder.file("in.wav"))
            for (name, file) in [("dear", dear), ("free", model)] {
                let (array, tokens) = (folder.file("\(name).npy"), folder.file("\(name).allo"))
                try Program.succeed(
                    "encode", folder.file("in.wav"), array, "--format", "npy", "--search", "2", "-m", file)
                try Program.succeed("encode", folder.file("in.wav"), tokens, "--search", "2", "-m", file)
                try Program.succeed("decode", tokens, folder.file("\(name).wav"), "-m", file)
            }
            #expect(try contents(of: folder.file("dear.npy")) == contents(of: folder.file("free.npy")))
            #expect(try contents(of: folder.file("dear.wav")) != contents(of: folder.file("free.wav")))
        }

        @Test func whatCannotBeLearnedFromIsRefused() throws {
            let output = folder.file("coded.safetensors")
            try Program.fail(
                ["prior", model, "--data", folder.file("none"), "-o", output], status: 66, mentions: ["none"],
                in: folder)
            try Program.fail(
                ["prior", model, "--data", folder.path, "-o", model], status: 64, mentions: ["give another output"],
                in: folder)
            try Program.fail(
                ["prior", model, "--data", folder.path, "-o", output, "--width", "0"], status: 64,
                mentions: ["--width must be 1 to 1024"], in: folder)
        }
    }
}
