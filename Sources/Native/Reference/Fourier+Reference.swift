internal import Foundation
public import Tensor

extension Fourier: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        let bins = inputs[0].shape.last ?? 0
        let real = inputs[0].doubles
        let imaginary = inputs.count > 1 ? inputs[1].doubles : [Double](repeating: 0, count: real.count)
        let transform = MixedRadixTransform(length: length, inverse: kind == .inverse || kind == .realInverse)
        let outputBins = results[0].shape.last ?? 0
        var parts = (real: [Double](), imaginary: [Double]())
        for row in 0..<results[0].shape.dropLast().reduce(1, *) {
            var x = (row * bins..<(row + 1) * bins).map { Complex(real[$0], imaginary[$0]) }
            if kind == .realInverse { x = hermitian(x) }
            for y in transform(x).prefix(outputBins) {
                parts.real.append(y.real)
                parts.imaginary.append(y.imaginary)
            }
        }
        return zip(results, [parts.real, parts.imaginary]).map { HostArray($1, as: $0.dtype, shape: $0.shape) }
    }

    /// The whole spectrum of a real signal; the imaginary parts of the edge frequencies cannot be, and are ignored.
    private func hermitian(_ half: [Complex]) -> [Complex] {
        (0..<length).map { bin in
            let mirrored = length - bin
            if bin == 0 || bin == mirrored { return Complex(half[bin].real, 0) }
            return bin < mirrored ? half[bin] : Complex(half[mirrored].real, -half[mirrored].imaginary)
        }
    }
}

private struct Complex {
    var real: Double
    var imaginary: Double
    init(_ real: Double, _ imaginary: Double) { (self.real, self.imaginary) = (real, imaginary) }

    static func + (x: Complex, y: Complex) -> Complex { Complex(x.real + y.real, x.imaginary + y.imaginary) }
    static func * (x: Complex, y: Complex) -> Complex {
        Complex(x.real * y.real - x.imaginary * y.imaginary, x.real * y.imaginary + x.imaginary * y.real)
    }
}

/// A Fourier transform of any length, split by the prime factors of the length (Cooley and Tukey, "An Algorithm for the
/// Machine Calculation of Complex Fourier Series", 1965): a prime length is summed directly.
private struct MixedRadixTransform {
    let length: Int
    let inverse: Bool
    /// `exp(∓2πi·k / length)`.
    let roots: [Complex]

    init(length: Int, inverse: Bool) {
        self.length = length
        self.inverse = inverse
        roots = (0..<length).map {
            let angle = 2 * Double.pi * Double($0) / Double(length)
            return Complex(cos(angle), inverse ? sin(angle) : -sin(angle))
        }
    }

    func callAsFunction(_ x: [Complex]) -> [Complex] {
        let y = transformed(x[...], stride: 1, count: length)
        return inverse ? y.map { Complex($0.real / Double(length), $0.imaginary / Double(length)) } : y
    }

    /// The transform of the `count` elements `stride` apart.
    private func transformed(_ x: ArraySlice<Complex>, stride: Int, count: Int) -> [Complex] {
        if count == 1 { return [x[x.startIndex]] }
        let factor = (2...count).first { count % $0 == 0 }!
        let part = count / factor
        let parts = (0..<factor).map {
            transformed(x[(x.startIndex + $0 * stride)...], stride: stride * factor, count: part)
        }
        return (0..<count).map { bin in
            var sum = Complex(0, 0)
            for (index, spectrum) in parts.enumerated() {
                sum = sum + spectrum[bin % part] * roots[index * bin % count * (length / count)]
            }
            return sum
        }
    }
}
