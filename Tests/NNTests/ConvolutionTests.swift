import NN
import Tensor
import TestSupport
import Testing

@Suite struct ConvolutionTests {
    let fixture: Fixture
    init() throws { fixture = try Fixture("nn_convolutions") }

    @Test func causalConvolutionEqualsPyTorchLeftPadded() throws {
        for test in LayerCase.all(fixture, prefix: "causal") {
            let c = try test.configuration
            let layer = CausalConv1d(
                c[0], c[1], kernel: c[2], stride: c[3], dilation: c[4], groups: c[5], bias: c[6] == 1,
                weightNorm: c[7] == 1)
            try test.expect(layer.parameters) { inputs in
                var past = Past.offline()
                return layer(inputs[0], &past)
            }
        }
    }

    @Test func transposedConvolutionEqualsPyTorchTrimmed() throws {
        for test in LayerCase.all(fixture, prefix: "transposed") {
            let c = try test.configuration
            let layer = CausalConvTranspose1d(
                c[0], c[1], kernel: c[2], stride: c[3], bias: c[4] == 1, weightNorm: c[5] == 1)
            try test.expect(layer.parameters) { inputs in
                var past = Past.offline()
                return layer(inputs[0], &past)
            }
        }
    }

    @Test func plainConvolutionEqualsPyTorch() throws {
        for test in LayerCase.all(fixture, prefix: "plain") {
            let c = try test.configuration
            let layer = Conv1d(
                c[0], c[1], kernel: c[2], stride: c[3], padding: c[4], dilation: c[5], groups: c[6],
                weightNorm: c[7] == 1)
            try test.expect(layer.parameters) { layer($0[0]) }
        }
    }

    @Test func planeConvolutionEqualsPyTorch() throws {
        for test in LayerCase.all(fixture, prefix: "plane") {
            let c = try test.configuration
            let layer = Conv2d(
                c[0], c[1], kernel: (c[2], c[3]), stride: (c[4], c[5]), padding: (c[6], c[7]), dilation: (c[8], c[9]),
                groups: c[10], weightNorm: c[11] == 1)
            try test.expect(layer.parameters) { layer($0[0]) }
        }
    }

    @Test func whereAKernelHasNoRoomThereIsNothing() {
        let line = Tensor.zeros(TensorType(.f32, [2, 3, 1]))
        #expect(Conv1d(1, 4, kernel: 4, stride: 2)(line).shape == [2, 0, 4])
        #expect(Conv1d(1, 4, kernel: 8, stride: 3, padding: 1)(line).shape == [2, 0, 4])
        // As planes are convolved row by row, and folded.
        for channels in [8, 1] {
            let plane = Tensor.zeros(TensorType(.f32, [2, 3, 5, channels]))
            #expect(Conv2d(channels, 8, kernel: (5, 3))(plane).shape == [2, 0, 3, 8])
            #expect(Conv2d(channels, 8, kernel: (3, 7))(plane).shape == [2, 1, 0, 8])
        }
    }

    @Test func foldedWeightNormIsThePlainWeight() throws {
        let normalized = LayerCase.all(fixture, prefix: "").filter { $0.arrays["folded"] != nil }
        #expect(normalized.count >= 5)
        for test in normalized {
            let folded = foldingWeightNorm([
                "a.weight.direction": .constant(try test.array("weight.direction")),
                "a.weight.gain": .constant(try test.array("weight.gain")), "a.bias": .scalar(2), "b.gain": .scalar(3),
            ])
            #expect(Set(folded.keys) == ["a.weight", "a.bias", "b.gain"])
            expectClose(try evaluate(folded["a.weight"]!), try test.array("folded"), relative: 1e-5, absolute: 1e-6)
        }
    }

    @Test func normalizedKernelStartsWithUnitNorm() throws {
        let layer = CausalConv1d(4, 3, kernel: 5, weightNorm: true)
        let plain = CausalConv1d(4, 3, kernel: 5)
        let start = foldingWeightNorm(layer.initialization(key: RandomKey(seed: 1)))
        #expect(Set(start.keys) == Set(plain.parameters.keys))
        let norms = start["weight"]!.squared.sum(axes: [0, 1])
        expectClose(try evaluate(norms), HostArray([1, 1, 1] as [Float]))
    }
}
