/// Triangular filters at equal distances on Slaney's mel scale, each of unit area: `librosa.filters.mel`'s defaults.
public struct MelFilterBank: Sendable {
    public let sampleRate: Int
    public let fftSize: Int
    public let bands: Int
    /// The peak of each filter, in Hz, rising.
    public let centers: [Double]
    /// `[bands, fftSize / 2 + 1]`, row-major: what each bin of a spectrum adds to each band.
    public let weights: [Double]
    /// The bins where a band's weights are not zero.
    private let supports: [Range<Int>]

    /// Frequencies are in Hz; a nil maximum is half the sample rate.
    ///
    /// - Precondition: `bands` is positive and the frequencies rise from at least 0 to at most half the sample rate.
    public init(
        sampleRate: Int, fftSize: Int, bands: Int, minimumFrequency: Double = 0, maximumFrequency: Double? = nil
    ) {
        let nyquist = Double(sampleRate) / 2
        let maximum = maximumFrequency ?? nyquist
        precondition(
            bands > 0 && minimumFrequency >= 0 && minimumFrequency < maximum && maximum <= nyquist,
            "\(bands) bands from \(minimumFrequency) to \(maximum) Hz do not fit a rate of \(sampleRate) Hz")
        self.sampleRate = sampleRate
        self.fftSize = fftSize
        self.bands = bands
        let bins = fftSize / 2 + 1
        let edges = MelScale.edges(bands: bands, from: minimumFrequency, to: maximum)
        var weights: [Double] = []
        weights.reserveCapacity(bands * bins)
        var supports: [Range<Int>] = []
        for band in 0..<bands {
            let (lower, center, upper) = (edges[band], edges[band + 1], edges[band + 2])
            let row = (0..<bins).map { bin in
                let frequency = Double(bin) * Double(sampleRate) / Double(fftSize)
                let rise = (frequency - lower) / (center - lower)
                let fall = (upper - frequency) / (upper - center)
                return max(0, min(rise, fall)) * 2 / (upper - lower)
            }
            // A band narrower than a bin may have no weight at all.
            let first = row.firstIndex { $0 > 0 } ?? 0
            supports.append(first..<((row.lastIndex { $0 > 0 } ?? first - 1) + 1))
            weights += row
        }
        centers = Array(edges[1...bands])
        self.weights = weights
        self.supports = supports
    }

    /// The bands of one spectrum of `fftSize / 2 + 1` bins.
    public func callAsFunction(_ spectrum: [Double]) -> [Double] {
        let bins = fftSize / 2 + 1
        return supports.indices.map { band in
            supports[band].reduce(0) { $0 + weights[band * bins + $1] * spectrum[$1] }
        }
    }
}
