import Foundation
import NN
import Testing
import Tokenizer

@Suite struct ConfigurationTests {
    @Test(arguments: Alpha.Configuration.presets.keys.sorted())
    func aPresetSurvivesJSONAndMakesAModel(_ name: String) throws {
        let preset = try Alpha.Configuration.preset(name)
        let data = try JSONEncoder().encode(preset)
        #expect(try JSONDecoder().decode(Alpha.Configuration.self, from: data) == preset)
        try preset.validate()
        #expect(try !Alpha(preset).parameters.isEmpty)
    }

    @Test func presetsHaveTheRatesTheyPromise() throws {
        func rates(_ name: String) throws -> [Double] {
            let preset = try Alpha.Configuration.preset(name)
            return [Double(preset.sampleRate), Double(preset.hop), preset.frameRate, preset.bitRate]
        }
        #expect(try rates("alpha-24k-50hz") == [24000, 480, 50, 1200])
        #expect(try rates("alpha-48k-50hz") == [48000, 960, 50, 1200])
        #expect(try rates("alpha-24k-25hz") == [24000, 960, 25, 1000])
        #expect(try rates("alpha-tiny") == [24000, 480, 50, 1500])
    }

    @Test func anUnknownPresetListsTheKnown() {
        let error = #expect(throws: ConfigurationError.self) { try Alpha.Configuration.preset("alpha-huge") }
        #expect(error == .unknownPreset("alpha-huge"))
        for name in Alpha.Configuration.presets.keys { #expect(error?.description.contains(name) == true) }
    }

    struct Mistake: Sendable {
        let key: String
        let change: @Sendable (inout Alpha.Configuration) -> Void
    }

    static let mistakes = [
        Mistake(key: "sampleRate") { $0.sampleRate = 7999 }, Mistake(key: "sampleRate") { $0.sampleRate = 192_001 },
        Mistake(key: "width") { $0.width = 0 }, Mistake(key: "width") { $0.width = 1025 },
        Mistake(key: "strides") { $0.strides = [] }, Mistake(key: "strides") { $0.strides = [2, 0] },
        Mistake(key: "strides") { $0.strides = [65] }, Mistake(key: "strides") { $0.strides = [64, 64, 64] },
        Mistake(key: "strides") { $0.strides = .init(repeating: 2, count: 9) },
        Mistake(key: "dilations") { $0.dilations = [] }, Mistake(key: "dilations") { $0.dilations = [1, 82] },
        Mistake(key: "dilations") { $0.dilations = Array(repeating: 1, count: 17) },
        Mistake(key: "latentDimension") { $0.latentDimension = 0 },
        Mistake(key: "transformer.layers") { $0.transformer.layers = -1 },
        Mistake(key: "transformer.heads") { $0.transformer.heads = 0 },
        // 16 channels in 16 heads of one: a rotation needs pairs.
        Mistake(key: "transformer.heads") { $0.transformer.heads = 16 },
        Mistake(key: "transformer.window") { $0.transformer.window = 0 },
        Mistake(key: "transformer.expansion") { $0.transformer.expansion = 17 },
        Mistake(key: "quantizer") { $0.quantizer = [] },
        Mistake(key: "quantizer[1].bits") { $0.quantizer = [.vq(codebookSize: 4), .bsq(bits: 37)] },
        Mistake(key: "quantizer[0].bits") { $0.quantizer = [.bsq(bits: 0)] },
        Mistake(key: "quantizer[0].codebookSize") { $0.quantizer = [.vq(codebookSize: 1)] },
        Mistake(key: "quantizer[0].dimension") { $0.quantizer = [.vq(codebookSize: 4, dimension: 0)] },
    ]

    @Test(arguments: mistakes.indices) func aValueThatMakesNoModelIsNamed(index: Int) throws {
        var configuration = SmallAlpha.configuration
        Self.mistakes[index].change(&configuration)
        let error = #expect(throws: ConfigurationError.self) { try Alpha(configuration) }
        guard case .invalid(let key, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(key == Self.mistakes[index].key)
        #expect(error?.description.hasPrefix("configuration: '\(key)' must be ") == true)
    }

    @Test func aTransformerThatIsLeftOutIsNotChecked() throws {
        var configuration = SmallAlpha.configuration
        configuration.transformer = .init(layers: 0, heads: 0, window: 0, expansion: 0)
        try configuration.validate()
    }

    // MARK: - Tokens

    @Test func columnsAndTokensAreOneAnothersOpposite() throws {
        var configuration = SmallAlpha.configuration
        configuration.quantizer = [.bsq(bits: 3), .vq(codebookSize: 70000 / 2), .bsq(bits: 36)]
        #expect(configuration.codeWidth == 40)
        var columns: [Int32] = [1, 0, 1, 34567]
        columns += [1] + [Int32](repeating: 0, count: 34) + [1]
        columns += [0, 1, 0, 0] + [Int32](repeating: 1, count: 36)
        let tokens = configuration.tokens(columns)
        // The first bit is the lowest.
        #expect(tokens.count == 2 && tokens.codes == [5, 34567, 1 << 35 | 1, 2, 0, 1 << 36 - 1])
        #expect(configuration.columns(tokens) == columns)
        #expect(configuration.tokens([]).count == 0)
    }

    @Test func theLayoutOfTokenFilesIsTheQuantizers() throws {
        let layout = try SmallAlpha.configuration.tokenLayout
        #expect(layout.bitsPerFrame == SmallAlpha.configuration.bitsPerFrame)
        #expect(SmallAlpha.configuration.bitsPerFrame == 3 + 5)
    }
}
