/// Text to phonemes, by espeak-ng, in batches, and remembered on disk.
public final class Phonemizer: Sendable {
    public let program: Espeak
    private let cache: TranscriptCache?
    private let timeout: Double

    /// The longest text that is taken for a transcript, in characters.
    public static let longestText = 20_000
    /// espeak-ng reads lines into a buffer of 1000 bytes, and cuts longer ones wherever that ends.
    private static let longestLine = 900
    private static let batchSize = 200
    /// What a line of its own between two texts becomes in every voice, and no text does: six stops and no vowel. Texts have
    /// their brackets removed, so none can ask for phonemes by name as this line does.
    private static let divider = (line: "[[tptptp]]", ipa: "t_p_t_p_t_p")

    /// - Parameters:
    ///   - cacheFolder: where transcripts are kept; `nil` keeps none.
    ///   - timeout: seconds that a batch of 200 texts may take.
    public init(
        program: Espeak, cacheFolder: String? = TranscriptCache.defaultFolder, timeout: Double = 120
    ) {
        self.program = program
        self.timeout = timeout
        cache = cacheFolder.map { TranscriptCache(folder: $0, version: program.version) }
    }

    /// The entries of `inventory` that each text is spoken with.
    ///
    /// - Parameter language: an ISO 639 code.
    /// - Throws: `EspeakError`.
    public func phonemes(
        of texts: [String], language: String, inventory: PhonemeInventory
    ) throws(EspeakError) -> [IPAReader.Reading] {
        let reader = IPAReader(inventory)
        return try transcripts(of: texts, language: language).map(reader.read)
    }

    /// The IPA of each text as espeak-ng writes it: words set apart by spaces, phonemes by `_`.
    ///
    /// Line breaks and control characters count as spaces, and so do brackets, in which espeak-ng would read phonemes.
    ///
    /// - Throws: `EspeakError`.
    public func transcripts(of texts: [String], language: String) throws(EspeakError) -> [String] {
        let voice = try program.voice(for: language)
        var cleaned: [String] = []
        for text in texts { cleaned.append(try Self.cleaned(text)) }
        var known = cache?.transcripts(of: cleaned, voice: voice) ?? [:]
        known[""] = ""
        var missing: [String] = []
        for text in cleaned where known[text] == nil {
            // Taken as asked for until it is there, so that it is asked for once.
            known[text] = ""
            missing.append(text)
        }
        var start = 0
        while start < missing.count {
            let batch = Array(missing[start..<min(start + Self.batchSize, missing.count)])
            let found = try read(batch, voice: voice)
            for (text, ipa) in zip(batch, found) { known[text] = ipa }
            cache?.add(zip(batch, found).map { ($0, $1) }, voice: voice)
            start += batch.count
        }
        return cleaned.map { known[$0] ?? "" }
    }

    private func read(_ texts: [String], voice: String) throws(EspeakError) -> [String] {
        let input = texts.map { "\(Self.lines($0))\n\(Self.divider.line)\n" }.joined()
        let output = try program.ipa(input, voice: voice, timeout: timeout)
        var transcripts: [String] = []
        var current: [Substring] = []
        for line in output.split(separator: "\n") {
            if line.trimmed({ $0 == "_" || $0 == " " }) == Self.divider.ipa {
                transcripts.append(current.joined(separator: " "))
                current = []
            } else {
                current.append(line)
            }
        }
        if transcripts.count == texts.count { return transcripts }
        // A text has swallowed a divider, or made one of its own: alone, each has the whole output.
        if texts.count == 1 {
            let alone = try program.ipa("\(Self.lines(texts[0]))\n", voice: voice, timeout: timeout)
            return [alone.split(separator: "\n").joined(separator: " ")]
        }
        let half = texts.count / 2
        return try read(Array(texts[..<half]), voice: voice) + read(Array(texts[half...]), voice: voice)
    }

    private static func cleaned(_ text: String) throws(EspeakError) -> String {
        let count = text.unicodeScalars.count
        guard count <= longestText else { throw .textTooLong(characters: count, limit: longestText) }
        var words: [String] = []
        for part in composed(text).split(whereSeparator: separatesWords) {
            words.append(String(String.UnicodeScalarView(part)))
        }
        return words.joined(separator: " ")
    }

    private static func separatesWords(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .spaceSeparator, .privateUse, .unassigned: true
        // Joiners are part of how Persian and the languages of India are spelled; other format characters are of no sound.
        case .format: scalar != "\u{200C}" && scalar != "\u{200D}"
        default: scalar == "[" || scalar == "]"
        }
    }

    /// A cleaned text cut at spaces into lines that espeak-ng reads whole; a word that no line holds is cut too.
    static func lines(_ text: String) -> String {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if line.utf8.count + word.utf8.count + 1 <= longestLine {
                line += line.isEmpty ? String(word) : " \(word)"
                continue
            }
            if !line.isEmpty { lines.append(line) }
            line = ""
            for character in word {
                if line.utf8.count + character.utf8.count > longestLine {
                    lines.append(line)
                    line = ""
                }
                // One character may be a base with thousands of marks.
                if character.utf8.count <= longestLine { line.append(character) }
            }
        }
        if !line.isEmpty { lines.append(line) }
        return lines.joined(separator: "\n")
    }
}
