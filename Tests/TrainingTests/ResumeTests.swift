import Audio
import Checkpoint
import Datasets
import Foundation
import Tensor
import TestSupport
import Testing
import Tokenizer
import XLA

@testable import Training

extension SmallTrainingTests {
    /// A run goes on from its checkpoint as if it had never stopped, or says why it cannot.
    @Suite struct ResumeTests {
        let folder: TemporaryFolder
        let data: TemporaryFolder

        init() throws {
            folder = try TemporaryFolder()
            data = try TemporaryFolder()
        }

        func trainer(
            _ name: String, weight: Double = 1, _ change: (inout Recipe) -> Void = { _ in }
        ) throws -> Trainer {
            var recipe = SmallTraining.recipe
            change(&recipe)
            let path = try SmallTraining.dataset(in: data)
            return try Trainer(
                recipe: recipe, data: [WeightedSource(openSource(path, split: "train"), weight: weight)],
                heldOut: openSource(path, split: "dev"), folder: folder.file(name),
                engine: XLABackend.engine(.quick))
        }

        /// Runs up to a step and saves there.
        @discardableResult
        func run(_ trainer: Trainer, to step: Int) throws -> [[String: Double]] {
            var metrics: [[String: Double]] = []
            try trainer.run(shouldStop: { trainer.step >= step }) { event in
                if case .step(_, let values) = event { metrics.append(values) }
            }
            #expect(trainer.step == step)
            return metrics
        }

        func checkpoint(_ name: String) throws -> LoadedCheckpoint {
            let store = CheckpointStore(folder: folder.file("\(name)/checkpoints"))
            return try #require(try store.latest())
        }

        @Test func aRunInPiecesIsTheRunInOne() throws {
            let whole = try run(trainer("whole"), to: 7)
            var pieces: [[String: Double]] = []
            for step in [1, 4, 7] { pieces += try run(trainer("pieces"), to: step) }
            #expect(pieces == whole)
            let (one, other) = (try checkpoint("whole"), try checkpoint("pieces"))
            #expect(one.step == 7 && other.step == 7)
            #expect(try one.arrays("training") == other.arrays("training"), "bit for bit")
            #expect(
                try contents(of: folder.file("whole/model.safetensors"))
                    == contents(of: folder.file("pieces/model.safetensors")))
        }

        @Test func aRunKeepsToItsRecipe() throws {
            try run(trainer("run"), to: 1)
            #expect(throws: TrainingError.self) { try trainer("run") { $0.optimizer.learningRate *= 2 } }
            #expect(throws: TrainingError.self) { try trainer("run") { $0.seed += 1 } }
            let more = try trainer("run") {
                $0.steps += 5
                $0.checkpoints.every = 3
                $0.evaluation.clips = 1
            }
            #expect(more.step == 1)
        }

        @Test func aRunKeepsToItsData() throws {
            try run(trainer("run"), to: 1)
            let error = #expect(throws: TrainingError.self) { try trainer("run", weight: 2) }
            #expect("\(error!)".contains("--weight") && "\(error!)".contains(folder.file("run")))
            let line = "{\"path\": \"a.wav\", \"seconds\": 1, \"split\": \"train\"}\n"
            let path = try SmallTraining.dataset(in: data)
            let manifest = data.file("manifest.jsonl")
            try write(contents(of: manifest) + Array(line.utf8), to: manifest)
            let longer = try openSource(path, split: "train")
            #expect(throws: TrainingError.self) {
                try Trainer(
                    recipe: SmallTraining.recipe, data: [WeightedSource(longer)], heldOut: longer,
                    folder: folder.file("run"), engine: XLABackend.engine(.quick))
            }
            #expect(try trainer("run").step == 1)
        }

        @Test func shardsOfOtherLengthsAreOtherData() throws {
            let shard = folder.file("shard-000000.tar")
            func identity() throws -> [SourceIdentity] { [try SourceIdentity(WeightedSource(openSource(shard)))] }
            try write([UInt8](repeating: 0, count: 1024), to: shard)
            let first = try identity()
            #expect(try SourceIdentity.agree(first, identity()))
            try write([UInt8](repeating: 0, count: 2048), to: shard)
            #expect(try !SourceIdentity.agree(first, identity()))
            var older = first
            older[0].byteCounts = nil
            #expect(try SourceIdentity.agree(older, identity()), "which did not say")
        }

        @Test func aRunWhoseCheckpointsAreGoneIsNotBegunAnew() throws {
            try run(trainer("run"), to: 1)
            try write([1], to: folder.file("run/.model.safetensors.partial-1"))
            #expect(try trainer("run").step == 1)
            #expect(!Disk.exists(folder.file("run/.model.safetensors.partial-1")), "who was killed left it")
            try Disk.removeFolder(folder.file("run/checkpoints"))
            let error = #expect(throws: TrainingError.self) { try trainer("run") }
            #expect("\(error!)".contains(folder.file("run")) && "\(error!)".contains("--from"))
        }

        @Test func beforeTheFirstStepThereIsNoModel() throws {
            let trainer = try trainer("run")
            try trainer.run(shouldStop: { true }) { _ in }
            #expect(!Disk.exists(trainer.modelPath))
        }

        @Test func aFolderIsOfOneTrainerAtATime() throws {
            let first = try trainer("run")
            let error = #expect(throws: FileError.self) { try trainer("run") }
            #expect(error?.action == .lock)
            withExtendedLifetime(first) {}
        }

        @Test func whatAnOlderVersionSavedHasDefaultsForNewKeys() throws {
            try run(trainer("run"), to: 1)
            let good = try checkpoint("run")
            struct State: Codable {
                var step: Int
                var recipe: JSON
                var data: Pipeline.Position
            }
            var state: State = try good.state()
            guard case .object(var recipe) = state.recipe, case .object(var losses) = recipe["losses"] else {
                Issue.record("\(state.recipe)")
                return
            }
            #expect(losses.removeValue(forKey: "loudness") != nil)
            recipe["losses"] = .object(losses)
            state.recipe = .object(recipe)
            let store = CheckpointStore(folder: folder.file("run/checkpoints"))
            let arrays = try ["training": good.arrays("training")]
            state.step = 2
            let path = try store.save(step: 2, arrays: arrays, state: state)
            #expect(try trainer("run").step == 2)
            _ = try ModelFile(checkpoint: path)
            losses["volume"] = .number(0)
            recipe["losses"] = .object(losses)
            state.recipe = .object(recipe)
            _ = try store.save(step: 3, arrays: arrays, state: state)
            let error = #expect(throws: RecipeError.self) { try trainer("run") }
            #expect("\(error!)".contains("losses.volume") && "\(error!)".contains("step-00000003"))
        }

        @Test func aDamagedCheckpointIsToldOf() throws {
            try run(trainer("run"), to: 2)
            try run(trainer("run"), to: 3)
            let path = try checkpoint("run").path + "/training.safetensors"
            try write(Array(contents(of: path).dropLast()), to: path)
            let next = try trainer("run")
            #expect(next.step == 2)
            var told: [CheckpointError] = []
            try next.run(shouldStop: { true }) { event in
                if case .damaged(let error) = event { told.append(error) }
            }
            #expect(told.count == 1 && "\(told)".contains("step-00000003"))
        }

        /// Whoever is killed while a step is evaluated evaluates it again.
        @Test func aStepIsEvaluatedBeforeItsCheckpoint() throws {
            let trainer = try trainer("run") {
                $0.evaluation.every = 2
                $0.evaluation.samples = 0
            }
            var order: [String] = []
            try trainer.run(shouldStop: { trainer.step >= 2 }) { event in
                switch event {
                case .evaluated(let step, _): order.append("evaluated \(step)")
                case .saved(let step, _): order.append("saved \(step)")
                default: break
                }
            }
            #expect(order == ["evaluated 2", "saved 2"])
        }

        @Test func whatGoesWrongCostsNoSteps() throws {
            struct Full: Error {}
            let whole = try run(trainer("whole"), to: 7)
            var pieces: [[String: Double]] = []
            #expect(throws: Full.self) {
                try trainer("pieces") { $0.checkpoints.every = 100 }.run { event in
                    guard case .step(let step, let values) = event else { return }
                    pieces.append(values)
                    if step == 3 { throw Full() }
                }
            }
            // The step that was on its way when the third was told of.
            #expect(try checkpoint("pieces").step == 4)
            pieces += try run(trainer("pieces") { $0.checkpoints.every = 100 }, to: 7)
            #expect(pieces == Array(whole[..<3]) + Array(whole[4...]))
        }

        @Test func dataMayMove() throws {
            let path = Fixture.folder.appending(path: "speech/festvox-ru-sample.flac").path
            let speech = try Waveform.load(path: path, sampleRate: 8000).samples
            var lines = ""
            for number in 0..<8 {
                try Waveform(samples: Array(speech[number * 2000..<(number + 1) * 2000]), sampleRate: 8000)
                    .write(to: data.file("\(number).wav"))
                lines += "{\"path\": \"\(number).wav\", \"seconds\": 0.25}\n"
            }
            try write(Array(lines.utf8), to: data.file("manifest.jsonl"))
            func steps(_ name: String, of path: String, to step: Int) throws -> [[String: Double]] {
                let source = try openSource(path)
                return try run(
                    Trainer(
                        recipe: SmallTraining.recipe, data: [WeightedSource(source)], heldOut: source,
                        folder: folder.file(name), engine: XLABackend.engine(.quick)), to: step)
            }
            let whole = try steps("whole", of: data.path, to: 6)
            let before = try steps("pieces", of: data.path, to: 2)
            let moved = folder.file("moved")
            try FileManager.default.copyItem(atPath: data.path, toPath: moved)
            #expect(try before + steps("pieces", of: moved, to: 6) == whole)
        }

        @Test func aCheckpointOfOtherTensorsIsRefusedByName() throws {
            try run(trainer("run"), to: 1)
            let good = try checkpoint("run").arrays("training")
            let name = "moments.second.encoder.stem.weight"
            let tensor = try #require(good[name])
            struct Position: Codable {
                var step: Int
                var recipe: Recipe
                var data: Pipeline.Position
            }
            let store = CheckpointStore(folder: folder.file("run/checkpoints"))
            for (step, damage) in zip(2..., Damage.allCases) {
                var arrays = good
                switch damage {
                case .missing: arrays[name] = nil
                case .extra: arrays["moments.third.encoder.stem.weight"] = tensor
                case .misshapen: arrays[name] = tensor.reshaped([tensor.count])
                case .mistyped: arrays[name] = tensor.converted(to: .f64)
                case .nonFinite: arrays[name] = HostArray(repeating: .infinity, type: tensor.type)
                }
                _ = try store.save(
                    step: step, arrays: ["training": arrays],
                    state: Position(step: step, recipe: SmallTraining.recipe, data: .start))
                let error = #expect(throws: TensorDifferences.self, "\(damage)") { try trainer("run") }
                let named =
                    switch damage {
                    case .missing: error?.missing
                    case .extra: error?.extra
                    case .misshapen: error?.misshapen.map(\.name)
                    case .mistyped: error?.mistyped.map(\.name)
                    case .nonFinite: error?.nonFinite
                    }
                #expect(named == [damage == .extra ? "moments.third.encoder.stem.weight" : name])
                #expect(error?.description.contains(folder.file("run/checkpoints")) == true)
            }
        }
    }
}
