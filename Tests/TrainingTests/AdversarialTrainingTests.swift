import Audio
import Checkpoint
import Datasets
import Foundation
import NN
import PJRT
import Tensor
import TestSupport
import Testing
import Tokenizer
import XLA

@testable import Training

/// The game on a model of a few thousand parameters, which compiles in seconds.
@Suite(.serialized) struct AdversarialTrainingTests {
    /// One cache for the tests of this suite: runs that go on need the programs of those they go on from.
    static let cache = Result { try TemporaryFolder() }
    static let engine = Result { try Engine(platform: .cpu, cacheFolder: cache.get().path, compilation: .quick) }
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func recipe() -> Recipe {
        let configuration = Alpha.Configuration(
            sampleRate: 8000, width: 2, strides: [10], dilations: [1], latentDimension: 8,
            transformer: .init(layers: 0, heads: 1, window: 1), quantizer: [.vq(codebookSize: 4), .bsq(bits: 4)])
        var recipe = Recipe(model: .configuration(configuration))
        recipe.steps = 6
        recipe.batchSize = 2
        recipe.segmentSeconds = 0.1
        recipe.quantizerWarmupSteps = 0
        recipe.losses.melWindows = [64]
        recipe.losses.melBands = [8]
        recipe.losses.stft = 0
        recipe.adversarial.discriminators.period = .init(periods: [3], width: 2, maximumWidth: 4)
        recipe.adversarial.startStep = 1
        recipe.adversarial.warmup = .alone
        recipe.adversarial.warmupSteps = 2
        recipe.evaluation = .init()
        recipe.evaluation.every = 0
        recipe.evaluation.clips = 1
        recipe.checkpoints.every = 100
        return recipe
    }

    /// A dataset of two clips of noise.
    private func dataset() throws -> String {
        var random = TestRandom(seed: 8)
        for name in ["train", "dev"] {
            let writer = try AudioWriter(path: folder.file("\(name).flac"), sampleRate: 8000)
            try writer.write(random.array([8000], .f32, low: -0.4, high: 0.4).floats)
            try writer.finish()
        }
        let lines = ["train", "dev"].map { #"{"path": "\#($0).flac", "seconds": 1.0, "split": "\#($0)"}"# }
        try write(Array(lines.joined(separator: "\n").utf8), to: folder.file("manifest.jsonl"))
        return folder.path
    }

    private func trainer(_ recipe: Recipe, _ name: String) throws -> Trainer {
        let path = try dataset()
        return try Trainer(
            recipe: recipe, data: [WeightedSource(openSource(path, split: "train"))],
            heldOut: openSource(path, split: "dev"), folder: folder.file(name), engine: Self.engine.get())
    }

    private func checkpoint(_ name: String) throws -> [String: HostArray] {
        let store = CheckpointStore(folder: folder.file("\(name)/checkpoints"), retention: .init(last: 3))
        return try #require(try store.latest()).arrays("training")
    }

    @Test func samplesAreNamedAfterTheWholeKey() {
        let names = ["dev.flac", "dev/shard-000000.tar/000000012", "a/v1.2/b.wav", "x-00000.parquet#12"].map(
            SampleFolder.name)
        #expect(names == ["dev", "dev-shard-000000.tar-000000012", "a-v1.2-b", "x-00000.parquet#12"])
        // Each part is a good name, and all of them together are none.
        let title = String(repeating: "話", count: 80)
        let long = ["a", "b"].map { SampleFolder.name(of: "\(title)/\(title)\($0).wav") }
        #expect(long[0] != long[1] && long.allSatisfy { (200...220).contains($0.utf8.count) }, "\(long)")
        #expect(long[0].hasPrefix(String(repeating: "話", count: 66) + "-"))
    }

    @Test func whatIsLearnedDependsOnTheStepAlone() {
        func names(_ recipe: Recipe) -> [String] { (0..<8).map { recipe.phase(at: $0).name } }
        var recipe = recipe()
        recipe.adversarial.every = 2
        let (alone, both, generator) = ("train-discriminators-alone", "train-adversarial", "train-generator")
        #expect(names(recipe) == ["train", alone, alone, both, generator, both, generator, both])
        recipe.adversarial.warmup = .ramp
        recipe.adversarial.every = 1
        #expect(names(recipe) == ["train"] + [String](repeating: both, count: 7))
        recipe.adversarial.discriminators = .init()
        #expect(names(recipe) == [String](repeating: "train", count: 8))
    }

    @Test(arguments: [1, 2, 3], [0, 1, 4, 7]) func discriminatorsCountTheirOwnSteps(every: Int, alone: Int) {
        var recipe = recipe()
        recipe.adversarial.every = every
        recipe.adversarial.startStep = 5
        recipe.adversarial.warmup = alone > 0 ? .alone : .none
        recipe.adversarial.warmupSteps = alone
        var count = 0
        for step in 0..<40 {
            #expect(recipe.adversarial.steps(before: step) == count)
            let phase = recipe.phase(at: step)
            guard phase.trainsDiscriminators else { continue }
            let pace = recipe.adversarial.pace(alone: !phase.isAdversarial)
            #expect((step - 5) % pace.divisor == 0 && (step - 5) / pace.divisor + pace.offset == count)
            count += 1
        }
    }

    /// 1/41 and 1/47 in f32, times 41 and 47, are below 1.
    @Test(arguments: [41, 47]) func theGraphCountsTheStepsOfDiscriminatorsExactly(every: Int) throws {
        var adversarial = recipe().adversarial
        adversarial.every = every
        let offset = adversarial.pace(alone: false).offset
        let since = [-every, -1, 0, every, 3 * every, 1000 * every]
        let steps = HostArray(since.map { Int32($0 + adversarial.startStep) })
        let expected = HostArray([-1, 0, 0, 1, 3, 1000].map { Int32($0 + offset) })
        let graph = Graph([steps.type]) { [adversarial.steps(before: $0[0], alone: false)] }
        for backend in TestBackends.all {
            let counted: [HostArray] = try backend.run(graph, [steps])
            #expect(counted == [expected], "\(backend.name)")
        }
    }

    @Test func aRampIsHeardMoreAndMore() throws {
        var adversarial = recipe().adversarial
        adversarial.warmup = .ramp
        adversarial.startStep = 10
        adversarial.warmupSteps = 4
        for (step, share) in [(10, 0.25), (11, 0.5), (13, 1), (14, 1), (100, 1)] {
            #expect(try evaluate(adversarial.share(at: .scalar(Double(step), .i32))).doubles == [share], "\(step)")
        }
        adversarial.warmup = .alone
        #expect(try evaluate(adversarial.share(at: .scalar(10, .i32))).doubles == [1])
    }

    @Test func discriminatorsMoveInTheirOwnStepsAlone() throws {
        var recipe = recipe()
        recipe.adversarial.startStep = 0
        recipe.adversarial.warmup = .none
        recipe.adversarial.every = 2
        recipe.adversarial.optimizer.warmupSteps = 0
        recipe.optimizer.warmupSteps = 0
        let engine = try Self.engine.get()
        let step = try TrainingStep(model: Alpha(recipe.model.resolved()), recipe: recipe, engine: engine)
        var random = TestRandom(seed: 9)
        let audio = random.array([2, 800], .f32, low: -0.5, high: 0.5)
        let start = try step.initialState(on: engine)
        let before = try start.hostArrays()
        let first = try step.function(at: 0)(engine.trainingArguments(start, audio: audio))["state"]
        let between = try first.hostArrays()
        let result = try step.function(at: 1)(engine.trainingArguments(first, audio: audio))
        let after = try result["state"].hostArrays()
        for part in ["parameters", "moments"] {
            #expect(before["discriminators"][part].leaves != between["discriminators"][part].leaves)
            #expect(between["discriminators"][part].leaves == after["discriminators"][part].leaves)
        }
        #expect(before["parameters"].leaves != between["parameters"].leaves)
        #expect(between["parameters"].leaves != after["parameters"].leaves)
        // Still heard.
        #expect(try result["metrics"]["adversarial"].value.hostArray().doubles[0] > 0)
    }

    @Test func aResumedRunGoesOnExactly() throws {
        let whole = try trainer(recipe(), "whole")
        var metrics: [Int: [String: Double]] = [:]
        var evaluation: Evaluation?
        try whole.run { event in
            if case .step(let step, let values) = event { metrics[step] = values }
            if case .evaluated(_, let figures) = event { evaluation = figures }
        }
        // Each of three phases is a program, and none is compiled twice.
        #expect(whole.traceCount == 3)
        #expect(metrics.count == 6)
        #expect(metrics[1]?["discriminator/accuracy"] == nil)
        #expect(metrics[2]?["discriminator/loss"] != nil && metrics[2]?["adversarial"] == nil)
        #expect(metrics[4]?["discriminator/loss"] != nil && metrics[4]?["adversarial"] != nil)
        #expect(metrics.values.allSatisfy { $0["skipped"] == 0 })
        #expect(try #require(evaluation?.discriminatorAccuracy) >= 0)
        #expect(Disk.exists("\(folder.path)/whole/samples/dev/step-00000006.png"))
        #expect(Disk.exists("\(folder.path)/whole/samples/dev/original.flac"))

        func runThreeSteps() throws -> Int {
            let first = try trainer(recipe(), "parts")
            var done = 0
            try first.run(shouldStop: { done == 3 }) { if case .step = $0 { done += 1 } }
            return first.step
        }
        let stopped = try runThreeSteps()
        #expect(stopped > 2 && stopped < 6)
        let second = try trainer(recipe(), "parts")
        #expect(second.step == stopped)
        try second.run { _ in }
        let (one, two) = (try checkpoint("whole"), try checkpoint("parts"))
        #expect(one.keys.contains { $0.hasPrefix("discriminators.moments.second.") })
        #expect(one == two)
    }

    @Test func aBatchInPartsTeachesWhatTheWholeTeaches() throws {
        var whole = recipe()
        whole.adversarial.startStep = 0
        whole.adversarial.warmup = .none
        // The entropy of a mean is no mean of entropies.
        whole.losses.entropy = 0
        var parts = whole
        parts.accumulation = 2
        let engine = try Self.engine.get()
        var random = TestRandom(seed: 9)
        let audio = random.array([2, 800], .f32, low: -0.5, high: 0.5)
        let results = try [whole, parts].map { recipe -> [String: HostArray] in
            let step = try TrainingStep(model: Alpha(recipe.model.resolved()), recipe: recipe, engine: engine)
            let result = try step.function(at: 0)(
                engine.trainingArguments(step.initialState(on: engine), audio: audio)
            ).hostArrays()
            return Dictionary(uniqueKeysWithValues: zip(result.paths, result.leaves))
        }
        var compared = 0
        for (path, expected) in results[0] where path.contains("moments.first.") || path.hasPrefix("metrics.") {
            // These are no means of the parts' either.
            if path.contains("perplexity") || path.contains("bitEntropy") { continue }
            let largest = expected.doubles.reduce(0) { max($0, abs($1)) }
            expectClose(
                try #require(results[1][path]), expected, relative: 1e-3, absolute: 1e-4 * max(largest, 1e-4), path)
            compared += largest > 0 ? 1 : 0
        }
        #expect(compared > 30)
    }

    /// Which entries are dead, and what a moving average makes of them, is a matter of the whole batch.
    @Test func codebooksAreSettledOnceABatch() throws {
        var configuration = SmallTraining.configuration
        configuration.quantizer = [
            .vq(codebookSize: 64, dimension: 4), .vq(codebookSize: 64, dimension: 4, codebook: .movingAverage),
        ]
        var whole = SmallTraining.recipe
        whole.model = .configuration(configuration)
        var parts = whole
        parts.accumulation = 2
        let engine = try Self.engine.get()
        var random = TestRandom(seed: 9)
        let audio = random.array([2, 800], .f32, low: -0.5, high: 0.5)
        // What is chosen in one half of the batch alone is dead by the other half.
        let usage = HostArray(repeating: 0.001575, type: TensorType(.f32, [64]))
        let results = try [whole, parts].map { recipe -> [String: HostArray] in
            let step = try TrainingStep(model: Alpha(recipe.model.resolved()), recipe: recipe, engine: engine)
            let state = try step.initialState(on: engine).map { path, buffer in
                try path.hasPrefix("statistics.") && path.hasSuffix(".usage") ? engine.upload(usage) : buffer
            }
            let result = try step.function(at: 0)(engine.trainingArguments(state, audio: audio)).hostArrays()
            return Dictionary(uniqueKeysWithValues: zip(result.paths, result.leaves))
        }
        for (level, part) in ["parameters", "statistics"].enumerated() {
            func values(_ name: String) throws -> [[Double]] {
                try results.map { try #require($0["state.\(name)"]).doubles }
            }
            let used = try values("statistics.quantizer.levels.\(level).usage")
            let isDead = used[0].map { $0 == 1.0 / 64 }
            #expect(isDead.contains(true) && isDead.contains(false), "\(used[0])")
            for (one, other) in zip(used[0], used[1]) { #expect(abs(one - other) < 1e-6) }
            // Dead entries become random frames of the batch.
            let entries = try values("\(part).quantizer.levels.\(level).codebook")
            for (index, pair) in zip(entries[0], entries[1]).enumerated() where !isDead[index / 4] {
                #expect(abs(pair.0 - pair.1) < 1e-3)
            }
        }
    }

    /// A clip without highs must not teach that real sound has none.
    @Test func whatIsAboveAClipsBandIsNotJudged() throws {
        let engine = try Self.engine.get()
        var random = TestRandom(seed: 4)
        let audio = random.array([2, 800], .f32, low: -0.5, high: 0.5)
        func losses(bandwidth: Int, limits: Bool) throws -> [Double] {
            var recipe = recipe()
            recipe.adversarial.startStep = 0
            recipe.adversarial.warmup = .none
            recipe.clips.limitsBandwidth = limits
            let step = try TrainingStep(model: Alpha(recipe.model.resolved()), recipe: recipe, engine: engine)
            let result = try step.function(at: 0)(
                engine.trainingArguments(
                    step.initialState(on: engine), audio: audio, sampleRate: 2 * bandwidth))
            return try ["discriminator/loss", "features", "waveform"].map {
                try result["metrics"][$0].value.hostArray().doubles[0]
            }
        }
        let (whole, narrow) = (try losses(bandwidth: 4000, limits: true), try losses(bandwidth: 1000, limits: true))
        let asItIs = try losses(bandwidth: 1000, limits: false)
        for (one, other) in zip(whole, asItIs) { #expect(abs(one - other) < 1e-5 * abs(one)) }
        #expect(abs(whole[0] - narrow[0]) > 1e-4 && narrow[1] < 0.9 * whole[1] && narrow[2] == whole[2])
    }

    @Test func aStepThatIsNotFiniteChangesNothing() throws {
        var recipe = recipe()
        recipe.adversarial.startStep = 0
        recipe.adversarial.warmup = .none
        recipe.adversarial.discriminators.stft = .init(windows: [64], width: 2)
        recipe.losses.balancerDecay = 0.9
        let engine = try Self.engine.get()
        let step = try TrainingStep(model: Alpha(recipe.model.resolved()), recipe: recipe, engine: engine)
        let before = try step.initialState(on: engine).hostArrays()
        var samples = [Float](repeating: 0.1, count: 1600)
        samples[700] = .nan
        let result = try step.function(at: 0)(
            engine.trainingArguments(step.initialState(on: engine), audio: HostArray(samples, shape: [2, 800])))
        #expect(try result["metrics"]["skipped"].value.hostArray().doubles == [1])
        let after = try result["state"].hostArrays()
        for (path, pair) in zip(before.paths, zip(before.leaves, after.leaves)) where path != "step" {
            #expect(pair.0 == pair.1, "\(path)")
        }
        #expect(after["step"].value.doubles == [1])
    }

    private func divergingRecipe() -> Recipe {
        var recipe = recipe()
        recipe.adversarial.discriminators = .init()
        recipe.optimizer.learningRate = 1e30
        recipe.optimizer.warmupSteps = 0
        recipe.rollbackAfter = 3
        recipe.steps = 1000
        return recipe
    }

    @Test func aRunGoesBackToItsNewestCheckpoint() throws {
        var recipe = divergingRecipe()
        recipe.checkpoints.every = 1
        let trainer = try trainer(recipe, "back")
        var back: (from: Int, to: Int)?
        try trainer.run(shouldStop: { back.map { trainer.step > $0.to } ?? false }) {
            if case .rolledBack(let from, let to) = $0 { back = (from, to) }
        }
        let (from, to) = try #require(back)
        #expect(to > 0 && from > to + 1)
        // The state counts its own steps: it went back too.
        #expect(try checkpoint("back")["step"]?.doubles == [Double(to + 1)])
    }

    @Test func aRunThatDivergesGoesBackAndThenGivesUp() throws {
        let trainer = try trainer(divergingRecipe(), "diverging")
        var returns = 0
        var error: TrainingError?
        do {
            try trainer.run { if case .rolledBack(_, let step) = $0, step == 0 { returns += 1 } }
        } catch let thrown as TrainingError { error = thrown }
        #expect(returns == Guardrail.patience)
        guard case .diverged = error else {
            Issue.record("expected to give up, got \(String(describing: error))")
            return
        }
    }
}
