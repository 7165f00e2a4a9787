import Checkpoint
import Datasets
import Phonemes
public import Tokenizer

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A recipe that cannot be used.
public enum RecipeError: Error, CustomStringConvertible {
    case unreadable(path: String, reason: String)
    case notJSON(path: String, reason: String)
    case unknownKey(path: String, key: String, known: [String])
    case wrongValue(path: String, reason: String)

    public var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path): cannot read the recipe: \(reason)"
        case .notJSON(let path, let reason): "\(path): not JSON: \(reason)"
        case .unknownKey(let path, let key, let known):
            "\(path): '\(key)' is not a key of a recipe; here there are \(known.joined(separator: ", "))"
        case .wrongValue(let path, let reason): "\(path): \(reason)"
        }
    }
}

extension Recipe {
    /// Reads a recipe; keys that the file leaves out have their defaults, and keys that no recipe has are errors.
    ///
    /// - Throws: `RecipeError`.
    public init(path: String) throws(RecipeError) {
        let bytes: [UInt8]
        do throws(FileError) { bytes = try InputFile(path: path).rest() } catch {
            throw .unreadable(path: path, reason: error.reason)
        }
        try self.init(data: Data(bytes), path: path)
    }

    /// A preset model with every other key at its default, except that a model with phonemes takes whole utterances.
    ///
    /// - Throws: `ConfigurationError.unknownPreset`.
    public init(preset name: String) throws(ConfigurationError) {
        let configuration = try Alpha.Configuration.preset(name)
        self.init(model: .preset(name))
        // Transcripts, from which it learns phonemes, are of whole utterances.
        clips.areWhole = configuration.phonemes != nil
    }

    /// - Parameter path: names the recipe in errors.
    public init(data: Data, path: String) throws(RecipeError) {
        let given: JSON
        let defaults: JSON
        do {
            given = try JSONDecoder().decode(JSON.self, from: data)
            defaults = try JSONDecoder().decode(
                JSON.self, from: JSONEncoder().encode(Recipe(model: .preset("alpha-tiny"))))
        } catch { throw .notJSON(path: path, reason: "\(error)") }
        let merged = try Self.merge(given, over: defaults, key: "", path: path)
        do {
            self = try JSONDecoder().decode(Recipe.self, from: JSONEncoder().encode(merged))
        } catch let DecodingError.typeMismatch(_, context), let DecodingError.dataCorrupted(context) {
            // The text is JSON, so what has no key here is a number that the key's type does not hold.
            let key = Self.name(context.codingPath)
            throw .wrongValue(
                path: path,
                reason: key.isEmpty
                    ? "a number does not fit its key: a count has no fraction, and no number may be beyond its range"
                    : "'\(key)': \(context.debugDescription)")
        } catch let DecodingError.keyNotFound(key, context) {
            throw .wrongValue(path: path, reason: "'\(Self.name(context.codingPath))' lacks '\(key.stringValue)'")
        } catch let DecodingError.valueNotFound(_, context) {
            throw .wrongValue(path: path, reason: "'\(Self.name(context.codingPath))' is null")
        } catch { throw .wrongValue(path: path, reason: "\(error)") }
        if case .object(let keys) = merged, let model = keys["model"] { try Self.checkModel(model, path: path) }
        do { _ = try model.resolved().validate() } catch { throw .wrongValue(path: path, reason: "\(error)") }
        do { try adversarial.discriminators.validate() } catch { throw .wrongValue(path: path, reason: "\(error)") }
        try check(path)
        try checkAdversarial(path)
    }

    private static func name(_ path: [any CodingKey]) -> String {
        path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
    }

    private static func merge(
        _ given: JSON, over defaults: JSON, key: String, path: String
    ) throws(RecipeError) -> JSON {
        // The model is a value of its own, by name or whole.
        guard key != "model", case .object(let defaults) = defaults else { return given }
        guard case .object(let given) = given else {
            throw .wrongValue(path: path, reason: "'\(key)' must be an object")
        }
        var merged = defaults
        for (name, value) in given {
            let full = key.isEmpty ? name : "\(key).\(name)"
            guard let old = defaults[name] else {
                throw .unknownKey(path: path, key: full, known: defaults.keys.sorted())
            }
            merged[name] = try merge(value, over: old, key: full, path: path)
        }
        return .object(merged)
    }

    /// Unknown keys of a model that is given whole: what decoding would pass over in silence.
    private static func checkModel(_ given: JSON, path: String) throws(RecipeError) {
        // With every key that a configuration may have.
        var whole = Alpha.Configuration.alphaTinyPitch
        whole.decoderDelay = 0
        whole.phonemeLayers = 0
        whole.decoderChannels = []
        guard case .object = given, let data = try? JSONEncoder().encode(whole),
            let schema = try? JSONDecoder().decode(JSON.self, from: data)
        else { return }
        try checkKeys(given, in: [schema], key: "model", path: path)
    }

    /// - Parameter schemas: objects of which one or another has each key that there is.
    private static func checkKeys(
        _ given: JSON, in schemas: [JSON], key: String, path: String
    ) throws(RecipeError) {
        switch given {
        case .object(let keys):
            let known: [String: [JSON]] = schemas.reduce(into: [:]) { known, schema in
                if case .object(let keys) = schema {
                    for (name, value) in keys { known[name, default: []].append(value) }
                }
            }
            guard !known.isEmpty else { return }
            for (name, value) in keys.sorted(by: { $0.key < $1.key }) {
                guard let inner = known[name] else {
                    throw .unknownKey(path: path, key: "\(key).\(name)", known: known.keys.sorted())
                }
                try checkKeys(value, in: inner, key: "\(key).\(name)", path: path)
            }
        case .array(let elements):
            let inner = schemas.flatMap { schema -> [JSON] in
                guard case .array(let elements) = schema else { return [] }
                return elements
            }
            for (index, element) in elements.enumerated() {
                try checkKeys(element, in: inner, key: "\(key).\(index)", path: path)
            }
        default: return
        }
    }

    private func checkAdversarial(_ path: String) throws(RecipeError) {
        func require(_ condition: Bool, _ key: String, _ rule: String) throws(RecipeError) {
            if !condition { throw .wrongValue(path: path, reason: "'adversarial.\(key)' must be \(rule)") }
        }
        let samples = (try? model.resolved()).map { shortestRow($0) * $0.hop - $0.delaySamples } ?? 0
        try require(
            adversarial.discriminators.reach < samples, "discriminators",
            "of windows and periods shorter than a segment, and than a second of whole utterances")
        try require(adversarial.weight >= 0, "weight", "0 or more")
        try require(adversarial.featureMatching >= 0, "featureMatching", "0 or more")
        try require(adversarial.startStep >= 0, "startStep", "0 or more")
        try require(adversarial.warmupSteps >= 0, "warmupSteps", "0 or more")
        try require((1...1_000_000).contains(adversarial.every), "every", "between 1 and 1000000")
        try require(
            adversarial.warmup != .ramp || losses.balancerDecay == 0, "warmup",
            "'none' or 'alone' with a balancer, which would undo a ramp")
        let optimizer = adversarial.optimizer
        try require(optimizer.learningRate > 0, "optimizer.learningRate", "positive")
        try require((0..<1).contains(optimizer.beta1), "optimizer.beta1", "in 0 ..< 1")
        try require((0..<1).contains(optimizer.beta2), "optimizer.beta2", "in 0 ..< 1")
        try require(optimizer.warmupSteps >= 0, "optimizer.warmupSteps", "0 or more")
        try require(optimizer.clipNorm > 0, "optimizer.clipNorm", "positive")
        try require((0...1).contains(optimizer.finalShare), "optimizer.finalShare", "between 0 and 1")
        try require(optimizer.weightDecay >= 0, "optimizer.weightDecay", "0 or more")
    }

    private func check(_ path: String) throws(RecipeError) {
        func require(_ condition: Bool, _ key: String, _ rule: String) throws(RecipeError) {
            if !condition { throw .wrongValue(path: path, reason: "'\(key)' must be \(rule)") }
        }
        // The device counts them in 32 bits.
        try require((1...Int(Int32.max)).contains(steps), "steps", "between 1 and \(Int32.max)")
        let hasListener = (try? model.resolved())?.phonemeLayers != nil
        let learning = Set(Part.allCases).subtracting(frozen).subtracting(hasListener ? [] : [.phonemeEncoder])
        try require(!learning.isEmpty, "frozen", "without a part, or nothing would learn")
        try require(
            initialPhonemes.isEmpty || hasListener, "initialPhonemes",
            "empty: level 1 of this model has no encoder of its own ('phonemeLayers')")
        try require((1...4096).contains(batchSize), "batchSize", "between 1 and 4096")
        try require(
            accumulation > 0 && batchSize % max(1, accumulation) == 0, "accumulation", "a number that divides batchSize"
        )
        try require(rollbackAfter > 0, "rollbackAfter", "positive")
        try require((0..<1).contains(losses.balancerDecay), "losses.balancerDecay", "in 0 ..< 1")
        try require(
            losses.balancerDecay == 0 || losses.reconstruction.values.contains { $0 > 0 }, "losses.balancerDecay",
            "0 without any loss of the sound: there is nothing to balance")
        try require(segmentSeconds >= 0.1 && segmentSeconds <= 60, "segmentSeconds", "between 0.1 and 60")
        try require(
            clips.longestSeconds >= 0.1 && clips.longestSeconds <= 60, "clips.longestSeconds", "between 0.1 and 60")
        if let configuration = try? model.resolved() {
            let delay = configuration.decoderDelay ?? 0
            try require(
                shortestRow(configuration) > delay, clips.areWhole ? "clips.longestSeconds" : "segmentSeconds",
                "longer than the decoder is late, \(delay) frames")
        }
        try require(clips.loudness <= 0, "clips.loudness", "0 or less")
        try require((0...1).contains(clips.balance), "clips.balance", "between 0 and 1")
        try require(clips.speed.low >= 0.5 && clips.speed.high <= 2, "clips.speed", "between 0.5 and 2")
        try require(clips.gain.low >= -100 && clips.gain.high <= 60, "clips.gain", "between -100 and 60 dB")
        try require((0...60).contains(clips.expansion), "clips.expansion", "between 0 and 60 dB")
        try require((0...24).contains(clips.equalization), "clips.equalization", "between 0 and 24 dB")
        try require((0...1).contains(clips.bandShare), "clips.bandShare", "between 0 and 1")
        try require(clips.band.low >= 1000, "clips.band", "1000 Hz or more")
        try require(quantizerWarmupSteps >= 0, "quantizerWarmupSteps", "0 or more")
        try require((0...1).contains(quantizerDropout), "quantizerDropout", "between 0 and 1")
        let sharpness = 0.1...1000.0
        try require(
            sharpness.contains(bitTemperature.start) && sharpness.contains(bitTemperature.end)
                && bitTemperature.steps >= 0, "bitTemperature", "from 0.1 to 1000, in 0 steps or more")
        let inner = [
            "commitment": losses.commitment, "codebook": losses.codebook, "entropy": losses.entropy,
            "redundancy": losses.redundancy,
        ]
        let weights = losses.reconstruction.merging(inner) { _, weight in weight }
        for (name, weight) in weights.sorted(by: { $0.key < $1.key }) {
            try require(weight >= 0, "losses.\(name)", "0 or more")
        }
        try require(
            (0...Int(Int32.max)).contains(losses.ctcStartStep), "losses.ctcStartStep", "between 0 and \(Int32.max)")
        try require((-200...0).contains(losses.quietest), "losses.quietest", "between -200 and 0 dB")
        try require(losses.ctc >= 0, "losses.ctc", "0 or more")
        try require((0...1).contains(losses.labelPriors), "losses.labelPriors", "between 0 and 1")
        try require(
            losses.perceptual == 0 || !losses.perceptualModel.isEmpty, "losses.perceptualModel",
            "a model file, since losses.perceptual is not 0")
        if let configuration = try? model.resolved(), let level = configuration.quantizer.first {
            try require(
                losses.intelligibility == 0 || configuration.sampleRate >= 10000, "losses.intelligibility",
                "0 below 10000 Hz")
            let keepsTokens = learning.isDisjoint(with: [.encoder, .phonemeEncoder, .quantizer])
            try require(
                losses.ctc > 0 || losses.phonemeFrames > 0 || level.codebook != .phonemes || keepsTokens, "losses.ctc",
                "above 0, or 'losses.phonemeFrames': level 1 of this model learns by them alone")
            try require(
                losses.phonemeFrames >= 0 && (losses.phonemeFrames == 0 || configuration.phonemes != nil),
                "losses.phonemeFrames", "0 or more, and 0 for a model without phonemes")
            if let confused = configuration.phonemes.flatMap(IPAReader.confused) {
                try require(
                    false, "model.phonemes",
                    "without '\(confused.0)' or '\(confused.1)': marks of stress and length are not read")
            }
            try require(
                losses.labelPriors == 0 || level.kind == .vq, "losses.labelPriors", "0: level 1 is not a VQ")
            try require(
                configuration.phonemes == nil || losses.ctc == 0 || clips.areWhole, "clips.areWhole",
                "true: transcripts are of whole utterances, and this model learns phonemes from them")
        }
        try require(optimizer.learningRate > 0, "optimizer.learningRate", "positive")
        try require((0..<1).contains(optimizer.beta1), "optimizer.beta1", "in 0 ..< 1")
        try require((0..<1).contains(optimizer.beta2), "optimizer.beta2", "in 0 ..< 1")
        try require(optimizer.momentum > 0 && optimizer.momentum < 1, "optimizer.momentum", "between 0 and 1")
        try require(optimizer.warmupSteps >= 0, "optimizer.warmupSteps", "0 or more")
        try require(optimizer.clipNorm > 0, "optimizer.clipNorm", "positive")
        try require((0...1).contains(optimizer.finalShare), "optimizer.finalShare", "between 0 and 1")
        try require(optimizer.weightDecay >= 0, "optimizer.weightDecay", "0 or more")
        try require((0..<1).contains(optimizer.averageDecay), "optimizer.averageDecay", "in 0 ..< 1")
        try require(
            losses.melWindows.count == losses.melBands.count
                && losses.melWindows.allSatisfy { (8...65536).contains($0) }, "losses.melWindows",
            "as many as losses.melBands, of 8 to 65536 samples")
        try require(losses.melBands.allSatisfy { (1...1024).contains($0) }, "losses.melBands", "between 1 and 1024")
        try require(
            evaluation.every >= 0 && evaluation.clips >= 0 && evaluation.samples >= 0, "evaluation", "0 or more")
        try require(checkpoints.every > 0 && checkpoints.keep > 0, "checkpoints", "positive")
    }

    /// The recipe as a file would hold it, every key written out.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}
