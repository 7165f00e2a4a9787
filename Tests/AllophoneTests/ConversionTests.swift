import Audio
import Checkpoint
import Foundation
import Tensor
import TestSupport
import Testing
import Tokenizer

extension CommandLineTests {
    /// Sound to tokens and back.
    @Suite struct ConversionTests {
        let folder: TemporaryFolder
        let model: String

        init() throws {
            folder = try TemporaryFolder()
            model = try TinyModel.write(to: folder)
        }

        private func tokens(_ name: String) throws -> (frames: TokenFrames, samples: Int) {
            let reader = try TokenReader(path: folder.file(name))
            let frames = try reader.rest()
            return (frames, try #require(reader.sampleCount))
        }

        /// Encodes and decodes `name`, and returns how long the result is.
        private func lengthAfterRoundTrip(of name: String) throws -> Int {
            try Program.succeed("encode", folder.file(name), folder.file("t.allo"), "--model", model)
            try Program.succeed("decode", folder.file("t.allo"), folder.file("out.wav"), "--model", model)
            let decoded = try Waveform.load(path: folder.file("out.wav"))
            #expect(decoded.sampleRate == 24000)
            return decoded.samples.count
        }

        @Test(arguments: [8000, 16000, 44100, 48000, 192_000])
        func lengthSurvivesTheRoundTripFromEveryRate(rate: Int) throws {
            // Neither a whole number of frames nor of chunks.
            let samples = Sounds.voice(count: Int(2.3456 * Double(rate)), rate: rate)
            try write(Sounds.wav(samples, rate: rate), to: folder.file("in.wav"))
            let expected = try Waveform.load(path: folder.file("in.wav"), sampleRate: 24000).samples.count
            #expect(abs(Double(expected) / 24000 - 2.3456) < 0.0005)
            #expect(try lengthAfterRoundTrip(of: "in.wav") == expected)
        }

        @Test func aSingleSampleSurvivesTheRoundTrip() throws {
            try write(Sounds.wav([0.5], rate: 24000), to: folder.file("in.wav"))
            #expect(try lengthAfterRoundTrip(of: "in.wav") == 1)
        }

        @Test func eightEqualChannelsGiveTheTokensOfOne() throws {
            let samples = Sounds.voice(count: 24000, rate: 24000)
            try write(Sounds.wav(samples, rate: 24000), to: folder.file("1.wav"))
            try write(Sounds.wav(samples, rate: 24000, channels: 8), to: folder.file("8.wav"))
            for name in ["1", "8"] {
                try Program.succeed("encode", folder.file("\(name).wav"), folder.file("\(name).allo"), "-m", model)
            }
            #expect(try tokens("1.allo") == tokens("8.allo"))
        }

        @Test func reportAndInfoGiveTheFileInNumbers() throws {
            let encoded = try Program.succeed(
                "encode", Sounds.speechPath, folder.file("t.allo"), "--model", model, "--json"
            ).json()
            // 32,640 samples at 16 kHz.
            #expect(encoded["seconds"] as? Double == 2.04)
            #expect(encoded["frames"] as? Int == 102)
            #expect(encoded["bitRate"] as? Double == 500)
            let info = try Program.succeed("info", folder.file("t.allo"), "--json").json()
            #expect(info["kind"] as? String == "tokens")
            #expect(info["sampleRate"] as? Int == 24000)
            #expect(info["frameRate"] as? Double == 50)
            #expect(info["frames"] as? Int == 102)
            #expect(info["seconds"] as? Double == 2.04)
            #expect(info["bitRate"] as? Double == 500)
            #expect(info["model"] as? String == (try ModelFile(path: model)).fingerprint.description)
            let described = try Program.succeed("info", model, "--json").json()
            #expect(described["kind"] as? String == "model")
            #expect(described["fingerprint"] as? String == info["model"] as? String)
            #expect(described["parameters"] as? Int == (try TinyModel.arrays()).values.reduce(0) { $0 + $1.count })
            let sound = try Program.succeed("info", Sounds.speechPath, "--json").json()
            #expect(sound["kind"] as? String == "sound" && sound["seconds"] as? Double == 2.04)
            // A tag of 123 · 128 bytes, whose size has a brace where the header of a model has one.
            let tag = Array("ID3".utf8) + [3, 0, 0, 0, 0, 0x7B, 0] + [UInt8](repeating: 0, count: 123 * 128)
            try write(tag + Sounds.wav([0, 0.5, 0], rate: 24000), to: folder.file("tagged.wav"))
            let tagged = try Program.succeed("info", folder.file("tagged.wav"), "--json").json()
            #expect(tagged["kind"] as? String == "sound")
        }

        @Test func everyFormatHoldsTheSameCodes() throws {
            for format in TokenFormat.allCases {
                try Program.succeed("encode", Sounds.speechPath, folder.file("t.\(format)"), "-m", model)
                // What is asked for counts, whatever the file is called.
                let path = folder.file("named.JSON")
                try Program.succeed("encode", Sounds.speechPath, path, "--format", "\(format)", "-m", model)
                #expect(try contents(of: path) == contents(of: folder.file("t.\(format)")))
            }
            try Program.succeed("encode", Sounds.speechPath, folder.file("T.NPY"), "-m", model)
            #expect(try contents(of: folder.file("T.NPY")) == contents(of: folder.file("t.npy")))
            let frames = try tokens("t.allo").frames
            #expect(Set(frames.level(0)).count > 2 && Set(frames.level(1)).count > 2, "the model tells sounds apart")
            let object = try JSONSerialization.jsonObject(with: Data(contents(of: folder.file("t.json"))))
            let json = try #require((object as? [String: Any])?["frames"] as? [[UInt64]])
            #expect(json.flatMap { $0 } == frames.codes)
            let npy = try contents(of: folder.file("t.npy"))
            #expect(String(decoding: npy[10..<128], as: UTF8.self).contains("'shape': (102, 2)"))
            let codes = stride(from: 128, to: npy.count, by: 8).map { place in
                npy.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: UInt64.self) }
            }
            #expect(codes == frames.codes)
        }

        @Test(
            arguments: ["tone_44k_stereo.flac", "tone_32k_stereo.ogg", "tone_22k_stereo.mp3", "tone_48k.opus"]
        )
        func compressedFilesGoIn(name: String) throws {
            let path = Fixture.folder.appending(path: "audio/\(name)").path
            let outcome = try Program.succeed("encode", path, "-", "--format", "json", "--model", model)
            let samples = try Waveform.load(path: path, sampleRate: 24000).samples.count
            #expect(try outcome.json()["sampleCount"] as? Int == samples)
            #expect(try outcome.json()["frameCount"] as? Int == (samples + 479) / 480)
        }

        private func tokens(in path: String) throws -> [UInt64] {
            let reader = try TokenReader(path: path)
            var codes: [UInt64] = []
            while let frames = try reader.next() { codes += frames.codes }
            return codes
        }

        @Test func pipesGiveWhatFilesGive() throws {
            try write(Sounds.wav(Sounds.speech(seconds: 2.5, rate: 24000), rate: 24000), to: folder.file("in.wav"))
            try Program.succeed("encode", folder.file("in.wav"), folder.file("t.allo"), "--model", model)
            try Program.succeed("decode", folder.file("t.allo"), folder.file("out.wav"), "--model", model)
            let piped = try Program.bash(
                """
                set -o pipefail
                cat "$1" | "$ALLOPHONE" encode - - --model "$2" --json | tee "$3" | "$ALLOPHONE" decode - - --model "$2"
                """, folder.file("in.wav"), model, folder.file("piped.allo"))
            #expect(piped.status == 0, "\(piped.messages)")
            // A pipe's file is cut into more blocks.
            #expect(try tokens(in: folder.file("piped.allo")) == tokens(in: folder.file("t.allo")))
            #expect(piped.messages.contains(#""frames":125"#), "the report gives way to the tokens")
            let decoded = try Waveform.load(path: folder.file("out.wav")).samples
            #expect(
                piped.output
                    == decoded.flatMap { sample in
                        withUnsafeBytes(of: Int16(sample * 32768).littleEndian) { Array($0) }
                    })
        }

        @Test func rawPCMAtAnotherRateGivesTheTokensOfAWAV() throws {
            let pcm = Sounds.pcm(Sounds.voice(count: 20000, rate: 16000))
            try write(pcm, to: folder.file("in.raw"))
            let samples = stride(from: 0, to: pcm.count, by: 2).map { place in
                Float(Int16(bitPattern: UInt16(pcm[place]) | UInt16(pcm[place + 1]) << 8)) / 32768
            }
            try write(Sounds.wav(samples, rate: 16000), to: folder.file("in.wav"))
            try Program.succeed("encode", folder.file("in.wav"), folder.file("wav.allo"), "--model", model)
            try Program.succeed(
                "encode", "--raw", "s16le", "--rate", "16000", "-", folder.file("raw.allo"), "--model", model,
                input: folder.reading("in.raw"))
            #expect(try tokens("raw.allo") == tokens("wav.allo"))
        }

        @Test func aSearchKeepsLevelOneAndTheFormsOfFiles() throws {
            try write(Sounds.wav(Sounds.speech(seconds: 1, rate: 24000), rate: 24000), to: folder.file("in.wav"))
            try Program.succeed("encode", folder.file("in.wav"), folder.file("own.allo"), "--model", model)
            try Program.succeed(
                "encode", folder.file("in.wav"), folder.file("found.allo"), "--model", model, "--search", "2")
            let (own, found) = (try tokens("own.allo"), try tokens("found.allo"))
            #expect(found.samples == own.samples)
            #expect(found.frames.level(0) == own.frames.level(0))
            #expect(found.frames.level(1) != own.frames.level(1))
            try Program.succeed("decode", folder.file("found.allo"), folder.file("out.wav"), "--model", model)
            // What a search changed is not heard where level 1 is heard alone.
            for name in ["own", "found"] {
                try Program.succeed(
                    "decode", folder.file("\(name).allo"), folder.file("\(name).wav"), "--level-1", "--model", model)
            }
            #expect(try contents(of: folder.file("own.wav")) == contents(of: folder.file("found.wav")))
            #expect(try contents(of: folder.file("own.wav")) != contents(of: folder.file("out.wav")))
            for options in [["--search", "0"], ["--search", "2", "--backend", "xla"]] {
                try Program.fail(
                    ["encode", folder.file("in.wav"), folder.file("out.allo"), "--model", model] + options, status: 64,
                    mentions: ["--search"], in: folder)
            }
        }

        @Test func evaluationLeavesSoundsAndPictures() throws {
            let figures = try Program.succeed(
                "evaluate", Sounds.speechPath, "--model", model, "--output", folder.file("out/clips"), "--json"
            ).json()
            #expect(figures["clips"] as? Int == 1)
            #expect(figures["seconds"] as? Double == 2.04)
            #expect(figures["stoi"] is Double && figures["melDistance"] is Double)
            let kept = try FileManager.default.contentsOfDirectory(atPath: folder.file("out/clips")).sorted()
            let name = "festvox-ru-sample"
            #expect(kept == ["\(name).decoded.wav", "\(name).original.wav", "\(name).svg"])
            // Files of one name in two folders, and of two kinds.
            let alike = ["a/t.wav", "b/t.wav", "b/t.flac"].map(folder.file)
            for path in alike {
                try FileManager.default.createDirectory(
                    at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
                try write(Sounds.wav(Sounds.voice(count: 9600, rate: 24000), rate: 24000), to: path)
            }
            try Program.succeed(
                "evaluate", alike[0], alike[1], alike[2], "--model", model, "--output", folder.file("alike"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("alike")).count == 9)
            let decoded = try Waveform.load(path: folder.file("out/clips/\(name).decoded.wav"))
            #expect(decoded.samples.count == 48960)
        }
    }
}
