import Codec
import TestSupport
import Tokenizer

/// Positive pieces that add up to `total`, many of them single.
func pieces(of total: Int, seed: UInt64) -> [Int] {
    var random = TestRandom(seed: seed)
    var pieces: [Int] = []
    var left = total
    while left > 0 {
        let scale = random.next()
        let piece = min(left, scale < -0.5 ? 1 : scale < 0.5 ? 1 + Int((random.next() + 1) * 40) : 700)
        pieces.append(piece)
        left -= piece
    }
    return pieces
}

extension SpeechCodec {
    func tokens(_ samples: [Float]) throws -> TokenFrames {
        var encoder = try makeEncoder()
        var tokens = try encoder.push(samples)
        tokens.append(try encoder.finish())
        return tokens
    }

    func samples(_ tokens: TokenFrames) throws -> [Float] {
        var decoder = try makeDecoder()
        return try decoder.push(tokens) + decoder.finish()
    }
}
