import Codec
import Foundation
import Phonemes
import Tensor
import TestSupport
import Testing
import Tokenizer

@testable import Training

/// A run begins with the weights of a model, also of a smaller one, or says why it cannot.
extension SmallTrainingTests.ResumeTests {
    @Test func aRunBeginsWithTheWeightsOfAModel() throws {
        let source = try trainer("source")
        try run(source, to: 3)
        let file = try ModelFile(path: source.modelPath)
        try {
            let next = try trainer("next") { $0.initialModel = source.modelPath }
            #expect(next.step == 0)
            try next.export()
            #expect(try ModelFile(path: next.modelPath).arrays == file.arrays, "bit for bit, before any step")
            try run(next, to: 1)
            #expect(try ModelFile(path: next.modelPath).arrays != file.arrays)
        }()
        // A run that has begun needs the file no more.
        try FileManager.default.removeItem(atPath: source.modelPath)
        #expect(try trainer("next") { $0.initialModel = source.modelPath }.step == 1)
    }

    @Test func whatIsFrozenIsTakenFromAModel() throws {
        let error = #expect(throws: TrainingError.self) { try trainer("frozen") { $0.frozen = [.encoder] } }
        let message = try #require(error).description
        #expect(message.contains("(encoder)") && message.contains("--from MODEL"), "\(message)")
    }

    @Test func aRunGoesOnDeeper() throws {
        let source = try trainer("source")
        try run(source, to: 3)
        let file = try ModelFile(path: source.modelPath)
        func next(_ name: String, layers: Int) throws -> Trainer {
            try trainer(name) { recipe in
                var configuration = SmallTraining.configuration
                configuration.transformer.layers = layers
                recipe.model = .configuration(configuration)
                recipe.initialModel = source.modelPath
            }
        }
        let deeper = try next("deeper", layers: 3)
        try deeper.export()
        let arrays = try ModelFile(path: deeper.modelPath).arrays
        #expect(arrays.filter { file.arrays[$0.key] != nil } == file.arrays, "bit for bit, before any step")
        #expect(arrays.keys.contains("encoder.transformer.2.mlp.expand.weight"))
        // What new blocks add is a hundredth of what they say.
        let (before, after) = (try source.evaluate().melDistance, try deeper.evaluate().melDistance)
        #expect(abs(after - before) < 0.05 * before, "\(before) and \(after)")
        #expect(throws: TrainingError.self) { try next("shallower", layers: 0) }
        // They would start random, and stay so.
        let error = #expect(throws: TrainingError.self) {
            try trainer("frozen") { recipe in
                var configuration = SmallTraining.configuration
                configuration.transformer.layers = 3
                recipe.model = .configuration(configuration)
                recipe.initialModel = source.modelPath
                recipe.frozen = [.encoder]
            }
        }
        #expect("\(error!)".contains("freezes a part"))
    }

    @Test func aRunGoesOnWithAnEncoderForItsPhonemes() throws {
        let inventory = try PhonemeInventory(["<blank>", "a", "b", "k", "s", "t", "i", "u"])
        func next(
            _ name: String, layers: Int?, width: Int = 4, from path: String = "", phonemes: String = "",
            frozen: [Recipe.Part] = [], seed: UInt64 = 0
        ) throws -> Trainer {
            try trainer(name) { recipe in
                var configuration = SmallTraining.configuration
                configuration.transformer.layers = 2
                configuration.width = width
                configuration.phonemes = inventory
                configuration.phonemeLayers = layers
                recipe.model = .configuration(configuration)
                recipe.losses.ctc = 0
                recipe.losses.phonemeFrames = 1
                recipe.initialModel = path
                recipe.initialPhonemes = phonemes
                recipe.frozen = frozen
                recipe.seed = seed
            }
        }
        func exported(_ trainer: Trainer) throws -> ModelFile {
            try trainer.export()
            return try ModelFile(path: trainer.modelPath)
        }
        let (sound, phonemes) = (
            try exported(next("sound", layers: nil)), try exported(next("phonemes", layers: nil, seed: 1))
        )
        let whole = try exported(
            next("whole", layers: 2, from: sound.path, frozen: [.encoder, .phonemeEncoder, .decoder]))
        #expect(try heard(whole).tokens == heard(sound).tokens, "a copy hears what the encoder does")
        #expect(whole.arrays.filter { sound.arrays[$0.key] != nil } == sound.arrays)

        let apart = try exported(next("apart", layers: 1, from: sound.path, phonemes: phonemes.path))
        for (path, array) in apart.arrays {
            let isLevelOne = path.hasPrefix("quantizer.levels.0.") && !path.contains(".expand.")
            if path.hasPrefix("phonemeEncoder.") {
                #expect(array == phonemes.arrays["encoder.\(path.dropFirst("phonemeEncoder.".count))"])
            } else {
                #expect(array == (isLevelOne ? phonemes : sound).arrays[path])
            }
        }
        #expect(try heard(apart).tokens.level(0) != heard(whole).tokens.level(0))
        // And on from one that has such an encoder already.
        let again = try exported(next("again", layers: 1, from: apart.path, phonemes: whole.path))
        for (path, array) in again.arrays { #expect(array == whole.arrays[path]) }

        for (name, layers, frozen) in [("deep", 3, [Recipe.Part.phonemeEncoder]), ("fewer", 0, [])] {
            let source = layers == 0 ? whole.path : sound.path
            #expect(throws: TrainingError.self) { try next(name, layers: layers, from: source, frozen: frozen) }
        }
        let alone = #expect(throws: TrainingError.self) { try next("alone", layers: 1, phonemes: phonemes.path) }
        #expect("\(alone!)".contains("--from MODEL"))
        let other = try exported(next("narrow", layers: nil, width: 2))
        let error = #expect(throws: TrainingError.self) {
            try next("other", layers: 1, from: sound.path, phonemes: other.path)
        }
        #expect("\(error!)".contains("level 1") && "\(error!)".contains(other.path))
    }

    /// What a model makes of a chirp.
    private func heard(_ file: ModelFile) throws -> (tokens: TokenFrames, decoded: [Float]) {
        let codec = try NativeCodec(file)
        var (encoder, decoder) = (try codec.makeEncoder(), try codec.makeDecoder())
        let tokens = try encoder.push((0..<4000).map { sin(Float($0 * $0) * 1e-5) * 0.5 })
        return (tokens, try decoder.push(tokens))
    }

    @Test func aRunGoesOnWithMoreBits() throws {
        let source = try trainer("source")
        try run(source, to: 3)
        func next(_ name: String, frozen: [Recipe.Part] = []) throws -> Trainer {
            try trainer(name) { recipe in
                var configuration = SmallTraining.configuration
                configuration.quantizer[1].bits = 7
                recipe.model = .configuration(configuration)
                recipe.initialModel = source.modelPath
                recipe.frozen = frozen
            }
        }
        let finer = try next("finer", frozen: [.encoder, .decoder])
        try finer.export()
        let (before, after) = (try ModelFile(path: source.modelPath), try ModelFile(path: finer.modelPath))
        let (old, new) = (try heard(before), try heard(after))
        #expect(
            new.tokens.level(1).map { $0 & 15 } == old.tokens.level(1) && new.tokens.level(0) == old.tokens.level(0)
        )
        #expect(Set(new.tokens.level(1).map { $0 >> 4 }).count > 1, "new bits tell frames apart")
        #expect(zip(new.decoded, old.decoded).allSatisfy { abs($0 - $1) < 1e-4 }, "and say nothing yet")
        // Only the quantizer learns: and what the new bits say with it.
        try run(finer, to: 3)
        let learned = try ModelFile(path: finer.modelPath).arrays
        let rows = try #require(learned["quantizer.levels.1.expand.weight"]).floats.suffix(3 * 8)
        #expect(rows.allSatisfy { $0 != 0 })
        for (name, array) in before.arrays where name.hasPrefix("decoder") { #expect(learned[name] == array) }
        let error = #expect(throws: TrainingError.self) { try next("frozen", frozen: [.quantizer]) }
        #expect("\(error!)".contains("freezes the quantizer"))
    }

    @Test func aRunGoesOnWider() throws {
        let source = try trainer("source")
        try run(source, to: 3)
        func next(_ name: String, heads: Int = 6, frozen: [Recipe.Part] = []) throws -> Trainer {
            try trainer(name) { recipe in
                var configuration = SmallTraining.configuration
                configuration.latentDimension *= 3
                configuration.transformer.heads = heads
                recipe.model = .configuration(configuration)
                recipe.initialModel = source.modelPath
                recipe.frozen = frozen
            }
        }
        let wider = try next("wider")
        try wider.export()
        let (before, after) = (try ModelFile(path: source.modelPath), try ModelFile(path: wider.modelPath))
        let (old, new) = (try heard(before), try heard(after))
        #expect(new.tokens == old.tokens)
        #expect(zip(new.decoded, old.decoded).allSatisfy { abs($0 - $1) < 1e-4 })
        try run(wider, to: 4)
        let learned = try ModelFile(path: wider.modelPath).arrays
        for part in ["mlp.contract", "attention.output"] {
            let weight = try #require(learned["decoder.transformer.0.\(part).weight"])
            #expect(weight.floats.filter { $0 == 0 }.isEmpty, "new channels have begun to be used")
        }
        let error = #expect(throws: TrainingError.self) { try next("frozen", frozen: [.quantizer]) }
        #expect("\(error!)".contains("freezes a part"))
        #expect(throws: TrainingError.self, "heads of another width") { try next("heads", heads: 2) }
    }

    @Test func aRunGoesOnWithAWiderDecoder() throws {
        let source = try trainer("source")
        try run(source, to: 3)
        func next(_ name: String, _ channels: [Int], frozen: [Recipe.Part] = []) throws -> Trainer {
            try trainer(name) { recipe in
                var configuration = SmallTraining.configuration
                configuration.decoderChannels = channels
                recipe.model = .configuration(configuration)
                recipe.initialModel = source.modelPath
                recipe.frozen = frozen
            }
        }
        // The encoder's are 4, 8 and 16.
        let wider = try next("wider", [24, 20, 4], frozen: [.encoder, .quantizer])
        try wider.export()
        let (before, after) = (try ModelFile(path: source.modelPath), try ModelFile(path: wider.modelPath))
        let (old, new) = (try heard(before), try heard(after))
        #expect(new.tokens == old.tokens)
        #expect(zip(new.decoded, old.decoded).allSatisfy { abs($0 - $1) < 1e-4 })
        func isSilent(_ file: ModelFile, _ part: String) throws -> Bool {
            try #require(file.arrays["decoder.\(part).weight"]).floats.contains { $0 == 0 }
        }
        let writing = ["stem", "blocks.0.upsample", "blocks.0.units.0.pointwise"]
        for part in writing { #expect(try isSilent(after, part)) }
        try run(wider, to: 4)
        let learned = try ModelFile(path: wider.modelPath)
        for part in writing { #expect(try !isSilent(learned, part), "new channels have begun to be used") }
        for (name, array) in before.arrays where name.hasPrefix("encoder") { #expect(learned.arrays[name] == array) }

        let error = #expect(throws: TrainingError.self) { try next("frozen", [24, 20, 4], frozen: [.decoder]) }
        #expect("\(error!)".contains("freezes a part"))
        #expect(throws: TrainingError.self, "fewer in one place") { try next("narrower", [24, 6, 4]) }
    }

    @Test func aRunGoesOnWithALaterDecoder() throws {
        let source = try trainer("source")
        try run(source, to: 3)
        func next(_ name: String, delay: Int) throws -> Trainer {
            try trainer(name) { recipe in
                var configuration = SmallTraining.configuration
                configuration.decoderDelay = delay
                recipe.model = .configuration(configuration)
                recipe.initialModel = source.modelPath
            }
        }
        let later = try next("later", delay: 2)
        try later.export()
        let (before, after) = (try ModelFile(path: source.modelPath), try ModelFile(path: later.modelPath))
        let path = "decoder.stem.weight"
        let (old, new) = (try #require(before.arrays[path]), try #require(after.arrays[path]))
        let tap = old.count / old.shape[0]
        #expect(new.floats.dropLast(2 * tap) == old.floats.dropFirst(2 * tap))
        #expect(new.floats.suffix(2 * tap).allSatisfy { $0 == 0 })
        // Without what is too long ago to be seen now, it makes the same sound, two frames later.
        var arrays = before.arrays
        arrays[path] = HostArray(
            [Float](repeating: 0, count: 2 * tap) + old.floats.dropFirst(2 * tap), shape: old.shape)
        let prompt = try NativeCodec(model: before.model, arrays: arrays)
        let tokens = try prompt.encode((0..<4000).map { sin(Float($0 * $0) * 1e-5) * 0.5 })
        let (sound, expected) = (try NativeCodec(after).decode(tokens), try prompt.decode(tokens))
        #expect(sound.count == expected.count)
        // What comes after the first convolution begins with two frames of its bias instead of silence.
        let hop = before.model.configuration.hop
        let both = zip(sound, expected).dropFirst(10 * hop).dropLast(2 * hop)
        #expect(both.count > 10 * hop && both.allSatisfy { abs($0 - $1) < 1e-5 })

        let (first, last) = (try source.evaluate().melDistance, try later.evaluate().melDistance)
        #expect(abs(first - last) < 0.1 * first, "\(first) and \(last)")
        try run(later, to: 2)
        let learned = try #require(try ModelFile(path: later.modelPath).arrays[path])
        #expect(learned.floats.suffix(2 * tap).allSatisfy { $0 != 0 })
        #expect(throws: TrainingError.self, "further than it sees") { try next("latest", delay: 7) }
    }

    @Test func aModelOfAnotherConfigurationIsNoBeginning() throws {
        let source = try trainer("source")
        try source.export()
        let error = #expect(throws: TrainingError.self) {
            try trainer("other") { recipe in
                var configuration = SmallTraining.configuration
                configuration.quantizer[1].bits = 3
                recipe.model = .configuration(configuration)
                recipe.initialModel = source.modelPath
            }
        }
        #expect("\(error!)".contains(source.modelPath))
        #expect(throws: (any Error).self) { try trainer("absent") { $0.initialModel = "absent.safetensors" } }
    }

    enum Damage: CaseIterable { case missing, extra, misshapen, mistyped, nonFinite }
}
