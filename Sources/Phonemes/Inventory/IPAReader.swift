/// Reads IPA, as espeak-ng or a person writes it, as entries of an inventory.
///
/// In each unit, from the left, the longest spelling that the inventory has is taken. What it has no spelling for falls
/// back in this order: a modifier (ʰ, ʲ, a tilde, a ring…) is left off, a letter is replaced by its nearest neighbour
/// (`neighbours`), and what remains is reported as unknown.
public struct IPAReader: Sendable {
    public struct Reading: Hashable, Sendable {
        /// Entries of the inventory, never blank.
        public var indices: [Int]
        /// What has no entry, each once, in order of appearance.
        public var unknown: [String]
    }

    private typealias Spelling = [Unicode.Scalar]
    private let entries: [Spelling: Int]
    private let longest: Int

    public init(_ inventory: PhonemeInventory) {
        var entries: [Spelling: Int] = [:]
        for (index, symbol) in inventory.symbols.enumerated().dropFirst() {
            entries[Self.spelling(symbol)] = index
        }
        for (other, usual) in Self.spellings {
            // An inventory may have both, each as an entry of its own.
            let letters = Self.spelling(other)
            if entries[letters] == nil { entries[letters] = entries[Self.spelling(usual)] }
        }
        self.entries = entries
        longest = entries.keys.reduce(1) { max($0, $1.count) }
    }

    /// Two symbols of an inventory that are read as one, since they differ in stress, length or ties alone; nil if there are none.
    ///
    /// Only the second of them would ever be found.
    public static func confused(in inventory: PhonemeInventory) -> (String, String)? {
        var seen: [Spelling: String] = [:]
        for symbol in inventory.symbols.dropFirst() {
            if let other = seen.updateValue(symbol, forKey: spelling(symbol)) { return (other, symbol) }
        }
        return nil
    }

    /// Units in `ipa` are set apart by white space or `_`, as `espeak-ng --ipa --sep=_` sets apart phonemes; without `_` a
    /// unit is a word.
    public func read(_ ipa: String) -> Reading {
        var reading = Reading(indices: [], unknown: [])
        for unit in Self.units(ipa) { read(whole(unit), into: &reading) }
        return reading
    }

    /// A unit's spelling, a long sound that is written twice (`ss`, `ɑɑ`) once.
    private func whole(_ unit: Substring) -> Spelling {
        let stressless = String(
            String.UnicodeScalarView(unit.unicodeScalars.filter { !"ˈˌː0123456789".unicodeScalars.contains($0) }))
        if let usual = Self.espeakUnits[stressless] { return Self.spelling(usual) }
        let letters = Self.spelling(unit)
        let half = Array(letters[..<(letters.count / 2)])
        guard !half.isEmpty, half + half == letters else { return letters }
        // Of more than one phoneme it is a word, `mama`.
        var once = Reading(indices: [], unknown: [])
        read(half, into: &once)
        return once.indices.count == 1 && once.unknown.isEmpty ? half : letters
    }

    private func read(_ unit: Spelling, into reading: inout Reading) {
        var place = 0
        while place < unit.count {
            let match = (1...min(longest, unit.count - place)).reversed().lazy.compactMap { length in
                entries[Array(unit[place..<place + length])].map { (index: $0, length: length) }
            }.first
            if let match {
                reading.indices.append(match.index)
                place += match.length
                continue
            }
            let scalar = unit[place]
            place += 1
            if Self.isModifier(scalar) { continue }
            if let index = nearest(scalar) {
                reading.indices.append(index)
            } else if !reading.unknown.contains(String(scalar)) {
                reading.unknown.append(String(scalar))
            }
        }
    }

    /// The entry of a letter's neighbour, or of the neighbour's: inventories differ in what they have.
    private func nearest(_ scalar: Unicode.Scalar) -> Int? {
        var letter = scalar
        var seen: Set<Unicode.Scalar> = [scalar]
        while let next = Self.neighbours[letter], seen.insert(next).inserted {
            if let index = entries[[next]] { return index }
            letter = next
        }
        return nil
    }
}

extension IPAReader {
    /// Decomposed, without the marks that no inventory distinguishes.
    private static func spelling(_ text: some StringProtocol) -> [Unicode.Scalar] {
        decomposed(text).filter { !isDropped($0) }
    }

    /// Stress, length, ties, boundaries, tones, and what espeak-ng's older notation leaves in its IPA (`ə-`, `ɪ^`, `u"`).
    private static func isDropped(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "ˈ", "ˌ", "ː", "ˑ", "\u{361}", "\u{35C}", "‿", ".", "|", "‖", "'", "\"", "^", "-", "~", ",", "ʼ": true
        case "0"..."9": true
        case "\u{2E5}"..."\u{2E9}": true
        default: false
        }
    }

    private static func isModifier(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .modifierLetter, .modifierSymbol: true
        default: false
        }
    }

    /// Text between separators, without espeak-ng's marks of a change of language, `(en)`.
    private static func units(_ ipa: String) -> [Substring] {
        ipa.replacing(/\([A-Za-z][A-Za-z0-9-]*\)/, with: " ").split { $0 == "_" || $0.isWhitespace }
    }

    /// Units that espeak-ng 1.51 writes otherwise than in IPA, all but the first of Mandarin.
    private static let espeakUnits = [
        "sx": "ʂ", "s.": "ʂ", "z.": "ʐ", "ts.": "ʈʂ", "ts.h": "ʈʂʰ", "tsh": "tsʰ", "tɕh": "tɕʰ", "ph": "pʰ", "th": "tʰ",
        "kh": "kʰ", "i.": "ɨ",
    ]

    /// Other ways to write what an inventory may have.
    private static let spellings = [
        "tʃʲ": "tɕ", "dʒʲ": "dʑ", "ʃʲ": "ɕ", "ʒʲ": "ʑ", "ɭʲ": "lʲ", "ɫʲ": "lʲ", "ɜ˞": "ɚ", "ə˞": "ɚ", "ɲʲ": "ɲ",
        "tʂ": "ʈʂ", "dʐ": "ɖʐ", "ts̪": "ts", "ʤ": "dʒ", "ʧ": "tʃ", "ʦ": "ts", "ʣ": "dz", "ʨ": "tɕ", "ʥ": "dʑ",
    ]

    /// For letters that few languages use, the nearest that an inventory is likely to have.
    private static let neighbours: [Unicode.Scalar: Unicode.Scalar] = [
        // The same letter under another code.
        "g": "ɡ", "ε": "ɛ", "?": "ʔ", "ɩ": "ɪ", "ɷ": "ʊ", "ı": "ɯ", "γ": "ɣ",
        // Consonants.
        "ɱ": "m", "ɴ": "ŋ", "ɳ": "n", "ɲ": "n", "ʙ": "b", "ʀ": "ʁ", "ⱱ": "ʋ", "ɮ": "l", "ɺ": "ɾ", "ʟ": "l", "ɫ": "l",
        "ɭ": "l", "ʎ": "j",
        "ɧ": "ʂ", "ʜ": "ħ", "ʢ": "ʕ", "ʡ": "ʔ", "ʄ": "ɟ", "ɠ": "ɡ", "ʛ": "ɡ", "ɢ": "ɡ", "ɓ": "b", "ɗ": "d", "ʍ": "w",
        "ɰ": "ɣ", "ɥ": "j",
        "ʈ": "t", "ɖ": "d", "ɽ": "ɾ", "ɾ": "r", "ɻ": "ɹ", "ɹ": "r", "ʂ": "ʃ", "ʐ": "ʒ", "ɕ": "ʃ", "ʑ": "ʒ", "ʝ": "j",
        "χ": "x", "ħ": "h",
        "ʕ": "ʔ", "ɦ": "h", "ɬ": "l", "ɸ": "f", "β": "v", "ʋ": "v", "c": "k", "ɟ": "ɡ", "q": "k", "ʁ": "ɣ", "x": "h",
        // Vowels.
        "ᵻ": "ɪ", "ᵿ": "ʊ", "ɘ": "ə", "ɞ": "ɜ", "ɶ": "œ", "ɝ": "ɚ", "ɚ": "ə", "ʏ": "y", "ʉ": "u", "ɵ": "ø", "ɤ": "o",
        "ɨ": "i", "ɯ": "u",
        "ɜ": "ə", "ɐ": "a", "ɒ": "ɑ", "ɑ": "a", "æ": "a", "ʌ": "ə", "ɪ": "i", "ʊ": "u", "ɛ": "e", "ɔ": "o", "œ": "ø",
        "ø": "e", "y": "i",
    ]
}
