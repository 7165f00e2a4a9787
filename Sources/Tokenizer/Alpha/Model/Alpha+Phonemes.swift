import NN
public import Phonemes
public import Tensor

extension Alpha {
    /// What reads the tokens of level 1 as phonemes; `nil` where that stands for nothing in particular.
    ///
    /// - Parameter value: gives a parameter by its name; a codebook of level 1 is all that is asked for.
    public func phonemeReader(_ value: (String) throws -> HostArray) rethrows -> PhonemeReader? {
        guard let inventory = configuration.phonemes else { return nil }
        return PhonemeReader(
            inventory, entries: try levelOneEntries(value, count: inventory.count), frameRate: configuration.frameRate,
            delay: configuration.phonemeDelay ?? 0)
    }

    /// `[entries][dimension]`.
    private func levelOneEntries(_ value: (String) throws -> HostArray, count: Int) rethrows -> [[Double]] {
        guard let level = quantizer.levels[0] as? VectorQuantizer else {
            // The corners of a BSQ; the first bit is the lowest.
            let bits = configuration.quantizer[0].bits ?? 0
            return (0..<count).map { code in (0..<bits).map { code >> $0 & 1 == 1 ? 1 : -1 } }
        }
        let name = parameters.first { $0.value.tensor.key == level.codebook.tensor.key }!.key
        let (values, dimension) = (try value(name).doubles, level.codebook.shape[1])
        return (0..<count).map { Array(values[$0 * dimension..<($0 + 1) * dimension]) }
    }
}

extension ModelFile {
    /// What reads the tokens of the model's level 1 as phonemes; `nil` where that stands for nothing in particular.
    public var phonemeReader: PhonemeReader? { model.phonemeReader { arrays[$0]! } }
}
