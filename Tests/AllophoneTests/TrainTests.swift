import Audio
import Checkpoint
import Datasets
import Foundation
import Tensor
import TestSupport
import Testing
import Tokenizer
import Training

extension TrainingCommandTests {
    /// Runs of a few steps, and what interrupts them.
    @Suite struct TrainTests {
        let folder: TemporaryFolder

        /// Two clips of real speech and a recipe whose compilation takes seconds.
        init() throws {
            folder = try TemporaryFolder()
            try FileManager.default.createDirectory(atPath: folder.file("data"), withIntermediateDirectories: false)
            let speech = try Sounds.speech(seconds: 2.4, rate: 16000)
            try Waveform(samples: Array(speech[..<19200]), sampleRate: 16000).write(to: folder.file("data/a.wav"))
            try Waveform(samples: Array(speech[19200..<30400]), sampleRate: 16000).write(to: folder.file("data/b.wav"))
            try manifest(
                """
                {"path": "a.wav", "seconds": 1.2, "split": "train"}
                {"path": "b.wav", "seconds": 0.7, "split": "dev"}
                """)
            try recipe([:])
        }

        private func manifest(_ text: String) throws {
            try write(Array(text.utf8), to: folder.file("data/manifest.jsonl"))
        }

        /// Writes `recipe.json`: the small one, with `changes`.
        private func recipe(_ changes: [String: Any]) throws {
            let model = try JSONSerialization.jsonObject(with: JSONEncoder().encode(TinyModel.configuration))
            let recipe: [String: Any] = [
                "model": model, "steps": 2, "batchSize": 1, "segmentSeconds": 0.1,
                "losses": ["melWindows": [32, 64], "melBands": [5, 10], "stft": 0],
                "optimizer": ["warmupSteps": 1], "evaluation": ["every": 0, "clips": 1], "checkpoints": ["every": 1],
            ]
            let text = try JSONSerialization.data(withJSONObject: recipe.merging(changes) { $1 })
            try write(Array(text), to: folder.file("recipe.json"))
        }

        private var arguments: [String] {
            [
                "train", "--config", folder.file("recipe.json"), "--data", folder.file("data"), "--run",
                folder.file("run"),
            ]
        }

        /// The steps that the run's log tells of.
        private func loggedSteps() throws -> [Int] {
            try String(decoding: contents(of: folder.file("run/metrics.jsonl")), as: UTF8.self).split(separator: "\n")
                .map {
                    let line = try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
                    return try #require(line?["step"] as? Int)
                }
        }

        private func checkpoints() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder.file("run/checkpoints"))
                .filter { $0.hasPrefix("step-") }.sorted()
        }

        @Test func datasetsAreDrawnByTheirWeights() throws {
            // Of 1,000 to one the other, which has no clip that can be read, is not drawn in two steps.
            try FileManager.default.createDirectory(atPath: folder.file("other"), withIntermediateDirectories: false)
            try write(
                Array(#"{"path": "gone.wav", "seconds": 1.2, "split": "train"}"#.utf8),
                to: folder.file("other/manifest.jsonl"))
            let both = arguments + ["--data", folder.file("other")]
            let few = try Program.run(both + ["--weight", "1000", "--weight", "1"])
            #expect(few.status == 0 && !few.messages.contains("gone.wav"), "\(few.messages)")
            try FileManager.default.removeItem(atPath: folder.file("run"))
            let many = try Program.run(both + ["--weight", "1", "--weight", "1000"])
            #expect(many.messages.contains("gone.wav"), "\(many.messages)")
            for wrong in [
                ["--weight", "1"], ["--weight", "1", "--weight", "0"], ["--weight", "1", "--weight", "nan"],
            ] {
                let refused = try Program.run(both + wrong)
                #expect(refused.status != 0 && refused.messages.contains("--weight"), "\(refused.messages)")
            }
        }

        @Test func aRunLeavesAModelGoesOnAndKeepsToItsRecipe() throws {
            let first = try Program.run(arguments + ["--json"])
            #expect(first.status == 0, "\(first.messages)")
            #expect(try first.json()["clips"] as? Int == 1)
            #expect(
                !first.messages.contains("nan"), "a loss that the recipe leaves out is not shown: \(first.messages)")
            let path = folder.file("run/model.safetensors")
            let trained = try ModelFile(path: path)
            #expect(trained.model.configuration == TinyModel.configuration)
            #expect(try loggedSteps() == [2])

            let more = try Program.run(arguments + ["--steps", "4"])
            #expect(more.status == 0 && more.messages.contains("going on at step 2"), "\(more.messages)")
            #expect(try ModelFile(path: path).fingerprint != trained.fingerprint)
            #expect(try loggedSteps() == [2, 4])
            #expect(try checkpoints() == ["step-00000002", "step-00000003", "step-00000004"])

            try itsCheckpointsHaveAMean()

            try recipe(["batchSize": 2])
            try Program.fail(
                arguments, status: 78, mentions: [folder.file("run"), "another recipe", "choose another --run folder"],
                in: folder)
        }

        /// The mean of the newest checkpoint's averaged weights, twice, and of the one before.
        private func itsCheckpointsHaveAMean() throws {
            let folders = ["step-00000004", "step-00000004", "step-00000003/"].map {
                folder.file("run/checkpoints/\($0)")
            }
            let mean = folder.file("mean.safetensors")
            try Program.succeed("average", folders[0], folders[1], folders[2], "--output", mean)
            let (found, last) = (try ModelFile(path: mean), try ModelFile(path: folder.file("run/model.safetensors")))
            #expect(try ModelFile(checkpoint: folders[0]).fingerprint == last.fingerprint)
            let before = try SafetensorsFile(path: "\(folders[2])training.safetensors")
            for (name, array) in last.arrays {
                let average = before.types["average.\(name)"] == nil ? "statistics.\(name)" : "average.\(name)"
                let others = try before.array(named: average).floats
                let expected = zip(array.floats, others).map { (2 * $0 + $1) / 3 }
                let differences = zip(try #require(found.arrays[name]).floats, expected).map { abs($0 - $1) }
                #expect(differences.max()! < 1e-6, "\(name)")
            }
            for (wrong, reason) in [
                ("run/checkpoints", "not a checkpoint"), ("step-00000009", "manifest.json is missing"),
            ] {
                let path = folder.file(wrong)
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
                try Program.fail(
                    ["average", folders[0], path, "-o", mean], status: 65, mentions: [folder.file(""), reason],
                    in: folder)
            }
        }

        @Test func splitsThatWerePreparedAreLearnedFromAndEvaluatedOn() throws {
            for split in ["train", "dev"] {
                try Program.succeed(
                    "data", "prepare", folder.file("data"), folder.file("prepared/\(split)"), "--split", split)
            }
            let run = try Program.run(
                ["train", "--config", folder.file("recipe.json"), "--json", "--run", folder.file("run")]
                    + ["--data", folder.file("prepared/train"), "--held-out", folder.file("prepared")])
            #expect(run.status == 0, "\(run.messages)")
            #expect(try run.json()["clips"] as? Int == 1)
        }

        /// A run that would take minutes.
        private func startLongRun() throws -> Program.Running {
            try recipe(["steps": 100_000])
            return try Program.start(arguments)
        }

        /// Whenever it dies, a run comes to the end that it would have come to, bit for bit.
        @Test func aRunThatIsKilledAgainAndAgainEndsAsIfItNeverWas() throws {
            try recipe(["steps": 24])
            let whole = try Program.run(arguments)
            #expect(whole.status == 0, "\(whole.messages)")
            let expected = try lastState()
            try FileManager.default.moveItem(atPath: folder.file("run"), toPath: folder.file("whole"))

            var random = SystemRandomNumberGenerator()
            var stood: [Int] = []
            for _ in 0..<2 {
                let before = stood.last ?? 0
                let run = try Program.start(arguments)
                // Killed once a step is done, at whatever the run does next: a step, a checkpoint half written, a removal.
                try run.wait { try newestStep() > before }
                usleep(UInt32.random(in: 0..<60_000, using: &random))
                kill(run.process.processIdentifier, SIGKILL)
                let outcome = try run.wait()
                #expect(outcome.signal == SIGKILL || outcome.status == 0, "\(outcome.messages)")
                stood.append(try newestStep())
                if outcome.signal == nil { break }
            }
            let resumed = try Program.run(arguments)
            #expect(resumed.status == 0, "\(resumed.messages)")
            #expect(resumed.messages.contains("going on at step \(stood.last ?? 0)"), "\(resumed.messages)")
            #expect(try lastState() == expected, "killed after steps \(stood)")
        }

        /// The newest checkpoint's tensors and the model's, as they are in the files.
        private func lastState() throws -> [[UInt8]] {
            let newest = try #require(checkpoints().last)
            let model = try ModelFile(path: folder.file("run/model.safetensors"))
            return [
                try contents(of: folder.file("run/checkpoints/\(newest)/training.safetensors")),
                Array(model.fingerprint.description.utf8),
            ]
        }

        private func newestStep() throws -> Int {
            guard FileManager.default.fileExists(atPath: folder.file("run/checkpoints")) else { return 0 }
            return try checkpoints().last.flatMap { Int($0.dropFirst(5)) } ?? 0
        }

        @Test func aCheckpointWithOtherTensorsNamesThem() throws {
            #expect(try Program.run(arguments).status == 0)
            struct Position: Codable {
                var step: Int
                var recipe: Recipe
                var data: Pipeline.Position
            }
            let store = CheckpointStore(folder: folder.file("run/checkpoints"))
            let good = try #require(try store.latest())
            let (position, name) = (try good.state(as: Position.self), "moments.first.encoder.stem.weight")
            let tensors = try good.arrays("training")
            for (step, difference) in ["missing", "not part of the model", "of another shape"].enumerated() {
                var arrays = tensors
                switch difference {
                case "missing": arrays[name] = nil
                case "of another shape": arrays[name] = HostArray([Float(1)])
                default: arrays["moments.zeroth"] = HostArray([Float(1)])
                }
                _ = try store.save(step: 3 + step, arrays: ["training": arrays], state: position)
                try Program.fail(
                    arguments, status: 65,
                    mentions: [
                        folder.file("run/checkpoints/step-0000000\(3 + step)"), difference,
                        difference == "not part of the model" ? "moments.zeroth" : name,
                    ], in: folder)
            }
        }

        @Test func ctrlCSavesTheRun() throws {
            let run = try startLongRun()
            try run.wait {
                try FileManager.default.fileExists(atPath: folder.file("run/checkpoints")) && !checkpoints().isEmpty
            }
            kill(run.process.processIdentifier, SIGINT)
            let outcome = try run.wait()
            #expect(outcome.status == 0 && outcome.messages.contains("the same command goes on"), "\(outcome.messages)")
            let step = try #require(checkpoints().last?.dropFirst(5)).drop { $0 == "0" }
            #expect(outcome.messages.contains("stopped at step \(step) of 100000"), "\(outcome.messages)")
            #expect(throws: Never.self) { try ModelFile(path: folder.file("run/model.safetensors")) }
        }

        // MARK: Recipes and data that cannot be used

        static let brokenRecipes: [(text: String, mentions: [String])] = [
            ("{\"model\": \"alpha-tiny\"", ["not JSON"]), ("[]", ["must be an object"]),
            ("{\"model\": \"alpha-huge\"}", ["alpha-huge", "alpha-tiny"]),
            ("{\"modle\": \"alpha-tiny\"}", ["'modle' is not a key", "model"]),
            ("{\"losses\": {\"mell\": 1}}", ["'losses.mell' is not a key", "melWindows"]),
            ("{\"steps\": \"many\"}", ["steps"]), ("{\"steps\": 0}", ["'steps' must be between 1 and"]),
            ("{\"model\": {\"sampleRate\": 24000}}", ["width"]),
        ]

        @Test(arguments: brokenRecipes.indices)
        func aBrokenRecipeIsRefused(index: Int) throws {
            let (text, mentions) = Self.brokenRecipes[index]
            try write(Array(text.utf8), to: folder.file("recipe.json"))
            try Program.fail(arguments, status: 78, mentions: [folder.file("recipe.json")] + mentions, in: folder)
        }

        @Test func aMissingRecipeAndAnUnknownPresetAreNamed() throws {
            let rest = Array(arguments.dropFirst(3))
            let missing = folder.file("missing.json")
            try Program.fail(["train", "--config", missing] + rest, status: 66, mentions: [missing], in: folder)
            try Program.fail(
                ["train", "--config", "alpha-huge"] + rest, status: 78, mentions: ["alpha-huge", "alpha-tiny"],
                in: folder)
        }

        @Test func aFolderWithoutHeldOutSpeechIsNamed() throws {
            try FileManager.default.removeItem(atPath: folder.file("data/manifest.jsonl"))
            try Program.fail(
                arguments, status: 65,
                mentions: [folder.file("data"), "no split 'dev, validation or test'", "--held-out"], in: folder)
        }

        /// What is held out cannot be used: a line of the manifest, and what is said of it.
        static let brokenManifests: [(line: String, mentions: [String])] = [
            ("{\"path\": ", ["manifest.jsonl:2", "malformed metadata"]),
            ("{\"path\": \"../c.wav\", \"seconds\": 1, \"split\": \"dev\"}", ["manifest.jsonl:2", "leads out"]),
            ("{\"path\": \"c.wav\", \"seconds\": 1, \"split\": \"dev\"}", ["manifest.jsonl:2", "c.wav"]),
            ("", ["no split 'dev, validation or test'"]),
        ]

        @Test(arguments: brokenManifests.indices)
        func aBrokenManifestIsNamedByLine(index: Int) throws {
            let (line, mentions) = Self.brokenManifests[index]
            try manifest("{\"path\": \"a.wav\", \"seconds\": 1.2, \"split\": \"train\"}\n\(line)\n")
            try Program.fail(arguments, status: 65, mentions: mentions, in: folder)
        }

        @Test func aRunFolderThatCannotBeMadeIsNamed() throws {
            try write([], to: folder.file("run"))
            try Program.fail(arguments, status: 73, mentions: [folder.file("run")], in: folder)
        }
    }
}
