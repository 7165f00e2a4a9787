import Audio
import Codec
import Foundation
import NN
import Tensor
import TestSupport
import Tokenizer

/// A model with every kind of layer, small enough for debug builds.
func smallModel() throws -> Alpha {
    var configuration = Alpha.Configuration.alphaTiny
    configuration.width = 4
    configuration.latentDimension = 32
    configuration.strides = [2, 3, 4]
    configuration.transformer = .init(layers: 2, heads: 2, window: 5)
    configuration.quantizer = [.vq(codebookSize: 16), .bsq(bits: 7)]
    return try Alpha(configuration)
}

/// Weights of about the size that a fresh model has.
func weights(of model: Alpha, seed: UInt64 = 1) -> [String: HostArray] {
    var random = TestRandom(seed: seed)
    var values: [String: HostArray] = [:]
    for (path, parameter) in model.parameters.sorted(by: { $0.key < $1.key }) {
        let shape = parameter.shape
        let inputs = max(1, shape.dimensions.dropLast().reduce(1, *))
        var bound = shape.rank == 1 ? 0.05 : 1.7 / Double(inputs).squareRoot()
        // Branches of a residual network start small, or activations grow from unit to unit.
        if path.hasSuffix("pointwise.weight") { bound *= 0.2 }
        if path.hasSuffix("Scale.scale") { bound = 0.1 }
        let isFactor = path.hasSuffix("alpha") || path.hasSuffix("Norm.scale")
        values[path] = random.array(
            shape, .f32, low: isFactor ? 0.5 : -bound, high: isFactor ? 1.5 : bound)
    }
    return values
}

/// Sound with something of everything: tones, noise and silence.
func sound(_ count: Int, seed: UInt64) -> [Float] {
    var random = TestRandom(seed: seed)
    return (0..<count).map { index in
        let time = Double(index) / 24000
        let pitch = 120 + 15 * Double(seed % 16)
        let tone = 0.3 * sin(2 * .pi * pitch * time) + 0.1 * sin(2 * .pi * 17 * pitch * time)
        return Float(index % 1000 < 100 ? 0 : tone + 0.2 * random.next())
    }
}

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
