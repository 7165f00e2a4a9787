import NN
import Tensor
import TestSupport
import Testing

private struct Unit: Module {
    let dilated: CausalConv1d
    let statistic = Parameter([2], .zeros, kind: .statistic)
}

private struct Model: Module {
    let units: [Unit]
    let head: Linear?
    let none: Linear?
    let named: [String: Linear]
    let either: Either
    let size = 4

    enum Either {
        case one(Linear)
        case pair(first: Parameter, second: Parameter)
    }
}

@Suite struct ModuleTests {
    private func unit() -> Unit { Unit(dilated: CausalConv1d(2, 2, kernel: 3, weightNorm: true)) }

    @Test func parametersAreNamedByPath() {
        let model = Model(
            units: [unit(), unit()], head: Linear(2, 2), none: nil, named: ["a": Linear(2, 3, bias: false)],
            either: .pair(first: Parameter([1], .zeros), second: Parameter([2], .zeros)))
        let parameters = model.parameters
        #expect(
            parameters.keys.sorted() == [
                "either.first", "either.second", "head.bias", "head.weight", "named.a.weight",
                "units.0.dilated.bias", "units.0.dilated.weight.direction", "units.0.dilated.weight.gain",
                "units.0.statistic",
                "units.1.dilated.bias", "units.1.dilated.weight.direction", "units.1.dilated.weight.gain",
                "units.1.statistic",
            ])
        #expect(parameters["units.1.statistic"]?.kind == .statistic)
        #expect(parameters["head.weight"]?.kind == .trainable)
        #expect(parameters["units.0.dilated.weight.direction"]?.shape == [3, 2, 2])
    }

    @Test func enumerationsAreNamedAsWhatTheyHold() {
        let model = Model(units: [], head: nil, none: nil, named: [:], either: .one(Linear(1, 1)))
        #expect(model.parameters.keys.sorted() == ["either.bias", "either.weight"])
    }

    @Test func tiedWeightsStandUnderTheFirstPath() {
        let shared = Linear(2, 2, bias: false)
        let model = Model(
            units: [], head: shared, none: shared, named: ["z": shared, "a": shared], either: .one(shared))
        #expect(model.parameters.keys.sorted() == ["head.weight"])
        let all = Model(units: [], head: nil, none: nil, named: ["z": shared, "a": shared], either: .one(shared))
        #expect(all.parameters.keys.sorted() == ["named.a.weight"])
    }

    @Test func aNewLayerLeavesTheOthersAsTheyStart() throws {
        let first = try start(Model(units: [unit()], head: nil, none: nil, named: [:], either: .one(Linear(3, 3))))
        let second = try start(
            Model(units: [unit(), unit()], head: Linear(2, 2), none: nil, named: [:], either: .one(Linear(3, 3))))
        for (path, value) in first { #expect(second[path] == value, "\(path)") }
        // Equal shapes at different paths start differently.
        #expect(second["units.0.dilated.weight.direction"] != second["units.1.dilated.weight.direction"])
        let other = try start(
            Model(units: [unit()], head: nil, none: nil, named: [:], either: .one(Linear(3, 3))), seed: 2)
        #expect(other["either.weight"] != first["either.weight"])
    }

    private func start(_ model: some Module, seed: UInt64 = 1) throws -> [String: HostArray] {
        try model.initialization(key: RandomKey(seed: seed)).mapValues { try evaluate($0) }
    }

    @Test func initialisersEqualFlax() throws {
        let fixture = try Fixture("nn_initializers")
        let made: [String: Initializer] = [
            "normal": .normal(0.02), "truncatedNormal": .truncatedNormal(0.5), "lecunNormal": .lecunNormal,
            "glorotUniform": .glorotUniform, "glorotNormal": .glorotNormal, "heNormal": .heNormal,
            "fanOutNormal": .varianceScaling(1.5, .output, .normal), "uniform": .uniform(-0.3, 0.7),
        ]
        for backend in TestBackends.all {
            for (name, initializer) in made {
                let value = initializer(RandomKey(seed: 42), [3, 5, 4])
                let result = try backend.run(Graph(inputs: [], outputs: [value]), [])[0]
                // The inverse error functions are different polynomials, least alike in the tails.
                expectClose(
                    result, try fixture.array(name), relative: 1e-5, absolute: 1e-6, "\(backend.name) \(name)")
            }
            let folded = RandomKey(seed: 42).folding(in: 0x9E37_79B9).words
            #expect(
                try backend.run(Graph(inputs: [], outputs: [folded]), [])[0] == fixture.array("folded"))
        }
    }

    @Test func mixedPrecisionRoundsParametersWhereTheyAreUsed() throws {
        let layer = Linear(3, 2)
        let y = layer(.ones(TensorType(.bf16, [1, 3])))
        #expect(y.dtype == .bf16)
        #expect(gradient(of: y.cast(to: .f32).sum(), at: [layer.weight.tensor])[0].dtype == .f32)
    }
}
