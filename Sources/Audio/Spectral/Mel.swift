public import Tensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What ``MelFilterBank`` is, as a graph.
public struct MelWeights: Sendable {
    public let sampleRate: Int
    public let fftLength: Int
    public let bandCount: Int
    public let lowest: Double
    public let highest: Double

    /// - Parameters:
    ///   - lowest: the lower edge of the first band in Hz.
    ///   - highest: the upper edge of the last band in Hz; half the sample rate by default.
    public init(sampleRate: Int, fftLength: Int, bandCount: Int, lowest: Double = 0, highest: Double? = nil) {
        self.sampleRate = sampleRate
        self.fftLength = fftLength
        self.bandCount = bandCount
        self.lowest = lowest
        self.highest = highest ?? Double(sampleRate) / 2
    }

    private var edges: [Double] { MelScale.edges(bands: bandCount, from: lowest, to: highest) }

    /// Where each band ends, in Hz.
    public var upperEdges: [Double] { Array(edges.dropFirst(2)) }

    /// `[frequencies, bands]`, computed by the graph from the band edges: written out, the weights would swell the program.
    public func weights(_ dtype: DType) -> Tensor {
        let edges = edges
        func row(_ value: (Int) -> Double) -> Tensor { .constant((0..<bandCount).map(value), dtype) }
        let frequencies =
            Tensor.range(fftLength / 2 + 1, dtype).expanded(at: 1) * (Double(sampleRate) / Double(fftLength))
        let rising = (frequencies - row { edges[$0] }) / row { edges[$0 + 1] - edges[$0] }
        let falling = (row { edges[$0 + 2] } - frequencies) / row { edges[$0 + 2] - edges[$0 + 1] }
        return maximum(minimum(rising, falling), 0) * row { 2 / (edges[$0 + 2] - edges[$0]) }
    }
}

/// A mel spectrogram, as a graph.
public struct MelSpectrogram: Sendable {
    public let stft: STFT
    public let filterbank: MelWeights

    /// - Parameters:
    ///   - hop: samples from one window to the next; a quarter of `fftLength` unless given.
    ///   - lowest, highest: of the bands, in Hz; up to half of `sampleRate` unless given.
    public init(
        sampleRate: Int, fftLength: Int, hop: Int? = nil, bandCount: Int, lowest: Double = 0, highest: Double? = nil,
        padding: STFT.Padding = .reflect
    ) {
        stft = STFT(length: fftLength, hop: hop, padding: padding)
        filterbank = MelWeights(
            sampleRate: sampleRate, fftLength: fftLength, bandCount: bandCount, lowest: lowest, highest: highest)
    }

    /// `x: [batch, samples]` → band energies `[batch, frames, bands]` of the magnitude (exponent 1) or power (2) spectrum.
    public func callAsFunction(_ x: Tensor, exponent: Int = 1) -> Tensor {
        precondition(exponent == 1 || exponent == 2, "a mel spectrogram of exponent \(exponent)")
        let spectrum = exponent == 1 ? stft.magnitude(x) : stft(x).power
        return matmul(spectrum, filterbank.weights(x.dtype))
    }

    /// The mean band energy, at exponent 1, of white noise of so many dB of full scale (RMS): filters are of unit area in Hz.
    public func noiseEnergy(decibels: Double) -> Double {
        stft.noiseMagnitude(decibels: decibels) * Double(stft.length) / Double(filterbank.sampleRate)
    }

    /// Logarithm to base 10 of the band energies, floored at `floor`.
    public func logarithmic(_ x: Tensor, exponent: Int = 1, floor: Double = 1e-5) -> Tensor {
        maximum(self(x, exponent: exponent), floor).log() * (1 / log(10))
    }
}
