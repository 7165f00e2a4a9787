public import Tensor

/// How a parameter starts: a graph of a random key and a shape. The distributions are Flax's, and from equal keys come
/// equal numbers.
public struct Initializer: Sendable {
    private let make: @Sendable (RandomKey, Shape) -> Tensor

    /// - Parameter make: returns an f32 tensor of the shape it is given.
    public init(_ make: @escaping @Sendable (RandomKey, Shape) -> Tensor) { self.make = make }

    /// f32 of `shape`.
    public func callAsFunction(_ key: RandomKey, _ shape: Shape) -> Tensor { make(key, shape) }

    public static let zeros = constant(0)
    public static let ones = constant(1)

    public static func constant(_ value: Double) -> Initializer {
        Initializer { _, shape in Tensor.full(value, TensorType(.f32, shape)) }
    }

    public static func normal(_ deviation: Double) -> Initializer {
        Initializer { key, shape in key.normal(shape) * deviation }
    }

    /// Normal with everything beyond two deviations drawn again; `deviation` is that of the normal before the cut.
    public static func truncatedNormal(_ deviation: Double) -> Initializer {
        Initializer { key, shape in unitTruncatedNormal(key, shape) * deviation }
    }

    /// Uniform in `low ..< high`.
    public static func uniform(_ low: Double, _ high: Double) -> Initializer {
        Initializer { key, shape in key.uniform(shape, low: low, high: high) }
    }

    /// Which count of a kernel's connections the variance is divided by.
    public enum Fan: Sendable, Hashable { case input, output, average }
    public enum Distribution: Sendable, Hashable { case normal, truncatedNormal, uniform }

    /// Zero mean and variance `scale / fan`, for kernels `[space…, input, output]`.
    public static func varianceScaling(
        _ scale: Double, _ fan: Fan, _ distribution: Distribution
    ) -> Initializer {
        Initializer { key, shape in
            let variance = scale / max(1, fan.count(shape))
            switch distribution {
            case .normal: return key.normal(shape) * variance.squareRoot()
            case .truncatedNormal:
                return unitTruncatedNormal(key, shape) * (variance.squareRoot() / truncatedDeviation)
            case .uniform:
                let limit = (3 * variance).squareRoot()
                return key.uniform(shape, low: -1, high: 1) * limit
            }
        }
    }

    /// Keeps the variance of what flows forward (LeCun et al., "Efficient BackProp", 1998).
    public static let lecunNormal = varianceScaling(1, .input, .truncatedNormal)
    /// A compromise between forward and backward (Glorot and Bengio, 2010); also called Xavier.
    public static let glorotUniform = varianceScaling(1, .average, .uniform)
    public static let glorotNormal = varianceScaling(1, .average, .truncatedNormal)
    /// Keeps the variance through rectifiers (He et al., 2015).
    public static let heNormal = varianceScaling(2, .input, .truncatedNormal)
}

extension Initializer.Fan {
    fileprivate func count(_ shape: Shape) -> Double {
        guard shape.rank >= 2 else { return Double(shape.elementCount) }
        let input = Double(shape.dimensions.dropLast().reduce(1, *))
        let output = Double(shape.elementCount / max(1, shape[shape.rank - 2]))
        switch self {
        case .input: return input
        case .output: return output
        case .average: return (input + output) / 2
        }
    }
}

/// The deviation of a standard normal cut at ±2.
private let truncatedDeviation = 0.87962566103423978

/// The inverse of the distribution function between ±2.
private func unitTruncatedNormal(_ key: RandomKey, _ shape: Shape) -> Tensor {
    let edge = 0.95449973610364158  // erf(√2)
    let unit = key.uniform(shape, low: -edge, high: edge).inverseErrorFunction() * 2.0.squareRoot()
    return unit.clamped(-2, 2)
}
