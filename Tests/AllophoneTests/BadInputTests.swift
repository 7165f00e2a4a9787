import Audio
import Checkpoint
import Foundation
import Tensor
import TestSupport
import Testing
import Tokenizer

extension CommandLineTests {
    /// Files that cannot be used: a message with the file and a remedy, an exit status, and no trace of an output.
    @Suite struct BadInputTests {
        let folder: TemporaryFolder
        let model: String

        init() throws {
            folder = try TemporaryFolder()
            model = try TinyModel.write(to: folder)
        }

        private func failToEncode(_ input: String, status: Int32, mentions: [String]) throws {
            try Program.fail(
                ["encode", input, folder.file("out.allo"), "--model", model], status: status,
                mentions: [input] + mentions, in: folder)
        }

        // MARK: Sound

        static let brokenSounds: [(name: String, bytes: [UInt8], mention: String)] = {
            let wav = Sounds.wav(Sounds.voice(count: 1000, rate: 24000), rate: 24000)
            return [
                ("text.wav", Array("This is no sound.".utf8), "not a sound file"),
                ("empty.wav", [], "Give a file with at least one sample"),
                ("silentless.wav", Sounds.wav([], rate: 24000), "Give a file with at least one sample"),
                ("cut.wav", Array(wav.prefix(wav.count / 2)), "Copy or download it again"),
                ("header.wav", Array(wav.prefix(30)), "not a sound file"),
                ("nan.wav", Sounds.wav([0, .nan, 0], rate: 24000), "Repair or re-export"),
                ("scaled.wav", Sounds.wav([0, 8_388_607, 0], rate: 24000), "Scale the sound"),
            ]
        }()

        @Test(arguments: brokenSounds.indices)
        func aBrokenSoundIsRefused(index: Int) throws {
            let sound = Self.brokenSounds[index]
            try write(sound.bytes, to: folder.file(sound.name))
            try failToEncode(folder.file(sound.name), status: 65, mentions: [sound.mention])
        }

        @Test func aNaNInTheThirdSecondTakesBackWhatWasWritten() throws {
            var samples = Sounds.voice(count: 72000, rate: 24000)
            samples[60000] = .nan
            try write(Sounds.wav(samples, rate: 24000), to: folder.file("in.wav"))
            try failToEncode(folder.file("in.wav"), status: 65, mentions: ["2.5 s", "NaN"])
        }

        @Test func aFolderAndAMissingFileAreNoSounds() throws {
            try failToEncode(folder.path, status: 66, mentions: ["folder"])
            try failToEncode(folder.file("missing.wav"), status: 66, mentions: ["Check the path"])
        }

        @Test func aDatasetThatIsNotThereIsAMissingInput() throws {
            for locator in [folder.file("missing"), folder.file("missing.jsonl"), folder.file("a-{0..2}.tar")] {
                for command in [["inspect", locator], ["prepare", locator, folder.file("out")]] {
                    try Program.fail(
                        ["data"] + command, status: 66, mentions: [folder.path, "Check the spelling"], in: folder)
                }
            }
        }

        @Test func aPreviewOverwritesNothing() throws {
            let sound = Sounds.wav([Float](repeating: 0.5, count: 48000), rate: 48000)
            try write(sound, to: folder.file("000.wav"))
            try Program.fail(
                ["data", "preview", folder.path, "--output", folder.path], status: 64,
                mentions: [folder.file("000.wav"), "is there already"], in: folder)
            #expect(try contents(of: folder.file("000.wav")) == sound)
        }

        @Test func aLoudnessIsNegativeAndARateOneThatFLACHas() throws {
            try write(Sounds.wav(Sounds.voice(count: 24000, rate: 24000), rate: 24000), to: folder.file("a.wav"))
            try Program.succeed(
                "data", "prepare", folder.file("a.wav"), folder.file("out"), "--loudness", "-23", "--no-trim")
            try Program.fail(
                ["data", "prepare", folder.file("a.wav"), folder.file("fast"), "--rate", "100001"], status: 64,
                mentions: ["--rate", "FLAC"], in: folder)
        }

        @Test func anAlignmentTakesALanguageAndAModelWithPhonemes() throws {
            try Program.fail(
                ["phonemes", Sounds.speechPath, "--text", "Окна", "--model", model], status: 64,
                mentions: ["--text and --language go together"], in: folder)
            try Program.fail(
                ["phonemes", Sounds.speechPath, "--text", "Окна", "--language", "ru", "--model", model], status: 65,
                mentions: [model, "alpha-tiny-phonemes"], in: folder)
            try Program.fail(
                ["phonemes", Sounds.speechPath, "--text", " ", "--language", "ru", "--model", model], status: 64,
                mentions: ["--text"], in: folder)
            try Program.fail(
                ["data", "prepare", Sounds.speechPath, folder.file("out"), "--align", model], status: 65,
                mentions: [model, "alpha-tiny-phonemes"], in: folder)
            #expect(!FileManager.default.fileExists(atPath: folder.file("out")))
        }

        @Test func anOutputThatIsTheInputIsRefused() throws {
            try write(Sounds.wav([0.5], rate: 24000), to: folder.file("in.wav"))
            try FileManager.default.createSymbolicLink(
                atPath: folder.file("link.wav"), withDestinationPath: folder.file("in.wav"))
            for output in ["in.wav", "link.wav"] {
                try Program.fail(
                    ["encode", folder.file("in.wav"), folder.file(output), "--model", model], status: 64,
                    mentions: [folder.file(output), "give another output"], in: folder)
            }
        }

        @Test func anOutputThatIsTheModelIsRefused() throws {
            let before = try contents(of: model)
            for arguments in [
                ["encode", Sounds.speechPath, model, "--model", model],
                ["phonemes", Sounds.speechPath, "--textgrid", model, "--model", model],
            ] {
                try Program.fail(arguments, status: 64, mentions: [model, "give another output"], in: folder)
            }
            #expect(try contents(of: model) == before)
        }

        @Test func whoReadsAClosedInputReadsNothing() throws {
            let run = try Program.startBash(
                #""$ALLOPHONE" encode --raw s16le - "$2" -m "$1" <&-"#, [model, folder.file("out.allo")])
            let outcome = try run.wait()
            #expect(outcome.status == 65 && outcome.messages.contains("holds no audio"), "\(outcome.messages)")
        }

        // MARK: Tokens

        /// A good token file's bytes.
        private func tokenFile() throws -> [UInt8] {
            try Program.succeed("encode", Sounds.speechPath, folder.file("good.allo"), "--model", model)
            return try contents(of: folder.file("good.allo"))
        }

        private func failToDecode(_ bytes: [UInt8], mentions: [String]) throws {
            try write(bytes, to: folder.file("bad.allo"))
            try Program.fail(
                ["decode", folder.file("bad.allo"), folder.file("out.wav"), "--model", model], status: 65,
                mentions: [folder.file("bad.allo")] + mentions, in: folder)
        }

        @Test func tokensCutShortAnywhereAreRefused() throws {
            let file = try tokenFile()
            try failToDecode([], mentions: ["allophone encode"])
            for count in [5, 9, 40, 70, file.count / 2, file.count - 1] {
                try failToDecode(Array(file.prefix(count)), mentions: ["cut short", "Copy or encode it again"])
            }
        }

        @Test func aFlippedBitAnywhereIsFound() throws {
            let file = try tokenFile()
            for place in [12, 30, 60, file.count / 2, file.count - 10, file.count - 1] {
                var bytes = file
                bytes[place] ^= 0x10
                try failToDecode(bytes, mentions: ["Copy or encode it again"])
            }
        }

        @Test func tokensOfANewerVersionAskForAnUpdate() throws {
            var file = try tokenFile()
            file[8] = 3
            try failToDecode(file, mentions: ["version 3", "Update allophone"])
        }

        @Test func tokensOfAnotherModelAreRefused() throws {
            let file = try tokenFile()
            _ = try TinyModel.write(to: folder, seed: 2)
            try failToDecode(file, mentions: ["Decode them with the model that made them"])
        }

        @Test func tokensThatOnlyNameTheModelAreRefused() throws {
            let other = try TokenHeader(
                sampleRate: 24000, hop: 480, model: ModelFile(path: model).fingerprint,
                layout: TokenLayout([.vq(codebookSize: 32), .bsq(bits: 6)]))
            let writer = try TokenWriter(path: folder.file("forged.allo"), header: other)
            try writer.append(TokenFrames(codes: [31, 0], levelCount: 2))
            try writer.finish(sampleCount: 480)
            try failToDecode(contents(of: folder.file("forged.allo")), mentions: ["not those of the model it names"])
        }

        @Test func aSoundIsNoTokenFile() throws {
            try failToDecode(Sounds.wav([0.5], rate: 24000), mentions: ["no Allophone token file"])
        }

        @Test func infoOfSomethingElseSaysSo() throws {
            try write(Array("Just text, and enough of it.".utf8), to: folder.file("notes.txt"))
            let path = folder.file("notes.txt")
            try Program.fail(["info", path], status: 65, mentions: [path, "info --help"], in: folder)
            let missing = folder.file("missing")
            try Program.fail(["info", path, "--device", "cpu"], status: 64, mentions: ["info plugin"], in: folder)
            try Program.fail(["info", missing], status: 66, mentions: [missing, "Check the spelling"], in: folder)
            try Program.fail(["info", folder.path], status: 66, mentions: [folder.path, "folder"], in: folder)
        }

        // MARK: Models

        private func failWithModel(_ path: String, status: Int32 = 65, mentions: [String]) throws {
            try Program.fail(
                ["encode", Sounds.speechPath, folder.file("out.allo"), "--model", path], status: status,
                mentions: [path] + mentions, in: folder)
        }

        /// Writes a model whose tensors and metadata have gone through `change`.
        private func changedModel(
            _ change: (inout [String: HostArray], inout [String: String]) throws -> Void
        ) throws -> String {
            var arrays = try TinyModel.arrays()
            var metadata = try ModelFile.metadata(TinyModel.configuration)
            try change(&arrays, &metadata)
            let path = folder.file("changed.safetensors")
            try Safetensors.write(arrays, metadata: metadata, to: path)
            return path
        }

        @Test(arguments: ["missing", "not part of the model", "of another shape", "of another type", "not finite"])
        func aModelWithOtherTensorsNamesThem(difference: String) throws {
            let path = try changedModel { arrays, _ in
                let name = try #require(arrays.keys.sorted().first { $0.hasSuffix("alpha") })
                let width = try #require(arrays[name]).shape.dimensions[0]
                switch difference {
                case "missing": arrays[name] = nil
                case "not part of the model": arrays["encoder.more"] = HostArray([Float(1)])
                case "of another shape":
                    arrays[name] = HostArray([Float](repeating: 1, count: width + 1), shape: [width + 1])
                case "of another type": arrays[name] = HostArray([Int32](repeating: 1, count: width), shape: [width])
                default: arrays[name] = HostArray([Float](repeating: .nan, count: width), shape: [width])
                }
            }
            let name = difference == "not part of the model" ? "encoder.more" : "alpha"
            try failWithModel(path, mentions: [difference, name])
        }

        static let brokenConfigurations: [(text: String, mention: String)] = [
            ("{\"sampleRate\": 24000", "configuration"), ("[]", "configuration"),
            ("{\"sampleRate\": 24000}", "width"),
        ]

        @Test(arguments: brokenConfigurations.indices)
        func aModelWithABrokenConfigurationIsRefused(index: Int) throws {
            let (text, mention) = Self.brokenConfigurations[index]
            let path = try changedModel { _, metadata in metadata["configuration"] = text }
            try failWithModel(path, mentions: ["configuration cannot be used", mention])
        }

        @Test func aModelWithAnImpossibleConfigurationNamesTheKey() throws {
            let path = try changedModel { _, metadata in
                metadata["configuration"] = metadata["configuration"]?
                    .replacingOccurrences(of: "\"sampleRate\":24000", with: "\"sampleRate\":7")
            }
            try failWithModel(path, mentions: ["'sampleRate' must be between"])
        }

        @Test func aNewerModelAsksForAnUpdate() throws {
            let path = try changedModel { _, metadata in metadata["version"] = "2" }
            try failWithModel(path, mentions: ["newer Allophone", "update it"])
        }

        @Test func otherFilesAreNoModels() throws {
            let tensors = folder.file("tensors.safetensors")
            try Safetensors.write(["a": HostArray([Float(1)])], to: tensors)
            try failWithModel(tensors, mentions: ["not an Allophone model", "allophone train"])
            let cut = folder.file("cut.safetensors")
            try write(Array(contents(of: model).dropLast(1000)), to: cut)
            try failWithModel(cut, mentions: ["copy or download it again"])
            try write(Array("RIFF".utf8), to: cut)
            try failWithModel(cut, mentions: ["safetensors"])
            try failWithModel(folder.file("missing.safetensors"), status: 66, mentions: ["Check the spelling"])
            try failWithModel(folder.path, status: 66, mentions: ["folder"])
        }

        @Test func noModelAtAllTellsHowToGiveOne() throws {
            try Program.fail(
                ["encode", Sounds.speechPath, folder.file("out.allo")], status: 64,
                mentions: ["--model", "ALLOPHONE_MODEL"], in: folder)
            let empty = try Program.run(
                ["encode", Sounds.speechPath, folder.file("out.allo")], environment: ["ALLOPHONE_MODEL": ""])
            #expect(empty.status == 64 && empty.messages.contains("--model"), "\(empty.messages)")
        }

        // MARK: Plugins

        @Test func aMissingPluginIsNamed() throws {
            let encode = ["encode", Sounds.speechPath, folder.file("out.allo"), "--model", model]
            let mentions = ["/nonexistent.so", "make setup"]
            try Program.fail(encode + ["--plugin", "/nonexistent.so"], status: 69, mentions: mentions, in: folder)
            try Program.fail(
                encode + ["--backend", "xla"], status: 69, mentions: mentions, in: folder,
                environment: ["ALLOPHONE_PJRT_PLUGIN": "/nonexistent.so"])
        }

        @Test func aFileThatIsNoPluginIsNamed() throws {
            let text = folder.file("text.so")
            try write(Array("not a library".utf8), to: text)
            // Any library that is surely there, and exports something else.
            let linked = try Program.bash("ldd \"$ALLOPHONE\" | awk '/libc.so/ { print $3 }'").text
            let library = linked.trimmingCharacters(in: .whitespacesAndNewlines)
            try #require(library.hasPrefix("/"))
            for path in [text, library] {
                try Program.fail(
                    ["info", "plugin", "--plugin", path], status: 69, mentions: [path, "make setup"], in: folder)
            }
        }
    }
}
