import NN
import Tensor
import TestSupport
import Testing

@testable import Tokenizer

struct PhonemeLossTests {
    private let logits: HostArray
    private let labels = HostArray([1, 2, 0, 0, 0, -1, 3, 3, 3, 1, 0, 0] as [Int32], shape: [4, 3])
    private let mask = HostArray(
        [1, 1, 1, 1, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 1] as [Float], shape: [4, 4])

    init() {
        var random = TestRandom(seed: 12)
        logits = random.array([4, 4, 5], .f64, low: -2, high: 2)
    }

    private func value(priors: HostArray? = nil, strength: Double = 0, frames: HostArray? = nil) throws -> [Double] {
        try evaluate([logits, labels, mask]) { inputs in
            let targets = PhonemeTargets(labels: inputs[1], frames: frames.map { .constant($0) })
            let value = PhonemeLoss(priorStrength: strength)(
                logits: inputs[0], priors: priors.map { .constant($0) }, targets: targets, mask: inputs[2])
            return [value.ctc, value.labelled, value.impossible] + (value.frames.map { [$0.loss, $0.known] } ?? [])
        }.map { $0.doubles[0] }
    }

    /// Clip 0 has two labels, 1 none, 2 three in two frames, 3 one in one frame.
    @Test func theMeanIsOverPhonemesOfClipsThatCount() throws {
        let each = try evaluate([logits, labels, mask]) { inputs in
            [CTC.loss(scores: inputs[0].logSoftmax(), labels: maximum(inputs[1], 0), mask: inputs[2]).loss]
        }[0].doubles
        let found = try value()
        #expect(abs(found[0] - (each[0] + each[3]) / 3) < 1e-12)
        #expect(found[1] == 0.75)
        #expect(abs(found[2] - 1.0 / 3) < 1e-12)
    }

    @Test func priorsOfEqualShareChangeNothingButAConstant() throws {
        let priors = HostArray(repeating: 0.2, type: TensorType(.f64, [5]))
        // Each real frame's score rises by -½ log 0.2: four frames of clip 0, one of clip 3, over three phonemes.
        let change = try value(priors: priors, strength: 0.5)[0] - value()[0]
        #expect(abs(change + 5 * 0.5 * 1.6094379124341003 / 3) < 1e-9)
        #expect(try value(priors: priors, strength: 0)[0] == value()[0])
    }

    @Test func framesOfPaddingHaveNoCrossEntropy() throws {
        var frames = [Int32](repeating: -1, count: 16)
        frames[0] = 2
        frames[5] = 0
        let known = try value(frames: HostArray(frames, shape: [4, 4]))
        // A label in padding.
        frames[4] = 3
        #expect(try value(frames: HostArray(frames, shape: [4, 4])) == known)
        let expected = try evaluate([logits]) { inputs in
            let p = inputs[0].logSoftmax()
            return [-(p.at(0).at(0).at(2) + p.at(1).at(1).at(0)) / 2]
        }[0].doubles[0]
        #expect(abs(known[3] - expected) < 1e-12)
        // Two of the ten frames that are real.
        #expect(known[4] == 0.2)
    }
}
