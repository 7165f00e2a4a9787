public import Audio

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension SpeechQuality {
    /// Short-time objective intelligibility: about 0 for unrelated signals, 1 for equal ones.
    ///
    /// The measure of Taal et al. ("An algorithm for intelligibility prediction of time-frequency weighted noisy
    /// speech", 2011), and with `extended` that of Jensen and Taal (2016), which also sees modulated noise. Frames of
    /// the reference more than 40 dB below its loudest are left out. Signals of another rate than 10 kHz are resampled
    /// with the filter of the authors' implementation, so that figures compare with published ones.
    ///
    /// - Throws: ``Mismatch``; at least 30 frames (0.4 s) of the reference must not be silent.
    public static func stoi(reference: Waveform, degraded: Waveform, extended: Bool = false) throws -> Double {
        try requireComparable(reference, degraded)
        // The loudest of silent frames would count as speech.
        guard reference.samples.contains(where: { $0 != 0 }) else { throw Mismatch.silentReference }
        let toAnalysisRate = OctaveResampler(from: reference.sampleRate, to: Intelligibility.rate)
        let (target, estimate) = Intelligibility.withoutSilence(
            toAnalysisRate(reference.samples), toAnalysisRate(degraded.samples))
        let targetBands = Intelligibility.thirdOctaves(target)
        let estimateBands = Intelligibility.thirdOctaves(estimate)
        let frames = targetBands[0].count
        guard frames >= Intelligibility.segment else { throw Mismatch.tooShort(needed: 0.4) }

        var sum = 0.0
        for start in 0...(frames - Intelligibility.segment) {
            let range = start..<(start + Intelligibility.segment)
            let x = targetBands.map { Array($0[range]) }
            let y = estimateBands.map { Array($0[range]) }
            sum += extended ? Intelligibility.extendedCorrelation(x, y) : Intelligibility.clippedCorrelation(x, y)
        }
        return sum / Double(frames - Intelligibility.segment + 1)
    }
}

/// The parts of STOI. A band is a row of values over time; a segment is 30 frames of each band.
private enum Intelligibility {
    static let rate = 10_000
    static let frame = 256
    static let hop = 128
    static let fftSize = 512
    /// Frames in a segment: 384 ms.
    static let segment = 30
    static let dynamicRange = 40.0
    /// 1 + 10^(15/20): an estimate is clipped at a signal-to-distortion ratio of −15 dB.
    static let clipping = 1 + pow(10, 15.0 / 20)
    static let epsilon = Double.ulpOfOne

    /// A Hann window without its zeros at the ends.
    static let window = (1...frame).map { 0.5 - 0.5 * cos(2 * .pi * Double($0) / Double(frame + 1)) }

    /// The bins of each of 15 third-octave bands from 150 Hz.
    static let bands: [Range<Int>] = (0..<15).map { band in
        func bin(_ edge: Int) -> Int {
            let frequency = 150 * pow(2, Double(2 * band + edge) / 6)
            return Int((frequency * Double(fftSize) / Double(rate)).rounded())
        }
        return bin(-1)..<bin(1)
    }

    /// Both signals without the frames where `reference` is silent: windowed, the rest overlapped and added.
    static func withoutSilence(_ reference: [Double], _ degraded: [Double]) -> ([Double], [Double]) {
        let starts = frameStarts(reference.count)
        let levels = starts.map { start in
            20 * log10(norm(zip(window, reference[start..<(start + frame)]).map { $0 * $1 }) + epsilon)
        }
        let floor = (levels.max() ?? 0) - dynamicRange
        let kept = zip(starts, levels).filter { $1 > floor }.map { $0.0 }
        func joined(_ signal: [Double]) -> [Double] {
            var output = [Double](repeating: 0, count: kept.isEmpty ? 0 : (kept.count - 1) * hop + frame)
            for (index, start) in kept.enumerated() {
                for offset in 0..<frame { output[index * hop + offset] += window[offset] * signal[start + offset] }
            }
            return output
        }
        return (joined(reference), joined(degraded))
    }

    /// The magnitude in each third-octave band of each frame: 15 rows over time.
    static func thirdOctaves(_ signal: [Double]) -> [[Double]] {
        let fft = RealFFT(count: fftSize)
        let padding = [Double](repeating: 0, count: fftSize - frame)
        let spectra = frameStarts(signal.count).map { start in
            fft.power(zip(window, signal[start..<(start + frame)]).map { $0 * $1 } + padding)
        }
        return bands.map { bins in spectra.map { $0[bins].reduce(0, +).squareRoot() } }
    }

    /// As the reference implementation, a frame that ends with the signal does not count.
    private static func frameStarts(_ count: Int) -> [Int] {
        Array(stride(from: 0, to: count - frame, by: hop))
    }

    /// Equations 3 to 6 of the 2011 paper for one segment.
    static func clippedCorrelation(_ x: [[Double]], _ y: [[Double]]) -> Double {
        var sum = 0.0
        for (target, estimate) in zip(x, y) {
            let scale = norm(target) / (norm(estimate) + epsilon)
            let clipped = zip(target, estimate).map { min($1 * scale, $0 * clipping) }
            sum += correlation(target, clipped)
        }
        return sum / Double(x.count)
    }

    /// The 2016 paper's: rows and then columns normalised to zero mean and unit norm, correlated column by column.
    static func extendedCorrelation(_ x: [[Double]], _ y: [[Double]]) -> Double {
        let columnsOfX = transposed(x.map(normalized)).map(normalized)
        let columnsOfY = transposed(y.map(normalized)).map(normalized)
        let sum = zip(columnsOfX, columnsOfY).reduce(0.0) { $0 + zip($1.0, $1.1).reduce(0.0) { $0 + $1.0 * $1.1 } }
        return sum / Double(segment)
    }

    private static func correlation(_ x: [Double], _ y: [Double]) -> Double {
        zip(normalized(x), normalized(y)).reduce(0) { $0 + $1.0 * $1.1 }
    }

    private static func normalized(_ row: [Double]) -> [Double] {
        let mean = row.reduce(0, +) / Double(row.count)
        let centered = row.map { $0 - mean }
        let length = norm(centered) + epsilon
        return centered.map { $0 / length }
    }

    private static func transposed(_ rows: [[Double]]) -> [[Double]] {
        rows[0].indices.map { column in rows.map { $0[column] } }
    }

    private static func norm(_ values: [Double]) -> Double {
        values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
}
