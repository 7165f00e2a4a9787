/// Between the integers that a model computes with, one for a VQ and one for each bit of a BSQ, and whole codes.
extension Alpha.Configuration {
    /// The layout of this model's token files.
    public var tokenLayout: TokenLayout {
        get throws(TokenLayoutError) {
            try TokenLayout(
                quantizer.map { level in
                    switch level.kind {
                    case .vq: .vq(codebookSize: level.codebookSize ?? 0)
                    case .bsq: .bsq(bits: level.bits ?? 0)
                    }
                })
        }
    }

    /// How many integers a model computes with for one frame.
    public var codeWidth: Int { quantizer.reduce(0) { $0 + ($1.kind == .vq ? 1 : $1.bits ?? 0) } }

    /// i32 `[frames, codeWidth]`, row-major → whole codes; the first bit of a BSQ is the lowest.
    public func tokens(_ columns: [Int32]) -> TokenFrames {
        var codes: [UInt64] = []
        codes.reserveCapacity(columns.count / max(1, codeWidth) * quantizer.count)
        var place = 0
        while place < columns.count {
            for level in quantizer {
                switch level.kind {
                case .vq:
                    codes.append(UInt64(UInt32(bitPattern: columns[place])))
                    place += 1
                case .bsq:
                    let bits = columns[place..<place + (level.bits ?? 0)]
                    codes.append(bits.reversed().reduce(0) { $0 << 1 | ($1 != 0 ? 1 : 0) })
                    place += bits.count
                }
            }
        }
        return TokenFrames(codes: codes, levelCount: quantizer.count)
    }

    /// The opposite of `tokens`.
    public func columns(_ frames: TokenFrames) -> [Int32] {
        var columns: [Int32] = []
        columns.reserveCapacity(frames.count * codeWidth)
        for (index, code) in frames.codes.enumerated() {
            let level = quantizer[index % quantizer.count]
            switch level.kind {
            case .vq: columns.append(Int32(truncatingIfNeeded: code))
            case .bsq: for bit in 0..<(level.bits ?? 0) { columns.append(Int32(code >> UInt64(bit) & 1)) }
            }
        }
        return columns
    }
}
