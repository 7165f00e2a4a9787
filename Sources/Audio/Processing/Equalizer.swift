#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A filter of two poles and two zeros, made of an analogue prototype (Bristow-Johnson, "Cookbook formulae for audio equalizer
/// biquad filter coefficients").
public struct Biquad: Sendable {
    /// What changes, and at what frequency in Hz.
    public enum Shape: Hashable, Sendable {
        /// Everything below.
        case lowShelf(Double)
        /// What is around it, within about an octave either way.
        case peak(Double)
        /// Everything above.
        case highShelf(Double)
    }

    private let feedback: (Double, Double)
    private let feedforward: (Double, Double, Double)

    /// - Parameters:
    ///   - gain: in dB, reached at the centre of a peak and far into a shelf, whose corner has half of it.
    ///   - sampleRate: in Hz.
    /// - Precondition: the frequency is between 0 and half the rate.
    public init(_ shape: Shape, gain: Double, sampleRate: Int) {
        let a = pow(10, gain / 40)
        let frequency = shape.frequency
        precondition(
            frequency > 0 && frequency < Double(sampleRate) / 2, "a filter at \(frequency) Hz of \(sampleRate)")
        let angle = 2 * Double.pi * frequency / Double(sampleRate)
        let cosine = cos(angle)
        // Q = 1/√2, the steepest shelf without a ripple.
        let alpha = sin(angle) / 2.0.squareRoot()
        let b: (Double, Double, Double)
        let d: (Double, Double, Double)
        switch shape {
        case .peak:
            b = (1 + alpha * a, -2 * cosine, 1 - alpha * a)
            d = (1 + alpha / a, -2 * cosine, 1 - alpha / a)
        case .lowShelf, .highShelf:
            // A high shelf is a low one of the mirrored spectrum.
            let side: Double = if case .lowShelf = shape { 1 } else { -1 }
            let c = side * cosine
            let slope = 2 * a.squareRoot() * alpha
            b = (
                a * (a + 1 - (a - 1) * c + slope), side * 2 * a * (a - 1 - (a + 1) * c),
                a * (a + 1 - (a - 1) * c - slope)
            )
            d = (a + 1 + (a - 1) * c + slope, side * -2 * (a - 1 + (a + 1) * c), a + 1 + (a - 1) * c - slope)
        }
        feedforward = (b.0 / d.0, b.1 / d.0, b.2 / d.0)
        feedback = (d.1 / d.0, d.2 / d.0)
    }

    /// Filters in place, from silence on.
    func callAsFunction(_ samples: inout [Float]) {
        var (first, second) = (0.0, 0.0)
        for index in samples.indices {
            let x = Double(samples[index])
            let y = feedforward.0 * x + first
            first = feedforward.1 * x - feedback.0 * y + second
            second = feedforward.2 * x - feedback.1 * y
            samples[index] = Float(y)
        }
    }
}

extension Biquad.Shape {
    fileprivate var frequency: Double {
        switch self {
        case .lowShelf(let frequency), .peak(let frequency), .highShelf(let frequency): frequency
        }
    }
}

extension Waveform {
    /// The same sound as another microphone in another room might have coloured it.
    public func filtered(by filters: [Biquad]) -> Waveform {
        var samples = samples
        for filter in filters { filter(&samples) }
        return Waveform(samples: samples, sampleRate: sampleRate)
    }
}
