#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension Waveform {
    /// The highest frequency with sound in Hz, or nil where there is too little to tell.
    ///
    /// A file's rate says what it could hold; speech that was once sampled at 16 kHz ends at 8 kHz whatever it was resampled to.
    /// This is the highest frequency at which the average spectrum of the louder frames, smoothed over five bins, is within 65 dB
    /// of its peak.
    public var bandwidth: Double? {
        let size = 1024
        guard samples.count >= size else { return nil }
        // Enough frames for a stable average; long recordings are sampled evenly.
        let frames = samples.count / size
        let step = max(1, frames / 512)
        let starts = stride(from: 0, to: frames, by: step).map { $0 * size }
        let energies = starts.map { start in
            samples[start..<(start + size)].reduce(Float(0)) { $0 + $1 * $1 }
        }
        guard let loudest = energies.max(), loudest > 0 else { return nil }
        let fft = RealFFT(count: size)
        let window = (0..<size).map { 0.5 - 0.5 * cos(2 * .pi * Double($0) / Double(size - 1)) }
        var power = [Double](repeating: 0, count: size / 2 + 1)
        for (start, energy) in zip(starts, energies) where energy > loudest * 1e-3 {
            let frame = fft.power((0..<size).map { Double(samples[start + $0]) * window[$0] })
            for bin in power.indices { power[bin] += frame[bin] }
        }
        let smoothed = power.indices.map { bin in
            (max(0, bin - 2)...min(power.count - 1, bin + 2)).reduce(0) { $0 + power[$1] }
        }
        guard let peak = smoothed.max(), let edge = smoothed.lastIndex(where: { $0 > peak * 3.16e-7 }) else { return nil }
        return Double(edge) * Double(sampleRate) / Double(size)
    }
}
