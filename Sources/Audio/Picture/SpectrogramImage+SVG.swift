#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension SpectrogramImage {
    /// Where things stand on the page, in CSS pixels.
    private enum Layout {
        static let left = 62.0
        static let plotWidth = 1040.0
        static let right = 98.0
        static let top = 18.0
        static let title = 26.0
        static let waveform = 44.0
        static let spectrogram = 210.0
        static let gap = 20.0
        static let bottom = 46.0
        static let pitch = title + waveform + spectrogram + gap
        static let width = left + plotWidth + right
        static let plotRight = left + plotWidth
    }

    /// The picture as an SVG document with nothing outside itself.
    ///
    /// - Throws: ``AudioError``.
    public func svg() throws -> String {
        let height = Layout.top + Layout.pitch * Double(panels.count) - Layout.gap + Layout.bottom
        var parts = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(number(Layout.width)) \(number(height))" \
            width="\(number(Layout.width))" height="\(number(height))" \
            font-family="Inter, 'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="12" \
            fill="#4b5563">
            <rect width="100%" height="100%" fill="#ffffff"/>
            """
        ]
        for index in panels.indices { parts.append(try drawing(ofPanel: index)) }
        parts.append(timeAxis(at: Layout.top + Layout.pitch * Double(panels.count) - Layout.gap))
        parts.append(colorBar(height: height))
        parts.append("</svg>\n")
        return parts.joined(separator: "\n")
    }

    private func drawing(ofPanel index: Int) throws -> String {
        let (panel, levels) = panels[index]
        let titleTop = Layout.top + Layout.pitch * Double(index)
        let waveTop = titleTop + Layout.title
        let top = waveTop + Layout.waveform
        let width = duration > 0 ? Layout.plotWidth * panel.waveform.duration / duration : Layout.plotWidth
        let image = base64(try levels.png(palette: Magma.palette))
        let rate = number(Double(panel.waveform.sampleRate) / 1000)
        var parts = [
            """
            <text x="\(number(Layout.left))" y="\(number(titleTop + 14))" font-size="15" font-weight="600" \
            fill="#111827">\(escaped(panel.title))</text>
            <text x="\(number(Layout.plotRight))" y="\(number(titleTop + 14))" text-anchor="end">\
            \(number(panel.waveform.duration)) s · \(rate) kHz</text>
            <path d="\(envelope(of: panel.waveform, top: waveTop, width: width))" fill="#b63779"/>
            <rect x="\(number(Layout.left))" y="\(number(top))" width="\(number(Layout.plotWidth))" \
            height="\(number(Layout.spectrogram))" fill="\(Magma.palette[0].hex)"/>
            <image x="\(number(Layout.left))" y="\(number(top))" width="\(number(width))" \
            height="\(number(Layout.spectrogram))" preserveAspectRatio="none" \
            href="data:image/png;base64,\(image)"/>
            """
        ]
        for frequency in frequencyTicks {
            let y = top + Layout.spectrogram * (1 - MelScale.mel(frequency) / MelScale.mel(maximumFrequency))
            parts.append(tick(x: Layout.left - 5, y: y, toX: Layout.left, toY: y))
            let label = frequency < 1000 ? number(frequency) : "\(number(frequency / 1000))k"
            parts.append(text(label, x: Layout.left - 9, y: y + 4, anchor: "end"))
        }
        let middle = top + Layout.spectrogram / 2
        parts.append(
            """
            <text transform="translate(16 \(number(middle))) rotate(-90)" text-anchor="middle">Frequency (Hz)</text>
            """)
        return parts.joined(separator: "\n")
    }

    /// The outline of the waveform's extremes in each pixel column, on a scale that fits every panel.
    private func envelope(of waveform: Waveform, top: Double, width: Double) -> String {
        let loudest = panels.flatMap { $0.panel.waveform.samples.lazy.map(\.magnitude).max().map { [$0] } ?? [] }.max()
        let columns = max(1, min(Int(width), waveform.samples.count))
        let center = top + Layout.waveform / 2 - 2
        let scale = (Layout.waveform / 2 - 4) / Double(max(loudest ?? 0, 1e-6))
        var upper: [String] = []
        var lower: [String] = []
        for column in 0..<columns {
            let start = waveform.samples.count * column / columns
            let slice = waveform.samples[start..<max(start, waveform.samples.count * (column + 1) / columns)]
            let x = number(Layout.left + width * (Double(column) + 0.5) / Double(columns))
            // Half a pixel more on each side, so that silence is a line.
            upper.append("\(x) \(number(center - Double(slice.max() ?? 0) * scale - 0.5))")
            lower.append("\(x) \(number(center - Double(slice.min() ?? 0) * scale + 0.5))")
        }
        return "M" + (upper + lower.reversed()).joined(separator: "L") + "Z"
    }

    private var frequencyTicks: [Double] {
        [0, 500, 1000, 2000, 4000, 8000, 16000, 32000].filter {
            // The top of the axis keeps its distance from the next label.
            MelScale.mel($0) < MelScale.mel(maximumFrequency) * 0.95
        } + [maximumFrequency]
    }

    private func timeAxis(at y: Double) -> String {
        guard duration > 0 else { return "" }
        // Steps of 1, 2 or 5 that give at most twelve labels.
        let rough = duration / 12
        let decade = pow(10, floor(log10(rough)))
        let step = [1.0, 2, 5, 10].map { $0 * decade }.first { $0 >= rough * 0.999 } ?? 10 * decade
        var parts: [String] = []
        for index in 0...Int(duration / step + 1e-9) {
            let time = Double(index) * step
            let x = Layout.left + Layout.plotWidth * time / duration
            parts.append(tick(x: x, y: y, toX: x, toY: y + 5))
            parts.append(text(number(time, decimals: 3), x: x, y: y + 19, anchor: "middle"))
        }
        parts.append(text("Time (s)", x: Layout.left + Layout.plotWidth / 2, y: y + 38, anchor: "middle"))
        return parts.joined(separator: "\n")
    }

    private func colorBar(height: Double) -> String {
        let x = Layout.plotRight + 22
        let top = Layout.top + Layout.title + Layout.waveform
        let length = Layout.spectrogram
        let stops = (0...16).map {
            "<stop offset=\"\(number(Double($0) / 16, decimals: 4))\" stop-color=\"\(Magma.color(1 - Double($0) / 16).hex)\"/>"
        }
        var parts = [
            """
            <linearGradient id="levels" x1="0" y1="0" x2="0" y2="1">\(stops.joined())</linearGradient>
            <rect x="\(number(x))" y="\(number(top))" width="12" height="\(number(length))" fill="url(#levels)"/>
            """
        ]
        for level in stride(from: 0, through: Self.range, by: 20) {
            let y = top + length * level / Self.range
            parts.append(tick(x: x + 12, y: y, toX: x + 16, toY: y))
            parts.append(text(level == 0 ? "0 dB" : "−\(number(level))", x: x + 20, y: y + 4, anchor: "start"))
        }
        return parts.joined(separator: "\n")
    }

    private func tick(x: Double, y: Double, toX: Double, toY: Double) -> String {
        """
        <line x1="\(number(x))" y1="\(number(y))" x2="\(number(toX))" y2="\(number(toY))" stroke="#9ca3af"/>
        """
    }

    private func text(_ content: String, x: Double, y: Double, anchor: String) -> String {
        "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">\(content)</text>"
    }
}

/// A number without the digits that a picture cannot show.
private func number(_ value: Double, decimals: Int = 2) -> String {
    let scale = pow(10, Double(decimals))
    let rounded = (value * scale).rounded() / scale
    return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
}

private func escaped(_ text: String) -> String {
    text.map { character in
        switch character {
        case "&": "&amp;"
        case "<": "&lt;"
        case ">": "&gt;"
        default: String(character)
        }
    }.joined()
}

private func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var output: [UInt8] = []
    output.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = (0..<3).reduce(0) { $0 << 8 | (start + $1 < bytes.count ? Int(bytes[start + $1]) : 0) }
        for position in 0..<4 {
            output.append(
                start + position <= bytes.count ? alphabet[group >> (18 - 6 * position) & 63] : UInt8(ascii: "="))
        }
    }
    return String(decoding: output, as: UTF8.self)
}
