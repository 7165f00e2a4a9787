import Foundation
import TestSupport
import Testing
import Tokenizer
import XLA

@testable import Training

extension SmallTrainingTests {
    @Suite struct PriorTrainerTests {
        /// A level 1 that goes round, but stays where it is half of the time, and bits of which two are known from it and from the frame
        /// before, and two are noise: 3 bits of 7.
        private func tokens(_ count: Int, seed: UInt64) -> TokenFrames {
            var random = Mutator(seed: seed)
            var (entry, before) = (UInt64.random(in: 0..<8, using: &random), UInt64(0))
            var codes: [UInt64] = []
            for _ in 0..<count {
                if Bool.random(using: &random) { entry = (entry + 1) % 8 }
                let noise = UInt64.random(in: 0..<4, using: &random)
                let code = noise | (entry & 1) << 2 | (before & 1) << 3
                codes += [entry, code]
                before = code
            }
            return TokenFrames(codes: codes, levelCount: 2)
        }

        @Test func whatFollowsFromOtherCodesCostsNothing() throws {
            var options = PriorTrainer.Options()
            (options.past, options.width, options.steps, options.batchSize, options.frames) = (2, 32, 400, 16, 32)
            options.learningRate = 1e-2
            let engine = try XLABackend.engine()
            let trainer = try PriorTrainer(SmallTraining.configuration, options, on: engine)
            var told: [Int] = []
            let prior = try trainer.fit((0..<40).map { tokens(20 + $0 * 5, seed: UInt64($0)) }) { step, _ in
                told.append(step)
            }
            #expect(told == [50, 100, 150, 200, 250, 300, 350, 400])
            let heldOut = tokens(1000, seed: 99)
            let bits = prior.bits(of: heldOut) / 1000
            #expect(bits > 2.9 && bits < 3.15, "\(bits) bits a frame, where 3 are noise")
            // However far it looks back, it learns from as many frames: here from none of a clip's beginning.
            (options.past, options.steps) = (40, 100)
            let far = try PriorTrainer(SmallTraining.configuration, options, on: engine)
                .fit((0..<8).map { tokens(400, seed: UInt64($0)) })
            #expect(far.bits(of: heldOut) / 1000 < 5)
            let again = try trainer.fit((0..<40).map { tokens(20 + $0 * 5, seed: UInt64($0)) })
            #expect(again == prior, "the same tokens and seed give the same prior")
        }
    }
}
