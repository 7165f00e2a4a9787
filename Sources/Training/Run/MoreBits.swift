import Tensor

extension HostArray {
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
}
