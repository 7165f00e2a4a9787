#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The discrete Fourier transform of real frames of one length, in double precision on the host.
///
/// For measurements and pictures; a model's spectra are graph operations.
public struct RealFFT: Sendable {
    /// The length of a frame: a power of two, at least 4.
    public let count: Int

    /// cos and sin of 2πk/count for k in 0..<count/2.
    private let cosines: [Double]
    private let sines: [Double]
    /// Where each element of the half-length complex transform goes before the butterflies.
    private let reversed: [Int]

    /// - Precondition: `count` is a power of two, at least 4.
    public init(count: Int) {
        precondition(count >= 4 && count & (count - 1) == 0, "\(count) is not a power of two of at least 4")
        self.count = count
        let half = count / 2
        cosines = (0..<half).map { cos(2 * .pi * Double($0) / Double(count)) }
        sines = (0..<half).map { sin(2 * .pi * Double($0) / Double(count)) }
        let bits = half.trailingZeroBitCount
        reversed = (0..<half).map { index in
            (0..<bits).reduce(0) { $0 | (index >> $1 & 1) << (bits - 1 - $1) }
        }
    }

    /// Σₙ frame[n]·exp(−2πikn/count) for k in 0...count/2.
    ///
    /// - Precondition: `frame` has `count` elements.
    public func transform(_ frame: [Double]) -> (real: [Double], imaginary: [Double]) {
        precondition(frame.count == count, "a frame of \(frame.count) was given to an FFT of \(count)")
        let half = count / 2
        // Even samples as the real part and odd ones as the imaginary part of one transform of half the length.
        var real = reversed.map { frame[2 * $0] }
        var imaginary = reversed.map { frame[2 * $0 + 1] }
        butterflies(&real, &imaginary)

        // Even/odd symmetry takes the two spectra apart; a twiddle puts them together as one of full length.
        var outReal = [Double](repeating: 0, count: half + 1)
        var outImaginary = outReal
        for k in 0...half {
            let (a, b) = (k % half, (half - k) % half)
            let (evenReal, evenImaginary) = ((real[a] + real[b]) / 2, (imaginary[a] - imaginary[b]) / 2)
            let (oddReal, oddImaginary) = ((imaginary[a] + imaginary[b]) / 2, (real[b] - real[a]) / 2)
            let (c, s) = k == half ? (-1, 0) : (cosines[k], sines[k])
            outReal[k] = evenReal + c * oddReal + s * oddImaginary
            outImaginary[k] = evenImaginary + c * oddImaginary - s * oddReal
        }
        return (outReal, outImaginary)
    }

    /// The real frame whose ``transform(_:)`` this is.
    ///
    /// - Precondition: both have elements for k in 0...count/2.
    public func inverse(_ real: [Double], _ imaginary: [Double]) -> [Double] {
        let half = count / 2
        precondition(
            real.count == half + 1 && imaginary.count == half + 1,
            "a spectrum of \(real.count) and \(imaginary.count) was given to an FFT of \(count)")
        // The sum of cosines and sines (Hartley) is its own inverse but for the count.
        let hartley = (0..<count).map { k in
            k <= half ? real[k] - imaginary[k] : real[count - k] + imaginary[count - k]
        }
        let (cosines, sines) = transform(hartley)
        return (0..<count).map { n in
            (n <= half ? cosines[n] - sines[n] : cosines[count - n] + sines[count - n]) / Double(count)
        }
    }

    /// |X[k]|² for k in 0...count/2.
    ///
    /// - Precondition: `frame` has `count` elements.
    public func power(_ frame: [Double]) -> [Double] {
        let (real, imaginary) = transform(frame)
        return zip(real, imaginary).map { $0 * $0 + $1 * $1 }
    }

    /// Radix-2 decimation in time, in place, on bit-reversed input.
    private func butterflies(_ real: inout [Double], _ imaginary: inout [Double]) {
        let half = count / 2
        real.withUnsafeMutableBufferPointer { real in
            imaginary.withUnsafeMutableBufferPointer { imaginary in
                var span = 1
                while span < half {
                    let step = half / span
                    for start in stride(from: 0, to: half, by: 2 * span) {
                        for offset in 0..<span {
                            let (c, s) = (cosines[offset * step], sines[offset * step])
                            let (upper, lower) = (start + offset, start + offset + span)
                            let rotatedReal = c * real[lower] + s * imaginary[lower]
                            let rotatedImaginary = c * imaginary[lower] - s * real[lower]
                            (real[lower], imaginary[lower]) = (
                                real[upper] - rotatedReal, imaginary[upper] - rotatedImaginary
                            )
                            (real[upper], imaginary[upper]) = (
                                real[upper] + rotatedReal, imaginary[upper] + rotatedImaginary
                            )
                        }
                    }
                    span *= 2
                }
            }
        }
    }
}
