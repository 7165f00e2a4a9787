#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The bands in which an ear adds up power, as bins of a transform, from 60 Hz to 8 kHz; and how loud in them a sound is heard.
///
/// Bands are 0.4 Bark wide and a bin at least, which is more below some 400 Hz. Loudness is Zwicker's (Zwicker and Fastl, "Psychoacoustics", 1990) over
/// Terhardt's threshold of hearing (1979), as in PESQ (ITU-T P.862).
public struct HearingBands: Sendable {
    /// Of the transform, in samples.
    public let fftLength: Int
    /// Of each band.
    public let bins: [Range<Int>]
    /// Of each band, in Bark.
    public let widths: [Double]
    /// Where each band ends, in Hz.
    public let upperEdges: [Double]
    /// The intensity below which nothing is heard in a band; that of 0 dB SPL is 1.
    public let thresholds: [Double]
    /// The loudness in sone per Bark of what is heard in a band is `sones[band] · ((1 + intensity / thresholds[band]) / 2)^exponent`, less that at
    /// the threshold.
    public let sones: [Double]

    public static let exponent = 0.23
    /// In Hz.
    private static let range = 60.0...8000.0
    /// In Bark.
    private static let width = 0.4
    /// The highest threshold, in dB SPL: it is steep where bands are lowest.
    private static let highest = 60.0

    public init(sampleRate: Int, fftLength: Int) {
        self.fftLength = fftLength
        let bin = Double(sampleRate) / Double(fftLength)
        let end = min(Int(Self.range.upperBound / bin), fftLength / 2 + 1)
        var edges = [Int((Self.range.lowerBound / bin).rounded())]
        while let last = edges.last, last < end {
            let next = Self.hertz(bark: Self.bark(hertz: Double(last) * bin) + Self.width) / bin
            edges.append(min(end, max(last + 1, Int(next.rounded()))))
        }
        bins = zip(edges, edges.dropFirst()).map { $0..<$1 }
        upperEdges = bins.map { Double($0.upperBound) * bin }
        widths = bins.map {
            Self.bark(hertz: Double($0.upperBound) * bin) - Self.bark(hertz: Double($0.lowerBound) * bin)
        }
        thresholds = bins.map { bins in
            let f = Double(bins.lowerBound + bins.upperBound - 1) / 2 * bin / 1000
            let decibels = 3.64 * pow(f, -0.8) - 6.5 * exp(-0.6 * (f - 3.3) * (f - 3.3)) + 1e-3 * pow(f, 4)
            return pow(10, min(Self.highest, decibels) / 10)
        }
        sones = thresholds.map { 0.187 * pow(2 * $0, Self.exponent) }
    }

    /// In sone per Bark; none below the threshold.
    public func loudness(_ intensity: Double, band: Int) -> Double {
        sones[band] * (pow(0.5 + 0.5 * max(1, intensity / thresholds[band]), Self.exponent) - 1)
    }

    /// Schroeder's.
    private static func bark(hertz: Double) -> Double { 7 * asinh(hertz / 650) }
    private static func hertz(bark: Double) -> Double { 650 * sinh(bark / 7) }
}
