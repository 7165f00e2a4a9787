#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Octave's `resample`: a Kaiser-windowed sinc with 60 dB of rejection, in double precision.
///
/// Its pass band is part of how STOI is defined in practice; everything else resamples with soxr.
struct OctaveResampler {
    private let up: Int
    private let down: Int
    /// The filter's right half, from its centre; the left half is its mirror image.
    private let halfFilter: [Double]

    init(from inputRate: Int, to outputRate: Int) {
        var (a, b) = (inputRate, outputRate)
        while b != 0 { (a, b) = (b, a % b) }
        up = outputRate / a
        down = inputRate / a
        guard up != down else {
            halfFilter = [1]
            return
        }
        let rejection = 60.0
        let cutoff = 1 / Double(2 * max(up, down))
        // Kaiser's formulas for the length and the shape of a filter of this rejection and a roll-off of cutoff / 10.
        let length = ((rejection - 8) / (28.714 * cutoff / 10)).rounded(.up)
        let shape = 0.1102 * (rejection - 8.7)
        let half = (0...Int(length)).map { tap in
            let position = Double(tap)
            let angle = 2 * .pi * cutoff * position
            let sinc = tap == 0 ? 1 : sin(angle) / angle
            let ratio = position / length
            return sinc * besselI0(shape * (1 - ratio * ratio).squareRoot()) / besselI0(shape)
        }
        let sum = 2 * half.reduce(0, +) - half[0]
        let gain = Double(up) / sum
        halfFilter = half.map { $0 * gain }
    }

    /// ⌈count · up / down⌉ samples, not delayed.
    func callAsFunction(_ samples: [Float]) -> [Double] {
        guard up != down else { return samples.map(Double.init) }
        let reach = halfFilter.count - 1
        return (0..<((samples.count * up + down - 1) / down)).map { output in
            // Output m stands at m·down on the grid where input n stands at n·up.
            let position = output * down
            let first = max(0, (position - reach + up - 1) / up)
            let last = min(samples.count - 1, (position + reach) / up)
            var sum = 0.0
            for input in stride(from: first, through: last, by: 1) {
                sum += Double(samples[input]) * halfFilter[abs(position - input * up)]
            }
            return sum
        }
    }
}

/// The modified Bessel function of the first kind and order zero, by its power series.
private func besselI0(_ x: Double) -> Double {
    var term = 1.0
    var sum = 1.0
    var k = 1.0
    while term > sum * 1e-17 {
        term *= (x / (2 * k)) * (x / (2 * k))
        sum += term
        k += 1
    }
    return sum
}
