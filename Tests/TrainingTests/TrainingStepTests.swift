import Foundation
import NN
import PJRT
import Tensor
import TestSupport
import Testing
import Tokenizer
import XLA

@testable import Training

extension SmallTrainingTests {
    /// What one optimizer step does, on a model that compiles in seconds.
    @Suite struct TrainingStepTests {
        private let engine: Engine

        init() throws { engine = try XLABackend.engine(.quick) }

        private func step(_ change: (inout Recipe) -> Void = { _ in }) throws -> TrainingStep {
            var recipe = SmallTraining.recipe
            change(&recipe)
            return TrainingStep(model: try Alpha(recipe.model.resolved()), recipe: recipe, engine: engine)
        }

        private func batch(seed: UInt64 = 1) -> HostArray {
            var random = TestRandom(seed: seed)
            return random.array([2, SmallTraining.length], .f32, low: -0.5, high: 0.5)
        }

        private func metrics(_ result: Tree<Buffer>) throws -> [String: Double] {
            try result["metrics"].values.mapValues { try $0.hostArray().doubles[0] }
        }

        private func expectLearning(_ step: TrainingStep, from initial: Tree<Buffer>) throws {
            var state = initial
            var losses: [Double] = []
            for _ in 0..<60 {
                let result = try step.function(at: 0)(engine.trainingArguments(state, audio: batch()))
                state = result["state"]
                losses.append(try #require(metrics(result)["loss"]))
            }
            #expect(losses[50...].max()! < 0.8 * losses[0], "\(losses)")
        }

        /// What a late decoder makes of the last frames is never heard, and what it makes first is of what was before.
        @Test func aLateDecoderIsComparedWithWhatItIsToSay() throws {
            let (hop, frames, delay) = (4, 6, 8)
            var random = TestRandom(seed: 3)
            let audio = random.array([2, frames * hop], .f32, low: -0.5, high: 0.5)
            let late = (0..<2).flatMap { row in
                let samples = audio.floats[row * frames * hop..<(row + 1) * frames * hop]
                return [Float](repeating: 9, count: delay) + samples.dropLast(delay)
            }
            // The second clip is shorter than the decoder is late.
            let masks = Masks(
                lengths: .constant(HostArray([24, 4] as [Int32])), sampleCount: frames * hop, hop: hop)
            let unused = try smallModel().reconstruct(Tensor.zeros(TensorType(.f32, [1, 24, 1])), training: nil)
            let attempt = Attempt(
                audio: .constant(audio), signal: .constant(HostArray(late, shape: audio.shape)), delay: delay,
                masks: masks, quantized: unused.quantized)
            let found = try [attempt.reference, attempt.signal, attempt.masks.samples].map { try evaluate($0) }
            #expect(found[0].floats == found[1].floats)
            #expect(found[0].floats.prefix(16) == audio.floats.prefix(16))
            let real = found[2].bytes
            #expect(real.prefix(16).allSatisfy { $0 == 1 } && real.suffix(16).allSatisfy { $0 == 0 })
        }

        @Test func aFixedBatchIsLearnt() throws {
            let step = try step()
            try expectLearning(step, from: step.initialState(on: engine))
            #expect(step.traceCount == 1)
        }

        @Test func muonLearnsItToo() throws {
            let step = try step { $0.optimizer.method = .muon }
            let state = try step.initialState(on: engine)
            let adapted = Set(state["moments"].paths.filter { $0.hasPrefix("second.") })
            let matrices = state["parameters"].values.filter {
                $0.value.type.shape.rank > 1 && !adapted.contains("second.\($0.key)")
            }
            #expect(matrices.keys.contains("encoder.head.weight") && matrices.keys.contains("decoder.stem.weight"))
            #expect(
                adapted.isSuperset(of: [
                    "second.encoder.stem.weight", "second.decoder.head.weight", "second.quantizer.levels.0.codebook",
                    "second.encoder.head.bias",
                ]))
            try expectLearning(step, from: state)
        }

        @Test func aBatchThatIsNotFiniteChangesNothing() throws {
            let step = try step()
            let initial = try step.initialState(on: engine)
            let first = try step.function(at: 0)(engine.trainingArguments(initial, audio: batch()))
            let before = try first["state"].hostArrays()
            var spoilt = batch().floats
            spoilt[77] = .nan
            let skipped = try step.function(at: 0)(
                engine.trainingArguments(first["state"], audio: HostArray(spoilt, shape: batch().shape)))
            let after = try skipped["state"].hostArrays()
            #expect(try metrics(skipped)["skipped"] == 1)
            for (path, pair) in zip(before.paths, zip(before.leaves, after.leaves)) where path != "step" {
                #expect(pair.0 == pair.1, "\(path) has changed")
            }
            #expect(before["step"].value == HostArray(Int32(1)) && after["step"].value == HostArray(Int32(2)))
            let next = try step.function(at: 0)(engine.trainingArguments(skipped["state"], audio: batch()))
            #expect(try metrics(next)["skipped"] == 0)
            #expect(try metrics(next)["loss"]?.isFinite == true)
            #expect(step.traceCount == 1)
        }

        @Test func whatIsFrozenStays() throws {
            let step = try step { $0.frozen = [.encoder, .quantizer] }
            let initial = try step.initialState(on: engine)
            let before = try initial.hostArrays()
            // The rate of the first step is 0.
            let first = try step.function(at: 0)(engine.trainingArguments(initial, audio: batch()))
            let result = try step.function(at: 1)(engine.trainingArguments(first["state"], audio: batch()))
            let after = try result["state"].hostArrays()
            #expect(try #require(metrics(result)["gradientNorm"]) > 0)
            for part in ["parameters", "average", "statistics"] {
                for (path, value) in before[part].values {
                    let moved = after[part].values[path] != value
                    #expect(moved == path.hasPrefix("decoder."), "\(part).\(path)")
                }
            }
        }

        @Test func theFirstStateIsTheSeedsAlone() throws {
            let one = try step().initialState(on: engine).hostArrays()
            let same = try step().initialState(on: engine).hostArrays()
            let other = try step { $0.seed = 8 }.initialState(on: engine).hostArrays()
            #expect(one.paths == same.paths && one.leaves == same.leaves)
            #expect(one["parameters"].leaves != other["parameters"].leaves)
            #expect(one["average"].leaves == one["parameters"].leaves)
            #expect(one["moments"].leaves.allSatisfy { $0.doubles.allSatisfy { $0 == 0 } })
        }

        /// Or the device would hold two copies of it.
        @Test func theWholeStateIsDonated() throws {
            let step = try step()
            let state = try step.initialState(on: engine)
            let arguments = try engine.trainingArguments(state, audio: batch())
            let text = step.function(at: 0).program(for: arguments.map { $1.type }).text
            let donated = text.components(separatedBy: "tf.aliasing_output")
            #expect(donated.count - 1 == state.leaves.count)
        }

        @Test func withoutAnAverageNoneIsKept() throws {
            let step = try step { $0.optimizer.averageDecay = 0 }
            let state = try step.initialState(on: engine)
            #expect(state["average"].leaves.isEmpty)
        }

        /// Parameters and losses stay f32; only what lies between is rounded to eight bits of precision.
        @Test func bfloat16ComputesTheSameLossRoughly() throws {
            func firstLoss(_ precision: Recipe.Precision) throws -> (loss: Double, types: Set<DType>, program: String) {
                let step = try step { $0.precision = precision }
                let state = try step.initialState(on: engine)
                let types = Set(state["parameters"].leaves.map(\.type.dtype))
                let arguments = try engine.trainingArguments(state, audio: batch())
                let program = step.function(at: 0).program(for: arguments.map { $1.type }).text
                let result = try step.function(at: 0)(arguments)
                #expect(Set(result["state"]["parameters"].leaves.map(\.type.dtype)) == [.f32])
                return (try #require(metrics(result)["loss"]), types, program)
            }
            let (full, half) = (try firstLoss(.f32), try firstLoss(.bf16))
            #expect(full.types == [.f32] && half.types == [.f32])
            let convolutions = half.program.split(separator: "\n").filter { $0.contains("stablehlo.convolution") }
            #expect(!convolutions.isEmpty && convolutions.allSatisfy { $0.contains("bf16") })
            #expect(!full.program.contains("bf16"))
            #expect(
                half.loss != full.loss && abs(half.loss - full.loss) < 0.03 * full.loss, "\(half.loss), \(full.loss)")
        }
    }
}
