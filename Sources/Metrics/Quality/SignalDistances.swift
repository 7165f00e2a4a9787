public import Audio

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension SpeechQuality {
    /// Scale-invariant signal-to-distortion ratio in dB, higher is better (Le Roux et al., "SDR: half-baked or well
    /// done?", 2019); the means are not removed. A multiple of the reference gives infinity, and silence minus infinity.
    ///
    /// It compares waveforms, so a codec that rebuilds speech with other phases scores low however good it sounds.
    ///
    /// - Throws: ``Mismatch``.
    public static func scaleInvariantSDR(reference: Waveform, degraded: Waveform) throws -> Double {
        try requireComparable(reference, degraded)
        var energy = 0.0
        var product = 0.0
        for (target, estimate) in zip(reference.samples, degraded.samples) {
            energy += Double(target) * Double(target)
            product += Double(target) * Double(estimate)
        }
        guard energy > 0 else { throw Mismatch.silentReference }
        guard product != 0 else { return -.infinity }
        let scale = product / energy
        var distortion = 0.0
        for (target, estimate) in zip(reference.samples, degraded.samples) {
            let difference = Double(estimate) - scale * Double(target)
            distortion += difference * difference
        }
        return 10 * log10(scale * scale * energy / distortion)
    }

    /// The mean absolute difference of log₁₀ mel magnitudes, 0 for equal signals.
    ///
    /// 80 Slaney bands up to half the rate, of magnitudes from a 1024-point periodic Hann window at a hop of 256,
    /// zero-padded at the ends, floored at 1e-5: the setting in which neural vocoders and codecs are usually compared.
    /// (Some papers use the natural logarithm: multiply by 2.303.) Compare figures of one sample rate only.
    ///
    /// - Throws: ``Mismatch``.
    public static func melDistance(reference: Waveform, degraded: Waveform) throws -> Double {
        try requireComparable(reference, degraded)
        let analysis = ShortTimePower(fftSize: 1024, hop: 256)
        let bank = MelFilterBank(sampleRate: reference.sampleRate, fftSize: 1024, bands: 80)
        let frames = analysis.frameCount(sampleCount: reference.samples.count)
        func logMel(_ frame: Int, of samples: [Float]) -> [Double] {
            bank(analysis.frame(frame, of: samples).map { $0.squareRoot() }).map { log10(max($0, 1e-5)) }
        }
        var sum = 0.0
        for frame in 0..<frames {
            let pairs = zip(logMel(frame, of: reference.samples), logMel(frame, of: degraded.samples))
            for (target, estimate) in pairs { sum += abs(target - estimate) }
        }
        return sum / Double(frames * bank.bands)
    }

    /// Log-spectral distance: √(mean over frequency of (log₁₀ P − log₁₀ P̂)²), averaged over frames; 0 for equal signals.
    ///
    /// Power spectra from a 2048-point periodic Hann window at a hop of 512, zero-padded at the ends, floored at 1e-8
    /// (about the noise of 16 bits). Multiply by 10 for dB. Compare figures of one sample rate only.
    ///
    /// - Throws: ``Mismatch``.
    public static func logSpectralDistance(reference: Waveform, degraded: Waveform) throws -> Double {
        try requireComparable(reference, degraded)
        let analysis = ShortTimePower(fftSize: 2048, hop: 512)
        let frames = analysis.frameCount(sampleCount: reference.samples.count)
        func logPower(_ frame: Int, of samples: [Float]) -> [Double] {
            analysis.frame(frame, of: samples).map { log10(max($0, 1e-8)) }
        }
        var sum = 0.0
        for frame in 0..<frames {
            let target = logPower(frame, of: reference.samples)
            let squares = zip(target, logPower(frame, of: degraded.samples)).reduce(0.0) {
                $0 + ($1.0 - $1.1) * ($1.0 - $1.1)
            }
            sum += (squares / Double(target.count)).squareRoot()
        }
        return sum / Double(frames)
    }
}
