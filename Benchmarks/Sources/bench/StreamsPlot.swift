import Foundation

/// The figures of `bench streams` as a picture: streams on a logarithmic axis, what a core serves upwards.
struct StreamsPlot {
    var title: String
    var subtitle: String
    var rows: [StreamsRow]

    /// CSS pixels.
    private enum Layout {
        static let (width, height) = (760.0, 420.0)
        static let (left, right, top, bottom) = (58.0, 560.0, 70.0, 356.0)
    }

    private static let looks: [(series: StreamsSeries, name: String, color: String, dashes: String)] = [
        (.encodingTogether, "encoding, together", "#1d4ed8", "none"),
        (.encodingAlone, "encoding, each alone", "#1d4ed8", "5 4"),
        (.decodingTogether, "decoding, together", "#c2410c", "none"),
        (.decodingAlone, "decoding, each alone", "#c2410c", "5 4"),
    ]

    /// The picture as an SVG document with nothing outside itself.
    var svg: String {
        let largest = rows.flatMap(\.served.values).max() ?? 1
        let step = Self.step(largest / 5)
        let ceiling = max(step, (largest / step).rounded(.up) * step)
        let last = log2(Double(rows.last?.streams ?? 2))
        func x(_ streams: Int) -> Double {
            Layout.left + (Layout.right - Layout.left) * log2(Double(streams)) / max(1, last)
        }
        func y(_ value: Double) -> Double { Layout.bottom - (Layout.bottom - Layout.top) * value / ceiling }

        var parts = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(number(Layout.width)) \(number(Layout.height))" \
            width="\(number(Layout.width))" height="\(number(Layout.height))" \
            font-family="Inter, 'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="12" fill="#4b5563">
            <rect width="100%" height="100%" fill="#ffffff"/>
            <text x="\(number(Layout.left))" y="28" font-size="15" font-weight="600" fill="#111827">\(title)</text>
            <text x="\(number(Layout.left))" y="46">\(subtitle)</text>
            """
        ]
        for value in stride(from: 0, through: ceiling + step / 2, by: step) {
            parts.append(
                """
                <line x1="\(number(Layout.left))" x2="\(number(Layout.right))" y1="\(number(y(value)))" \
                y2="\(number(y(value)))" stroke="#e5e7eb"/>
                <text x="\(number(Layout.left - 8))" y="\(number(y(value) + 4))" text-anchor="end">\(number(value))</text>
                """)
        }
        for row in rows {
            parts.append(
                "<text x=\"\(number(x(row.streams)))\" y=\"\(number(Layout.bottom + 20))\" text-anchor=\"middle\">\(row.streams)</text>"
            )
        }
        parts.append(
            """
            <text x="\(number((Layout.left + Layout.right) / 2))" y="\(number(Layout.bottom + 44))" \
            text-anchor="middle">streams at once</text>
            """)
        for look in Self.looks {
            let points = rows.map { "\(number(x($0.streams))),\(number(y($0.served[look.series] ?? 0)))" }
            parts.append(
                """
                <polyline points="\(points.joined(separator: " "))" fill="none" stroke="\(look.color)" stroke-width="2" \
                stroke-dasharray="\(look.dashes)" stroke-linejoin="round"/>
                """)
            parts += rows.map {
                "<circle cx=\"\(number(x($0.streams)))\" cy=\"\(number(y($0.served[look.series] ?? 0)))\" r=\"3\" fill=\"\(look.color)\"/>"
            }
        }
        parts += labels(y)
        return parts.joined(separator: "\n") + "\n</svg>\n"
    }

    /// The lines' names beside their ends, pushed apart where ends are close.
    private func labels(_ y: (Double) -> Double) -> [String] {
        var lowest = -Double.infinity
        let ends = Self.looks.map { look in (look, rows.last?.served[look.series] ?? 0) }.sorted { $0.1 > $1.1 }
        return ends.map { look, value in
            lowest = max(lowest + 16, y(value) + 4)
            return """
                <text x="\(number(Layout.right + 12))" y="\(number(lowest))" fill="\(look.color)">\(look.name) \
                (\(number(value.rounded())))</text>
                """
        }
    }

    /// 1, 2 or 5 times a power of ten, at least `value`.
    private static func step(_ value: Double) -> Double {
        let power = pow(10, floor(log10(max(value, 1e-9))))
        return [1, 2, 5, 10].map { $0 * power }.first { $0 >= value * 0.999 } ?? 10 * power
    }

    private func number(_ value: Double) -> String {
        let text = String(format: "%.1f", value)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
