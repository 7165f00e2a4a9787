import NN
import Tensor
import TestSupport
import Testing

@testable import Tokenizer

@Suite struct AdversarialLossTests {
    let fixture: Fixture
    init() throws { fixture = try Fixture("alpha_adversarial") }

    /// The fixture's judgements of one side, and the inputs they are made of by path.
    private func judgements(_ side: String) throws -> (judgements: [Judgement], inputs: [String: Tensor]) {
        var inputs: [String: Tensor] = [:]
        func map(_ path: String) throws -> FeatureMap {
            let input = Tensor.input(try fixture.array(path).type, name: path)
            inputs[path] = input
            return FeatureMap(values: input, padding: .none)
        }
        let judgements = try (0..<3).map { discriminator in
            let features = fixture.list("\(side).\(discriminator).features.").indices
            return Judgement(
                features: try features.map { try map("\(side).\(discriminator).features.\($0)") },
                logits: try map("\(side).\(discriminator).logits"))
        }
        return (judgements, inputs)
    }

    /// Expects a loss and every gradient that the fixture has of it; others must be zero.
    private func expect(_ name: String, _ loss: (_ real: [Judgement], _ fake: [Judgement]) -> Tensor) throws {
        let (real, fake) = (try judgements("real"), try judgements("fake"))
        let inputs = real.inputs.merging(fake.inputs) { $1 }
        let paths = inputs.keys.sorted()
        let value = loss(real.judgements, fake.judgements)
        let graph = Graph(
            inputs: paths.map { inputs[$0]! }, outputs: [value] + gradient(of: value, at: paths.map { inputs[$0]! }))
        let results = try TestBackends.reference.run(graph, paths.map { try fixture.array($0) })
        expectClose(results[0], try fixture.array(name), relative: 1e-5, absolute: 1e-6, name)
        var compared = 0
        for (path, result) in zip(paths, results.dropFirst()) {
            if let expected = fixture.arrays["\(name)/gradient.\(path)"] {
                expectClose(result, expected, relative: 1e-5, absolute: 1e-7, "\(name) gradient of \(path)")
                compared += 1
            } else {
                #expect(result.floats.allSatisfy { $0 == 0 }, "\(name) has a gradient for \(path)")
            }
        }
        #expect(compared > 0)
    }

    @Test(arguments: AdversarialLoss.allCases) func averagedLossesEqualAudiocraft(loss: AdversarialLoss) throws {
        try expect("\(loss.rawValue).generator.mean") { adversarialLoss($1, loss, .mean) }
        try expect("\(loss.rawValue).discriminator.mean") { discriminatorLoss(real: $0, fake: $1, loss, .mean) }
        try expect("features.mean") { featureMatchingLoss(real: $0, fake: $1, layers: .mean, discriminators: .mean) }
    }

    @Test func summedLossesEqualDAC() throws {
        try expect("leastSquares.generator.sum") { adversarialLoss($1, .leastSquares, .sum) }
        try expect("leastSquares.discriminator.sum") { discriminatorLoss(real: $0, fake: $1, .leastSquares, .sum) }
        try expect("features.sum") { featureMatchingLoss(real: $0, fake: $1, layers: .sum, discriminators: .sum) }
    }

    @Test func distortionRatioEqualsDAC() throws {
        let (reference, estimate) = (try fixture.array("sdr/reference"), try fixture.array("sdr/estimate"))
        let results = try evaluate([reference, estimate]) { inputs in
            let loss = scaleInvariantSDRLoss(inputs[0], inputs[1])
            return [loss] + gradient(of: loss, at: [inputs[1]])
        }
        expectClose(results[0], try fixture.array("sdr"), relative: 1e-5, absolute: 0)
        expectClose(results[1], try fixture.array("sdr/gradient"), relative: 1e-4, absolute: 1e-6)
    }

    @Test func paddingDoesNotCount() throws {
        var random = TestRandom(seed: 1)
        let (x, y) = (random.array([1, 50], .f32), random.array([1, 50], .f32))
        func padded(_ array: HostArray) -> HostArray {
            HostArray([Float](repeating: 0.7, count: 10) + array.floats, shape: [1, 60])
        }
        let mask = HostArray([Float](repeating: 0, count: 10) + [Float](repeating: 1, count: 50), shape: [1, 60])
        let alone = try evaluate(scaleInvariantSDRLoss(.constant(x), .constant(y)))
        let masked = try evaluate(
            scaleInvariantSDRLoss(.constant(padded(x)), .constant(padded(y)), mask: .constant(mask)))
        expectClose(masked, alone, relative: 1e-5, absolute: 1e-6)

        // Of logits: padding is three of eight frames here.
        let padding = LeftPadding(mask: .constant(HostArray([0, 0, 0, 1, 1, 1, 1, 1] as [Float], shape: [1, 8])))
        func judgement(_ values: [Float], _ padding: LeftPadding) -> [Judgement] {
            let map = FeatureMap(
                values: .constant(HostArray(values, shape: [1, values.count, 1])), padding: padding)
            return [Judgement(features: [map], logits: map)]
        }
        let real = judgement([9, -9, 9, 2, 0.2, -1, 0.9, 3], padding)
        let fake = judgement([-9, 9, 9, -2, 0.2, 1, -0.9, 3], padding)
        let realAlone = judgement([2, 0.2, -1, 0.9, 3], .none)
        let fakeAlone = judgement([-2, 0.2, 1, -0.9, 3], .none)
        for loss in AdversarialLoss.allCases {
            for (masked, alone) in [
                (adversarialLoss(fake, loss, .sum), adversarialLoss(fakeAlone, loss, .sum)),
                (
                    discriminatorLoss(real: real, fake: fake, loss, .sum),
                    discriminatorLoss(real: realAlone, fake: fakeAlone, loss, .sum)
                ),
                (
                    discriminatorAccuracy(real: real, fake: fake, loss),
                    discriminatorAccuracy(real: realAlone, fake: fakeAlone, loss)
                ),
                (
                    featureMatchingLoss(real: real, fake: fake, layers: .sum, discriminators: .sum),
                    featureMatchingLoss(real: realAlone, fake: fakeAlone, layers: .sum, discriminators: .sum)
                ),
            ] { expectClose(try evaluate(masked), try evaluate(alone), relative: 1e-6, absolute: 1e-7) }
        }
        // Real: 4 of 5 above 0, fake: 2 of 5 below.
        expectClose(
            try evaluate(discriminatorAccuracy(real: real, fake: fake, .hinge)), HostArray(Float(0.6)))
    }

    /// It is another one in every process, and at every capacity.
    @Test func theOrderOfADictionaryOfWeightsIsOfNoAccount() {
        let totals = [0, 1 << 12, 1 << 14, 1 << 16].map { capacity in
            var weights = [String: Double](minimumCapacity: capacity)
            for loss in 1...1000 { weights["\(loss)"] = 1 / Double(loss) }
            return LossBalancer(weights: weights).total
        }
        #expect(Set(totals).count == 1)
    }

    @Test func balancedGradientsEqualEnCodec() throws {
        let balancer = LossBalancer(weights: ["a": 1, "b": 4, "c": 2], decay: 0.9)
        let names = balancer.stateTypes.keys.sorted()
        let direction = Tensor.constant(try fixture.array("balancer/direction"))
        let output = Tensor.input(TensorType(.f32, [2, 6]), name: "output")
        let state = balancer.stateTypes.mapValues { Tensor.input($0, name: "state") }
        let losses = ["a": output.abs().mean(), "b": 30 * output.squared.mean(), "c": (output * direction).sum()]
        let next = balancer(losses, at: output, state: state)
        let graph = Graph(
            inputs: [output] + names.map { state[$0]! }, outputs: [next.cotangent] + names.map { next.state[$0]! })
        var carried = names.map { HostArray(repeating: 0, type: balancer.stateTypes[$0]!) }
        for step in 0..<3 {
            let results = try TestBackends.reference.run(
                graph, [try fixture.array("balancer/\(step)/output")] + carried)
            expectClose(
                results[0], try fixture.array("balancer/\(step)/cotangent"), relative: 1e-5, absolute: 1e-7,
                "step \(step)")
            carried = Array(results.dropFirst())
        }
    }
}
