import Tensor
import TestSupport
import Testing
import Tokenizer

struct CTCTests {
    private let fixture: Fixture

    init() throws { fixture = try Fixture("tokenizer_ctc") }

    /// The loss of each clip, and the gradients of their sum at the logits.
    private func loss(_ logits: HostArray, _ labels: HostArray, _ mask: HostArray) throws -> [HostArray] {
        try evaluate([logits, labels, mask]) { inputs in
            let loss = CTC.loss(scores: inputs[0].logSoftmax(), labels: inputs[1], mask: inputs[2]).loss
            return [loss] + gradient(of: loss.cast(to: inputs[0].dtype).sum(), at: [inputs[0]])
        }
    }

    @Test(arguments: ["plain", "tight", "hostile", "long"], [DType.f32, .f64])
    func lossesAndGradientsArePyTorchs(batch: String, dtype: DType) throws {
        func array(_ name: String) throws -> HostArray { try fixture.array("\(batch)/\(name)") }
        let found = try loss(
            array("logits").converted(to: dtype), array("labels"), array("mask").converted(to: dtype))
        let tolerance =
            dtype == .f32
            ? Tolerance(relative: 2e-5, absolute: 2e-5) : Tolerance(relative: 1e-10, absolute: 1e-10)
        expectClose(found[0], try array("loss").converted(to: dtype), tolerance, "\(batch) loss")
        expectClose(found[1], try array("gradient").converted(to: dtype), tolerance, "\(batch) gradient")
    }

    @Test func theGradientIsThatOfFiniteDifferences() throws {
        var random = TestRandom(seed: 3)
        let labels = HostArray([1, 2, 2, 3, 0, 0] as [Int32], shape: [2, 3])
        let mask = HostArray([0, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1] as [Float], shape: [2, 6])
        try expectGradient(
            of: { point in
                CTC.loss(
                    scores: point[0].logSoftmax(), labels: .constant(labels), mask: .constant(mask.converted(to: .f64))
                ).loss
            }, at: [random.array([2, 6, 4], low: -2, high: 2)])
    }

    @Test func halfPrecisionScoresAreSummedInFull() throws {
        var random = TestRandom(seed: 5)
        let scores = random.array([1, 200, 5], .f32, low: -4, high: -0.1)
        let labels = HostArray([1, 2, 3, 4] as [Int32], shape: [1, 4])
        func loss(_ dtype: DType) throws -> HostArray {
            let rounded = try evaluate([scores]) { [$0[0].cast(to: .bf16).cast(to: dtype)] }
            return try evaluate([rounded[0], labels]) { [CTC.loss(scores: $0[0], labels: $0[1]).loss] }[0]
        }
        expectClose(try loss(.bf16), try loss(.f32))
    }

    @Test(arguments: [1e6, .infinity, .nan] as [Double]) func padding(filling: Double) throws {
        // What scores padded frames have is of no account, even if it is no number. They are given as they are: the gradient of a
        // softmax of NaN is NaN whatever becomes of it.
        let (scores, labels, mask) = (
            try fixture.array("plain/logits"), try fixture.array("plain/labels"), try fixture.array("plain/mask")
        )
        func loss(_ scores: HostArray) throws -> [HostArray] {
            try evaluate([scores, labels, mask]) { inputs in
                let loss = CTC.loss(scores: inputs[0], labels: inputs[1], mask: inputs[2]).loss
                return [loss] + gradient(of: loss.sum(), at: [inputs[0]])
            }
        }
        var values = scores.doubles
        let isReal = mask.doubles.map { $0 != 0 }
        #expect(isReal.contains(false))
        for index in values.indices where !isReal[index / 7] { values[index] = filling }
        #expect(try loss(scores) == loss(HostArray(values, shape: scores.shape)))
    }

    @Test func impossibleClipsAreTold() throws {
        let result = try evaluate(["logits", "labels", "mask"].map { try fixture.array("hostile/\($0)") }) { inputs in
            [CTC.loss(scores: inputs[0].logSoftmax(), labels: inputs[1], mask: inputs[2]).isPossible]
        }
        #expect(result[0].doubles == [0, 0, 1, 1])
    }

    @Test func aClassThatCannotBeMakesItsClipImpossible() throws {
        let scores = HostArray([0, -1, -.infinity, 0, -1, -.infinity] as [Double], shape: [1, 2, 3])
        let labels = HostArray([2] as [Int32], shape: [1, 1])
        let result = try evaluate([scores, labels]) { inputs in
            let result = CTC.loss(scores: inputs[0], labels: inputs[1])
            return [result.loss, result.isPossible.cast(to: .f64)] + gradient(of: result.loss.sum(), at: [inputs[0]])
        }
        #expect(result[0].doubles == [0] && result[1].doubles == [0])
        #expect(result[2].doubles.allSatisfy { $0 == 0 })
    }

    @Test func labelPriorsTakeTheirShareOfEachClass() throws {
        let logits = HostArray([1, 2, 3] as [Double], shape: [1, 1, 3])
        let priors = HostArray([0.5, 0.25, 0] as [Double], shape: [3])
        let result = try evaluate([logits, priors]) { inputs in
            let scores = CTC.scores(logProbabilities: inputs[0], priors: inputs[1], strength: 0.5)
            return [scores] + gradient(of: scores.sum(), at: inputs)
        }
        let expected: [Double] = [1 + 0.346573590279973, 2 + 0.693147180559945, 3 + 5.756462732485114]
        expectClose(result[0], HostArray(expected, shape: [1, 1, 3]))
        #expect(result[1].doubles == [1, 1, 1] && result[2].doubles == [0, 0, 0])
    }

    @Test func frameCrossEntropyIsPyTorchs() throws {
        let found = try evaluate(["logits", "labels"].map { try fixture.array("frames/\($0)") }) { inputs in
            let loss = frameCrossEntropy(logProbabilities: inputs[0].logSoftmax(), labels: inputs[1])
            return [loss] + gradient(of: loss, at: [inputs[0]])
        }
        expectClose(found[0], try fixture.array("frames/loss"), relative: 1e-12, absolute: 1e-12)
        expectClose(found[1], try fixture.array("frames/gradient"), relative: 1e-12, absolute: 1e-12)
    }
}
