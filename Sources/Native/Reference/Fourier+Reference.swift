public import Tensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Fourier: ReferencePrimitive {
    public func evaluate(_ inputs: [HostArray], results: [TensorType]) throws(EvaluationError) -> [HostArray] {
        let (inputBins, outputBins) = (inputs[0].shape.last ?? 0, results[0].shape.last ?? 0)
        let real = inputs[0].doubles
        let imaginary = inputs.count > 1 ? inputs[1].doubles : [Double](repeating: 0, count: real.count)
        let transform = MixedRadixTransform(length: length, inverse: kind == .inverse || kind == .realInverse)
        var outputs = (real: [Double](), imaginary: [Double]())
        for row in 0..<results[0].shape.dropLast().reduce(1, *) {
            let bins = row * inputBins..<(row + 1) * inputBins
            var x = (real: Array(real[bins]), imaginary: Array(imaginary[bins]))
            if kind == .realInverse { x = hermitian(x) }
            let y = transform(x.real, x.imaginary)
            outputs.real += y.real.prefix(outputBins)
            outputs.imaginary += y.imaginary.prefix(outputBins)
        }
        return zip(results, [outputs.real, outputs.imaginary]).map { HostArray($1, as: $0.dtype, shape: $0.shape) }
    }

    /// The whole spectrum of a real signal; at the edge frequencies it has no imaginary part, so what is given is ignored.
    private func hermitian(_ half: (real: [Double], imaginary: [Double])) -> (real: [Double], imaginary: [Double]) {
        var whole = (real: [Double](), imaginary: [Double]())
        for bin in 0..<length {
            let mirrored = length - bin
            whole.real.append(half.real[Swift.min(bin, mirrored)])
            let isEdge = bin == 0 || bin == mirrored
            whole.imaginary.append(isEdge ? 0 : bin < mirrored ? half.imaginary[bin] : -half.imaginary[mirrored])
        }
        return whole
    }
}

/// A Fourier transform of any length, split by the prime factors of the length (Cooley and Tukey, "An Algorithm for the
/// Machine Calculation of Complex Fourier Series", 1965): a prime length is summed directly.
private struct MixedRadixTransform {
    let length: Int
    let inverse: Bool
    /// `exp(∓2πi·k / length)`.
    let cosines: [Double]
    let sines: [Double]

    private typealias Source = (real: UnsafePointer<Double>, imaginary: UnsafePointer<Double>)
    private typealias Target = (real: UnsafeMutablePointer<Double>, imaginary: UnsafeMutablePointer<Double>)

    init(length: Int, inverse: Bool) {
        self.length = length
        self.inverse = inverse
        let angles = (0..<length).map { (inverse ? 2 : -2) * Double.pi * Double($0) / Double(length) }
        cosines = angles.map { cos($0) }
        sines = angles.map { sin($0) }
    }

    func callAsFunction(_ real: [Double], _ imaginary: [Double]) -> (real: [Double], imaginary: [Double]) {
        var result = (real: real, imaginary: imaginary)
        // As many as the largest factor can be.
        var scratch = [Double](repeating: 0, count: 2 * length)
        real.withUnsafeBufferPointer { real in
            imaginary.withUnsafeBufferPointer { imaginary in
                result.real.withUnsafeMutableBufferPointer { targetReal in
                    result.imaginary.withUnsafeMutableBufferPointer { targetImaginary in
                        scratch.withUnsafeMutableBufferPointer { scratch in
                            transform(
                                (real.baseAddress!, imaginary.baseAddress!), stride: 1, count: length,
                                into: (targetReal.baseAddress!, targetImaginary.baseAddress!),
                                scratch: (scratch.baseAddress!, scratch.baseAddress! + length))
                        }
                    }
                }
            }
        }
        guard inverse else { return result }
        return (result.real.map { $0 / Double(length) }, result.imaginary.map { $0 / Double(length) })
    }

    /// The transform of `count` elements that lie `stride` apart.
    private func transform(_ source: Source, stride: Int, count: Int, into target: Target, scratch: Target) {
        if count == 1 {
            (target.real[0], target.imaginary[0]) = (source.real[0], source.imaginary[0])
            return
        }
        let factor = (2...count).first { count % $0 == 0 }!
        let part = count / factor
        for index in 0..<factor {
            transform(
                (source.real + index * stride, source.imaginary + index * stride), stride: stride * factor, count: part,
                into: (target.real + index * part, target.imaginary + index * part), scratch: scratch)
        }
        cosines.withUnsafeBufferPointer { cosines in
            sines.withUnsafeBufferPointer { sines in
                combine(
                    target, factor, part, rootStride: length / count, (cosines.baseAddress!, sines.baseAddress!),
                    scratch)
            }
        }
    }

    /// Turns the `factor` spectra of length `part` in `target` into one: bin `m = k + q·part` is
    /// `Σⱼ exp(∓2πi·j·m / count) · spectrumⱼ[k]`.
    private func combine(
        _ target: Target, _ factor: Int, _ part: Int, rootStride: Int, _ roots: Source, _ scratch: Target
    ) {
        let count = factor * part
        var bin = 0
        while bin < part {
            var index = 0
            while index < factor {
                scratch.real[index] = target.real[index * part + bin]
                scratch.imaginary[index] = target.imaginary[index * part + bin]
                index += 1
            }
            var output = bin
            while output < count {
                var (real, imaginary) = (scratch.real[0], scratch.imaginary[0])
                index = 1
                while index < factor {
                    let root = index * output % count * rootStride
                    let (cosine, sine) = (roots.real[root], roots.imaginary[root])
                    real += scratch.real[index] * cosine - scratch.imaginary[index] * sine
                    imaginary += scratch.real[index] * sine + scratch.imaginary[index] * cosine
                    index += 1
                }
                (target.real[output], target.imaginary[output]) = (real, imaginary)
                output += part
            }
            bin += 1
        }
    }
}
