import Foundation
import NN
import Tensor
import TestSupport
import Testing

@Suite struct LayerTests {
    let fixture: Fixture
    init() throws { fixture = try Fixture("nn_layers") }

    @Test func snakeEqualsPyTorch() throws {
        let layer = Snake(5)
        try LayerCase(fixture, "snake").expect(layer.parameters, absolute: 1e-4) { layer($0[0]) }
    }

    @Test func linearAndEmbeddingEqualPyTorch() throws {
        let linear = Linear(6, 4)
        try LayerCase(fixture, "linear").expect(linear.parameters) { linear($0[0]) }
        let embedding = Embedding(7, 4)
        try LayerCase(fixture, "embedding").expect(embedding.parameters) { embedding($0[0]) }
    }

    @Test func rmsNormEqualsFlax() throws {
        let layer = RMSNorm(8)
        try LayerCase(fixture, "rmsNorm").expect(layer.parameters) { layer($0[0]) }
    }

    @Test func adaRMSZeroEqualsPyTorch() throws {
        let layer = AdaRMSZero(6, condition: 4)
        try LayerCase(fixture, "adaRMSZero").expect(layer.parameters, inputs: ["x", "condition"]) { inputs in
            let (x, gate) = layer(inputs[0], condition: inputs[1])
            return concatenate([x, gate.broadcast(to: x.shape)], axis: -1)
        }
    }

    @Test(arguments: ["gelu", "geluTanh", "silu", "elu", "leakyReLU"])
    func activationEqualsPyTorch(_ name: String) throws {
        try LayerCase(fixture, name).expect([:], absolute: 1e-6) { inputs in
            switch name {
            case "elu": inputs[0].elu()
            case "leakyReLU": inputs[0].leakyReLU(0.1)
            default: Activation(rawValue: name)!(inputs[0])
            }
        }
    }

    @Test func eluHasAGradientFarFromZero() throws {
        let x = Tensor.input(TensorType(.f32, [2]), name: "x")
        let slope = Graph(inputs: [x], outputs: gradient(of: x.elu().sum(), at: [x]))
        let result = try TestBackends.reference.run(slope, [HostArray([200, -200] as [Float])])[0]
        expectClose(result, HostArray([1, 0] as [Float]))
    }

    @Test func attentionEqualsPyTorch() throws {
        for test in LayerCase.all(fixture, prefix: "attention") {
            let c = try test.configuration
            let layer = Attention(
                c[2], heads: c[3], keyValueHeads: c[4], causal: c[5] == 1, window: c[6] == 0 ? nil : c[6],
                rotaryBase: c[7] == 0 ? nil : Double(c[7]))
            try test.expect(layer.parameters) { inputs in
                var past = Past.offline()
                return layer(inputs[0], &past)
            }
        }
    }

    @Test func transformerBlockEqualsPyTorch() throws {
        let layer = TransformerBlock(8, heads: 2, hidden: 12, window: 6, activation: .silu, gated: true)
        try LayerCase(fixture, "block").expect(layer.parameters, relative: 5e-5, absolute: 5e-5) { inputs in
            var past = Past.offline()
            return layer(inputs[0], &past)
        }
    }

    @Test func freshConditionedBranchIsShut() throws {
        let layer = AdaRMSZero(6, condition: 4)
        let start = layer.initialization(key: RandomKey(seed: 0))
        var random = TestRandom(seed: 1)
        let x = Tensor.constant(random.array([1, 3, 6], .f32))
        let gate = layer(x, condition: .constant(random.array([1, 4], .f32))).gate
        let bound = [gate].replacing(layer.parameters.map { ($1.tensor, start[$0]!) })
        expectClose(try evaluate(bound[0]), HostArray(repeating: 0, type: TensorType(.f32, [1, 1, 6])))
    }

    // MARK: - Functions in f64

    @Test func snakeGradientAgreesWithFiniteDifferences() throws {
        var random = TestRandom(seed: 5)
        try expectGradient(
            of: { snake($0[0], alpha: $0[1]) },
            at: [random.array([2, 3, 4], low: -3, high: 3), random.array([4], low: 0.5, high: 3)])
    }

    @Test func rmsNormGradientAgreesWithFiniteDifferences() throws {
        var random = TestRandom(seed: 6)
        try expectGradient(of: { rmsNorm($0[0], scale: $0[1]) }, at: [random.array([2, 3, 4]), random.array([4])])
    }

    @Test func attentionGradientAgreesWithFiniteDifferences() throws {
        var random = TestRandom(seed: 7)
        let valid = Tensor.constant(HostArray([false, true, true, true, true], shape: [1, 5]))
        try expectGradient(
            of: { x in
                attention(
                    x[0], x[1], x[2], valid: valid.broadcast(to: [2, 5]), past: 2, window: 4, rotaryBase: 50)
            }, at: [random.array([2, 3, 4, 2]), random.array([2, 5, 2, 2]), random.array([2, 5, 2, 3])])
    }

    @Test func bandOfBlocksEqualsDenseAttention() throws {
        var random = TestRandom(seed: 8)
        // Time long against the window, with a past shorter than, equal to and longer than the window reaches.
        for (past, window) in [(0, 7), (3, 7), (6, 7), (9, 7), (0, 50), (0, 1)] {
            let (time, keyTime) = (130, 130 + past)
            let arrays = [
                random.array([2, time, 2, 4], .f64), random.array([2, keyTime, 1, 4], .f64),
                random.array([2, keyTime, 1, 3], .f64),
                HostArray((0..<2 * keyTime).map { $0 % keyTime > ($0 < keyTime ? 5 : 40) }, shape: [2, keyTime]),
            ]
            let result = try evaluate(arrays) { x in
                let band = attention(x[0], x[1], x[2], valid: x[3], past: past, window: window, rotaryBase: 100)
                // The same queries in chunks short enough to be dense.
                let pieces = stride(from: 0, to: time, by: 26).map { start in
                    attention(
                        x[0].slice(1, start, start + 26), x[1].slice(1, 0, past + start + 26),
                        x[2].slice(1, 0, past + start + 26), valid: x[3].slice(1, 0, past + start + 26),
                        past: past + start, window: window, rotaryBase: 100)
                }
                let real = x[3].slice(1, past, keyTime).reshaped([2, time, 1, 1])
                return [band, concatenate(pieces, axis: 1)].map { select(real, $0, .scalar(0, .f64)) }
            }
            expectClose(result[0], result[1], relative: 1e-10, absolute: 1e-12, "past \(past), window \(window)")
        }
    }

    @Test func rotaryTableIsExactFarOut() throws {
        let embedding = RotaryEmbedding(8, base: 10_000)
        let x = HostArray((0..<8).map { Float($0) - 3 }, shape: [1, 1, 1, 8])
        let position = 4321
        let turned = try evaluate([x]) { [embedding.table(position + 1, .f32).rotating($0[0], from: position)] }[0]
        let values = x.doubles
        let expected = (0..<8).map { channel -> Double in
            let pair = channel % 4
            let angle = Double(position) * pow(10_000, -Double(pair) / 4)
            let (a, b) = (values[pair], values[pair + 4])
            return channel < 4 ? a * cos(angle) - b * sin(angle) : b * cos(angle) + a * sin(angle)
        }
        expectClose(turned, HostArray(expected, as: .f32, shape: [1, 1, 1, 8]), relative: 1e-6, absolute: 1e-6)
    }
}

@Suite struct SnakeAccuracyTests {
    private let angles: [Float] = {
        var random = TestRandom(seed: 9)
        let near = (0..<20_000).map { _ in Float(random.next() * 4) }
        let far = (0..<20_000).map { _ in Float(random.next() * 1e4) }
        // Beside multiples of π/2, where the reduction cancels most.
        let cancelling = (-3000...3000).map { Float(Double($0) * .pi / 2).nextUp }
        return near + far + cancelling + [0, -0.0, 1e-20, 1e-6, -1e-3]
    }()

    @Test func polynomialsFollowTheSine() throws {
        let x = Tensor.input(TensorType(.f32, [angles.count]), name: "angle")
        let graph = Graph(inputs: [x], outputs: [x.sineSquared(), x.sineOfTwice()])
        for backend in TestBackends.all {
            let results = try backend.run(graph, [HostArray(angles)])
            expectClose(
                results[0], HostArray(angles.map { pow(sin(Double($0)), 2) }, as: .f32, shape: [angles.count]),
                relative: 0, absolute: 3e-7, "\(backend.name) sin²")
            expectClose(
                results[1], HostArray(angles.map { sin(2 * Double($0)) }, as: .f32, shape: [angles.count]),
                relative: 0, absolute: 8e-7, "\(backend.name) sin 2x")
        }
    }

    @Test func silenceStaysSilent() throws {
        let y = snake(.zeros(TensorType(.f32, [3, 2])), alpha: .constant([0.5, 3], .f32))
        #expect(try evaluate(y) == HostArray(repeating: 0, type: TensorType(.f32, [3, 2])))
    }

    @Test func halfPrecisionIsRoundedOnce() throws {
        var random = TestRandom(seed: 10)
        let x = random.array([4, 50], .bf16, low: -30, high: 30)
        let alpha = HostArray((0..<50).map { 0.1 * Double($0 + 1) }, as: .f32, shape: [50])
        let narrow = try evaluate([x, alpha]) { [snake($0[0], alpha: $0[1])] }[0]
        let wide = try evaluate([x.converted(to: .f32), alpha]) { [snake($0[0], alpha: $0[1])] }[0]
        #expect(narrow == wide.converted(to: .bf16))
    }
}
