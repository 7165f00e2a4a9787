#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// Foundation's `String(format:)` would do, and brings 40 MB of ICU's tables into a static program.

extension Double {
    /// In decimals with so many digits after the point, as C's `printf` rounds.
    func fixed(_ digits: Int) -> String {
        // The largest double has 309 digits before the point.
        var text = [CChar](repeating: 0, count: 320 + digits)
        _ = withVaList([self]) { vsnprintf(&text, text.count, "%.\(digits)f", $0) }
        return text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    }
}

extension String {
    /// With spaces after it, in a column of so many characters.
    func leftAligned(in width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

    /// With spaces, or what `padding` is, before it.
    func rightAligned(in width: Int, padding: Character = " ") -> String {
        String(repeating: padding, count: max(0, width - count)) + self
    }
}
