import NN
import Tensor
import TestSupport
import Testing
import Tokenizer
import XLA

@Suite struct DiscriminatorTests {
    let fixture: Fixture
    init() throws { fixture = try Fixture("alpha_discriminators") }

    /// One published discriminator of the fixture and ours of the same shape.
    static let cases: [(name: String, make: @Sendable () -> any Discriminator)] = [
        ("stft", { STFTDiscriminator(window: 64, width: 4) }),
        ("period.2", { PeriodDiscriminator(period: 2, .init(width: 2, maximumWidth: 12)) }),
        ("period.7", { PeriodDiscriminator(period: 7, .init(width: 2, maximumWidth: 12)) }),
        ("scale.1", { ScaleDiscriminator(factor: 1, .init(width: 4, maximumWidth: 8)) }),
        ("scale.2", { ScaleDiscriminator(factor: 2, .init(width: 4, maximumWidth: 8)) }),
        ("band", { BandDiscriminator(window: 64, width: 2) }),
    ]

    @Test(arguments: cases.map(\.name)) func equalsThePublishedOne(name: String) throws {
        let discriminator = try #require(Self.cases.first { $0.name == name }).make()
        let parameters = discriminator.parameters
        let paths = parameters.keys.sorted()
        for path in paths {
            #expect(try fixture.array("\(name)/parameters.\(path)").type == parameters[path]?.type, "\(name) \(path)")
        }
        let given = fixture.arrays.keys.filter { $0.hasPrefix("\(name)/parameters.") }
        #expect(given.count == paths.count)

        let x = Tensor.input(try fixture.array("\(name)/x").type, name: "x")
        let judgement = discriminator(x, padding: .none, as: .f32)
        let maps = (judgement.features + [judgement.logits]).map(\.values)
        let loss = maps.reduce(Tensor.scalar(0)) { $0 + ($1.squared + $1).mean() }
        let inputs = [x] + paths.map { parameters[$0]!.tensor }
        let graph = Graph(inputs: inputs, outputs: maps + gradient(of: loss, at: inputs))
        let values = try [fixture.array("\(name)/x")] + paths.map { try fixture.array("\(name)/parameters.\($0)") }
        let expectedMaps =
            try judgement.features.indices.map { try fixture.array("\(name)/features.\($0)") }
            + [fixture.array("\(name)/logits")]
        let expected =
            try expectedMaps + [fixture.array("\(name)/gradient.x")]
            + paths.map { try fixture.array("\(name)/gradient.\($0)") }
        for backend in TestBackends.all {
            for (index, pair) in zip(try backend.run(graph, values), expected).enumerated() {
                let label = index < maps.count ? "map \(index)" : (["x"] + paths)[index - maps.count]
                expectClose(
                    pair.0.reshaped(pair.1.shape), pair.1, relative: 1e-4, absolute: 1e-5,
                    "\(backend.name): \(name): \(label)")
            }
        }
    }

    @Test func levelIsTakenOutAsInDAC() throws {
        var configuration = Discriminators.Configuration()
        configuration.period = .init(periods: [2], width: 2, maximumWidth: 4)
        let plain = Discriminators(configuration)
        configuration.levelsOut = true
        // The same parameters: what differs is the input alone.
        let leveling = Discriminators(configuration)
        let values = plain.initialization(key: RandomKey(seed: 1))
        func logits(_ discriminators: Discriminators, _ x: HostArray) throws -> HostArray {
            let bound = discriminators(.constant(x))[0].logits.values
            let pairs = discriminators.parameters.map { ($1.tensor, values[$0]!) }
            return try evaluate([bound].replacing(pairs)[0])
        }
        let leveled = try logits(leveling, fixture.array("level/x"))
        expectClose(leveled, try logits(plain, fixture.array("level/y")), relative: 1e-4, absolute: 1e-6)
        #expect(leveled != (try logits(plain, fixture.array("level/x"))))
    }

    /// A frame counts if and only if no padding can reach it.
    @Test(arguments: ["stft", "period.7", "scale.1", "scale.2", "band"])
    func framesThatPaddingReachesAreLeftOut(name: String) throws {
        let discriminator = try #require(Self.cases.first { $0.name == name }).make()
        let values = discriminator.initialization(key: RandomKey(seed: 2))
        let count = 2400
        let padded = 500
        let isReal = (0..<2 * count).map { $0 < count || $0 >= count + padded }
        let mask = HostArray(isReal.map { $0 ? 1 as Float : 0 }, shape: [2, count])
        var random = TestRandom(seed: 4)
        let sound = random.array([2, count], .f32)
        let other = HostArray(zip(sound.floats, isReal).map { $1 ? $0 : $0 + 0.5 }, shape: [2, count])

        let x = Tensor.input(sound.type, name: "x")
        let judgement = discriminator(x, padding: LeftPadding(mask: .constant(mask)), as: .f32)
        let maps = judgement.features + [judgement.logits]
        // What the mean reads, and with weights of one, how much it reads.
        let sums = maps.map { $0.mean(of: $0.values) }
        let ones = maps.map { $0.mean(of: Tensor.ones($0.values.type)) }
        let pairs = discriminator.parameters.map { ($1.tensor, values[$0]!) }
        let outputs = (sums + ones + maps.map(\.values)).replacing(pairs)
        let graph = Graph(inputs: [x], outputs: outputs)
        let first = try TestBackends.reference.run(graph, [sound])
        let second = try TestBackends.reference.run(graph, [other])
        var reached = 0
        for index in maps.indices {
            expectClose(first[index], second[index], relative: 1e-5, absolute: 1e-6, "\(name) map \(index)")
            #expect(first[maps.count + index].floats == [1], "\(name) map \(index) leaves all out")
            if first[2 * maps.count + index] != second[2 * maps.count + index] { reached += 1 }
        }
        // The padding does reach frames of every map: without the mask the means would differ.
        #expect(reached == maps.count)
    }

    @Test func publishedWidthsAreThePublishedNumbersOfParameters() throws {
        func count(_ discriminator: any Discriminator) -> Int {
            discriminator.parameters.values.reduce(0) { $0 + $1.shape.elementCount }
        }
        // Counted on the originals: sum(p.numel() for p in module.parameters()).
        #expect(count(PeriodDiscriminator(period: 2)) == 8_221_154)
        #expect(count(ScaleDiscriminator()) == 5_641_362)
        #expect(count(STFTDiscriminator(window: 1024)) == 94_466)
        #expect(count(BandDiscriminator(window: 1024)) == 471_330)
    }
}
