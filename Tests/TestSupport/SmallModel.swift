import Foundation
import NN
public import Tensor
public import Tokenizer

/// A model with every kind of layer, small enough for debug builds.
public func smallModel() throws -> Alpha {
    var configuration = Alpha.Configuration.alphaTiny
    configuration.width = 4
    configuration.latentDimension = 32
    configuration.strides = [2, 3, 4]
    configuration.transformer = .init(layers: 2, heads: 2, window: 5)
    configuration.quantizer = [.vq(codebookSize: 16), .bsq(bits: 7)]
    return try Alpha(configuration)
}

/// Weights of about the size that a fresh model has.
public func weights(of model: Alpha, seed: UInt64 = 1) -> [String: HostArray] {
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
public func sound(_ count: Int, seed: UInt64) -> [Float] {
    var random = TestRandom(seed: seed)
    return (0..<count).map { index in
        let time = Double(index) / 24000
        let pitch = 120 + 15 * Double(seed % 16)
        let tone = 0.3 * sin(2 * .pi * pitch * time) + 0.1 * sin(2 * .pi * 17 * pitch * time)
        return Float(index % 1000 < 100 ? 0 : tone + 0.2 * random.next())
    }
}
