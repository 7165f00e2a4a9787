#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A picture that compares recordings: their mel spectrograms one above the other, on common axes and one colour scale.
///
/// An SVG holds the axes, titles and waveforms as vectors and the spectrograms as embedded PNGs. A PNG is the bare
/// spectrograms, as training logs want them. Levels are in dB under the loudest point of all panels.
public struct SpectrogramImage: Sendable {
    /// One recording and its title.
    public struct Panel: Sendable {
        public var title: String
        public var waveform: Waveform

        public init(title: String, waveform: Waveform) {
            self.title = title
            self.waveform = waveform
        }
    }

    /// How far under the loudest point the darkest colour stands, in dB.
    static let range = 80.0
    static let bands = 96

    /// The highest frequency shown, in Hz: half the highest rate of the panels.
    let maximumFrequency: Double
    /// The duration of the longest panel, in seconds.
    let duration: Double
    let panels: [(panel: Panel, levels: IndexedImage)]

    /// Analyses the panels, drawn from top to bottom.
    ///
    /// - Precondition: there is at least one panel.
    public init(panels: [Panel]) {
        precondition(!panels.isEmpty, "a spectrogram picture has at least one panel")
        let rates = panels.map(\.waveform.sampleRate)
        maximumFrequency = Double(rates.max()!) / 2
        duration = panels.map(\.waveform.duration).max()!
        let top = MelScale.mel(maximumFrequency)
        let spectra = panels.map { Self.decibels($0.waveform) }
        let loudest = spectra.flatMap { $0 }.flatMap { $0 }.max()!
        self.panels = zip(panels, spectra).map { panel, spectrum in
            // Panels of a lower rate fill the lower part of the common frequency axis.
            let filled = MelScale.mel(Double(panel.waveform.sampleRate) / 2) / top
            let rows = Int((Double(Self.bands) / filled).rounded())
            var image = IndexedImage(width: spectrum.count, height: rows)
            for (column, levels) in spectrum.enumerated() {
                for (band, level) in levels.enumerated() {
                    let brightness = max(0, min(1, 1 + (level - loudest) / Self.range))
                    image.pixels[(rows - 1 - band) * image.width + column] = UInt8((brightness * 255).rounded())
                }
            }
            return (panel, image)
        }
    }

    /// The spectrograms alone, stacked without axes, as a PNG file.
    ///
    /// - Throws: ``AudioError``.
    public func png() throws -> [UInt8] {
        let gap = 4
        let width = panels.map(\.levels.width).max()!
        var stacked = IndexedImage(
            width: width, height: panels.map { $0.levels.height + gap }.reduce(-gap, +))
        var row = 0
        for (_, levels) in panels {
            for y in 0..<levels.height {
                let source = levels.pixels[(y * levels.width)..<((y + 1) * levels.width)]
                stacked.pixels.replaceSubrange(((row + y) * width)..<((row + y) * width + levels.width), with: source)
            }
            row += levels.height + gap
        }
        return try stacked.png(palette: Magma.palette)
    }

    /// Writes the picture to a `.svg` or a `.png` file, whole or not at all.
    ///
    /// - Throws: ``AudioError``.
    public func write(to path: String) throws {
        let bytes: [UInt8]
        switch path.lowercased() {
        case let name where name.hasSuffix(".svg"): bytes = try Array(svg().utf8)
        case let name where name.hasSuffix(".png"): bytes = try png()
        default: throw AudioError.pictureFailed(reason: "\(path) ends neither in .svg nor in .png")
        }
        let file = try OutputFile(path: path)
        _ = bytes.withUnsafeBytes { file.write($0) }
        try file.commit()
    }

    /// Mel levels in dB, `[time][band]`, of at most about 1600 columns.
    private static func decibels(_ waveform: Waveform) -> [[Double]] {
        // A window of about 40 ms shows both harmonics and syllables; the nearest power of two.
        let size = 1 << max(6, Int(log2(0.04 * Double(waveform.sampleRate)).rounded()))
        let hop = max(size / 16, (waveform.samples.count + 1599) / 1600)
        let analysis = ShortTimePower(fftSize: size, hop: hop)
        let bank = MelFilterBank(sampleRate: waveform.sampleRate, fftSize: size, bands: bands)
        return (0..<analysis.frameCount(sampleCount: waveform.samples.count)).map { frame in
            bank(analysis.frame(frame, of: waveform.samples)).map { 10 * log10(max($0, 1e-12)) }
        }
    }
}
