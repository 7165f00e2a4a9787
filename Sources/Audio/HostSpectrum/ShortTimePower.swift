#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Power spectra of successive frames of a signal, in double precision on the host.
///
/// As `librosa.stft(center=True, pad_mode="constant")`: frame t is centred on sample t·hop, zeros stand outside the
/// signal, and the window is a periodic Hann of `fftSize`.
public struct ShortTimePower: Sendable {
    public let fftSize: Int
    public let hop: Int
    private let fft: RealFFT
    let window: [Double]

    /// - Precondition: `fftSize` is a power of two of at least 4, and `hop` is positive.
    public init(fftSize: Int, hop: Int) {
        precondition(hop > 0, "a hop of \(hop) samples goes nowhere")
        self.fftSize = fftSize
        self.hop = hop
        fft = RealFFT(count: fftSize)
        window = (0..<fftSize).map { 0.5 - 0.5 * cos(2 * .pi * Double($0) / Double(fftSize)) }
    }

    public func frameCount(sampleCount: Int) -> Int { 1 + sampleCount / hop }

    /// |X[k]|² of frame `index`, for k in 0...fftSize/2.
    public func frame(_ index: Int, of samples: [Float]) -> [Double] { fft.power(windowed(index, of: samples)) }

    /// What the spectrum of frame `index` is made of.
    func windowed(_ index: Int, of samples: [Float]) -> [Double] {
        let start = index * hop - fftSize / 2
        return (0..<fftSize).map {
            let position = start + $0
            return samples.indices.contains(position) ? window[$0] * Double(samples[position]) : 0
        }
    }
}
