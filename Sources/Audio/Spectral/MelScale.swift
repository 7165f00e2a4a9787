#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The mel scale of Slaney's Auditory Toolbox (1998), librosa's default: linear below 1 kHz, logarithmic above, by 27 steps to
/// a factor of 6.4.
enum MelScale {
    static func mel(_ hertz: Double) -> Double {
        hertz < 1000 ? hertz * 3 / 200 : 15 + log(hertz / 1000) * 27 / log(6.4)
    }

    static func hertz(_ mel: Double) -> Double {
        mel < 15 ? mel * 200 / 3 : 1000 * exp((mel - 15) * log(6.4) / 27)
    }

    /// The edges, in Hz, of bands that overlap by half: band `b` rises from edge `b`, peaks at `b + 1` and ends at `b + 2`.
    static func edges(bands: Int, from lowest: Double, to highest: Double) -> [Double] {
        let low = mel(lowest)
        let step = (mel(highest) - low) / Double(bands + 1)
        return (0..<bands + 2).map { hertz(low + step * Double($0)) }
    }
}
