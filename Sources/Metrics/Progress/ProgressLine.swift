#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What a progress display counts.
public enum ProgressUnit: Sendable, Hashable {
    /// Things, named in the singular: a rate reads "3.2 step/s".
    case items(String)
    /// Seconds of audio: a rate reads "41× real time".
    case audio
}

/// One line of a progress display, laid out for a width.
struct ProgressLine {
    var label: String
    var unit: ProgressUnit
    var completed: Double
    /// Nil when nobody knows.
    var total: Double?
    /// Units a second; nil before it can be told.
    var rate: Double?
    /// In seconds.
    var elapsed: Double
    var metrics: [(name: String, value: Double)]
    var isFinished = false

    /// The parts that a log wants, without the bar: "encode  00:30 of 01:00  50%  41× real time  00:00 left  loss 0.5".
    func plain() -> String {
        ([label] + figures + metrics.map { "\($0.name) \(Self.figure($0.value))" }).joined(separator: "  ")
    }

    /// The line for a terminal, at most `width` columns: the bar shrinks first, then metrics go, then the figures.
    func drawn(width: Int, style: ProgressStyle) -> String {
        var tail = figures + metrics.map { "\($0.name) \(style.emphasised(Self.figure($0.value)))" }
        let smallestBar = fraction == nil ? 0 : 8
        func room() -> Int { width - (tail + [label]).reduce(0) { $0 + visibleLength($1) + 2 } }
        while !tail.isEmpty && room() < smallestBar { tail.removeLast() }
        guard let fraction else { return clipped(([label] + tail).joined(separator: "  "), to: width) }
        let bar = style.bar(fraction, width: min(max(room(), smallestBar), 32))
        return clipped(([label, bar] + tail).joined(separator: "  "), to: width)
    }

    private var fraction: Double? {
        total.map { $0 > 0 ? min(1, completed / $0) : 1 }
    }

    private var figures: [String] {
        var parts: [String] = []
        if let fraction { parts.append("\(Int((fraction * 100).rounded(.down)))%") }
        switch unit {
        case .items:
            let done = Self.count(completed)
            parts.append(total.map { "\(done)/\(Self.count($0))" } ?? done)
        case .audio:
            let done = Self.clock(completed)
            parts.append(total.map { "\(done)/\(Self.clock($0))" } ?? done)
        }
        if let rate, rate > 0 {
            switch unit {
            case .items(let name):
                parts.append(rate >= 1 ? "\(Self.figure(rate)) \(name)/s" : "\(Self.figure(1 / rate)) s/\(name)")
            case .audio: parts.append("\(Self.figure(rate))× real time")
            }
        }
        if isFinished {
            parts.append(elapsed < 10 ? "in \(Self.figure(elapsed)) s" : "in \(Self.clock(elapsed))")
        } else if let total, let rate, rate > 0 {
            parts.append("\(Self.clock(max(0, total - completed) / rate)) left")
        }
        return parts
    }

    private static func count(_ value: Double) -> String {
        Int(exactly: value.rounded(.down)).map(String.init) ?? "\(value)"
    }

    /// Three significant digits, which is what changes slowly enough to read.
    static func figure(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "nan" : value > 0 ? "inf" : "-inf" }
        guard value != 0 else { return "0" }
        let exponent = Int(floor(log10(value.magnitude)))
        if exponent >= 3 && exponent < 9 { return String(Int(value.rounded())) }
        guard (-4..<3).contains(exponent) else {
            let mantissa = (value / pow(10, Double(exponent)) * 100).rounded() / 100
            return "\(mantissa)e\(exponent)"
        }
        let decimals = 2 - exponent
        let scale = pow(10, Double(decimals))
        var digits = String(Int((value.magnitude * scale).rounded()))
        while digits.count <= decimals { digits = "0" + digits }
        let point = digits.index(digits.endIndex, offsetBy: -decimals)
        let number = decimals == 0 ? digits : "\(digits[..<point]).\(digits[point...])"
        return value < 0 ? "-" + number : number
    }

    /// mm:ss, or h:mm:ss from an hour on.
    static func clock(_ seconds: Double) -> String {
        // A day of days: more is no estimate.
        guard seconds.isFinite, seconds < 86_400 * 1000 else { return "--:--" }
        let whole = Int(seconds.rounded())
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let minutes = "\(two(whole / 60 % 60)):\(two(whole % 60))"
        return whole < 3600 ? minutes : "\(whole / 3600):\(minutes)"
    }
}

/// How a terminal shows a progress line.
struct ProgressStyle {
    /// Escape sequences for colour are welcome.
    var usesColor: Bool
    /// Characters outside ASCII are.
    var usesUnicode: Bool

    func bar(_ fraction: Double, width: Int) -> String {
        guard usesUnicode else {
            let inner = max(0, width - 2)
            let full = Int((fraction * Double(inner)).rounded(.down))
            return "[" + repeated("#", full) + repeated("-", inner - full) + "]"
        }
        let halves = Int((fraction * Double(2 * width)).rounded(.down))
        let full = halves / 2
        let half = halves % 2 == 1 ? "╸" : ""
        let rest = width - full - half.count
        let done = repeated("━", full) + half
        return usesColor
            ? "\u{1B}[35m\(done)\u{1B}[90m\(repeated("━", rest))\u{1B}[0m" : done + repeated("─", rest)
    }

    func emphasised(_ text: String) -> String { usesColor ? "\u{1B}[1m\(text)\u{1B}[0m" : text }

    private func repeated(_ character: Character, _ count: Int) -> String { String(repeating: character, count: count) }
}

/// The columns that `text` takes, escape sequences not counted.
func visibleLength(_ text: String) -> Int {
    var length = 0
    var isEscape = false
    for character in text {
        if character == "\u{1B}" {
            isEscape = true
        } else if isEscape {
            isEscape = character != "m"
        } else {
            length += 1
        }
    }
    return length
}

/// `text` cut to `width` columns, with its escape sequences whole.
private func clipped(_ text: String, to width: Int) -> String {
    guard visibleLength(text) > width else { return text }
    var output = ""
    var length = 0
    var isEscape = false
    for character in text {
        if character == "\u{1B}" { isEscape = true }
        if isEscape {
            output.append(character)
            isEscape = character != "m"
        } else if length < width {
            output.append(character)
            length += 1
        }
    }
    return output
}
