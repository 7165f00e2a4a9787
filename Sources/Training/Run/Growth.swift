import NN
import Tensor
import Tokenizer

extension Alpha.Configuration {
    /// Transformer blocks of what level 1 hears with.
    var listenerLayers: Int { phonemeLayers ?? transformer.layers }
}

extension ModelFile {
    /// What an encoder of level 1's own has at `path` if it begins as a copy of what this model's level 1 hears with.
    func listenerArray(_ path: String) -> HostArray? {
        guard path.hasPrefix("phonemeEncoder.") else { return nil }
        return arrays[path] ?? arrays["encoder.\(path.dropFirst("phonemeEncoder.".count))"]
    }
}

extension Recipe {
    /// What a run has of `initialPhonemes`, by its paths: level 1's encoder and codebook, but not how its entries sound to the decoder.
    ///
    /// - Throws: `TrainingError.initialPhonemes` if they do not fit, and what else reading a model file throws.
    func listener(for configuration: Alpha.Configuration) throws -> [String: HostArray]? {
        guard !initialPhonemes.isEmpty else { return nil }
        let file = try ModelFile(path: initialPhonemes)
        var other = file.model.configuration
        guard other.listenerLayers >= configuration.phonemeLayers ?? 0, other.quantizer[0] == configuration.quantizer[0]
        else { throw TrainingError.initialPhonemes(path: initialPhonemes) }
        other.phonemeLayers = configuration.phonemeLayers
        other.transformer.layers = configuration.transformer.layers
        other.quantizer = configuration.quantizer
        (other.decoderChannels, other.decoderDelay) = (configuration.decoderChannels, configuration.decoderDelay)
        guard other == configuration else { throw TrainingError.initialPhonemes(path: initialPhonemes) }
        return try Alpha(configuration).parameters.keys.reduce(into: [:]) { found, path in
            let isHeard = path.hasPrefix("quantizer.levels.0.") && !path.contains(".expand.")
            found[path] = isHeard ? file.arrays[path] : file.listenerArray(path)
        }
    }
}

extension HostArray {
    /// The first convolution of a decoder, `[taps, channels, channels]`, of a decoder that gives the same sound some frames later.
    ///
    /// What it makes of each frame it makes of the one so many before; the newest have no say yet, and the oldest no more.
    func delayed(by frames: Int) -> HostArray {
        let tap = count / shape[0]
        let old = floats
        return HostArray(old[(frames * tap)...] + [Float](repeating: 0, count: frames * tap), shape: shape)
    }

    /// This parameter of a binary spherical quantizer, of a model that has more bits.
    ///
    /// The bits that there were stay what they were. New ones are told apart as sharply as those, along directions of `start`, and move
    /// the embedding by nothing, until they learn what they are for.
    ///
    /// - Parameters:
    ///   - path: ends in `project.weight` `[channels, bits]`, `project.bias` `[bits]` or `expand.weight` `[bits, channels]`.
    ///   - start: f32, what the model with more bits would begin with.
    func withMoreBits(_ path: String, start: HostArray) -> HostArray {
        let (old, new) = (floats, start.floats)
        if path.hasSuffix("expand.weight") {
            // A bit moves the embedding by its row over √bits.
            let scale = (Float(start.shape[0]) / Float(shape[0])).squareRoot()
            let rest = [Float](repeating: 0, count: new.count - old.count)
            return HostArray(old.map { $0 * scale } + rest, shape: start.shape)
        }
        guard shape.rank == 2 else { return HostArray(old + new[old.count...], shape: start.shape) }
        let (count, width) = (shape[1], start.shape[1])
        func norm(_ values: [Float]) -> Float { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
        let fresh = (0..<shape[0]).map { Array(new[$0 * width + count..<($0 + 1) * width]) }
        let perBit = (
            norm(old) / Float(count).squareRoot(), norm(Array(fresh.joined())) / Float(width - count).squareRoot()
        )
        let scale = perBit.0 / max(perBit.1, 1e-12)
        var rows: [Float] = []
        for (row, fresh) in fresh.enumerated() {
            rows += old[row * count..<(row + 1) * count]
            rows += fresh.map { $0 * scale }
        }
        return HostArray(rows, shape: start.shape)
    }

    /// This parameter of a model that has more channels at the frame rate or in its decoder's convolutions, and which is the same function.
    ///
    /// New channels are silent: what writes them starts at zero, and what reads them as `start`, so that they learn at once. New heads and
    /// hidden units listen at random and say nothing yet (Chen et al., "Net2Net", 2016, widens by doubling units instead).
    ///
    /// - Parameters:
    ///   - path: of an encoder's, a decoder's or a quantizer's parameter that has other axes in the wider model.
    ///   - start: f32, what the wider model would begin with.
    func widened(_ path: String, start: HostArray) -> HostArray {
        let old = floats
        guard shape.rank > 1 else {
            let added = start.shape[0] - shape[0]
            let rms = (old.reduce(0) { $0 + $1 * $1 } / Float(old.count)).squareRoot()
            if path.hasSuffix("Norm.scale") {
                // Half as much on average over twice as many channels, of which half are silent.
                let share = (Float(shape[0]) / Float(start.shape[0])).squareRoot()
                return HostArray(
                    old.map { $0 * share } + [Float](repeating: rms * share, count: added), shape: start.shape)
            }
            let rest =
                path.hasSuffix("Scale.scale") ? [Float](repeating: rms, count: added) : start.floats.suffix(added)
            return HostArray(old + rest, shape: start.shape)
        }
        let (rows, columns) = (shape[shape.rank - 2], shape[shape.rank - 1])
        let (allRows, allColumns) = (start.shape[shape.rank - 2], start.shape[shape.rank - 1])
        let writes = [
            "attention.output", "mlp.contract", "encoder.head", "phonemeEncoder.head", "quantizer", "pointwise",
        ]
        let isSilent = writes.contains { path.contains($0) } && !path.hasSuffix("project.weight")
        var all = isSilent ? [Float](repeating: 0, count: start.count) : start.floats
        // These write some new channels and read others.
        if path.contains("decoder.stem") || path.contains("upsample") {
            for index in all.indices where index % allColumns >= columns { all[index] = 0 }
        }
        for tap in 0..<old.count / (rows * columns) {
            for row in 0..<rows {
                let (from, to) = ((tap * rows + row) * columns, (tap * allRows + row) * allColumns)
                all.replaceSubrange(to..<to + columns, with: old[from..<from + columns])
            }
        }
        return HostArray(all, shape: start.shape)
    }
}
