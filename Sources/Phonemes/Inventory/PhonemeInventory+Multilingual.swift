extension PhonemeInventory {
    /// 128 entries, 7 bits: what espeak-ng's voices tell apart in the languages of Europe and the larger ones beyond.
    ///
    /// Stress, length, tone and syllabicity are not in it. How long a phoneme lasts is the number of its frames; pitch and
    /// loudness are how it was said, and left to level 2. Diphthongs are two vowels. `docs/phonemes.md` has the reasons.
    public static let multilingual: PhonemeInventory = {
        let groups: [[String]] = [
            [blankSymbol],
            // Plosives, aspirated and emphatic ones, implosives.
            ["p", "b", "t", "d", "ʈ", "ɖ", "c", "ɟ", "k", "ɡ", "q", "ʔ"],
            ["pʰ", "tʰ", "kʰ", "tˤ", "dˤ", "ɓ", "ɗ"],
            // Affricates.
            ["p͡f", "t͡s", "d͡z", "t͡ʃ", "d͡ʒ", "t͡ɕ", "d͡ʑ", "ʈ͡ʂ", "ɖ͡ʐ", "t͡sʰ", "t͡ɕʰ", "ʈ͡ʂʰ"],
            // Nasals, trills and taps.
            ["m", "n", "ɳ", "ɲ", "ŋ"],
            ["r", "ɾ", "ɽ", "r̝"],
            // Fricatives.
            ["ɸ", "β", "f", "v", "θ", "ð", "s", "z", "sˤ", "ʃ", "ʒ", "ʂ", "ʐ", "ɕ", "ʑ", "ç", "ʝ", "x", "ɣ", "χ", "ʁ"],
            ["ħ", "ʕ", "h", "ɦ", "ɬ"],
            // Approximants and laterals.
            ["ʋ", "ɹ", "ɻ", "j", "ɥ", "ɰ", "w", "l", "ɫ", "ɭ", "ʎ"],
            // Palatalised consonants, as in the Slavic languages.
            ["pʲ", "bʲ", "tʲ", "dʲ", "kʲ", "ɡʲ", "mʲ", "nʲ", "fʲ", "vʲ", "sʲ", "zʲ", "rʲ", "lʲ"],
            // Vowels, close to open.
            ["i", "y", "ɨ", "ʉ", "ɯ", "u", "ɪ", "ʏ", "ʊ", "e", "ø", "ɵ", "ɤ", "o", "ə", "ɚ"],
            ["ɛ", "œ", "ɜ", "ʌ", "ɔ", "æ", "ɐ", "a", "ɑ", "ɒ"],
            // Nasal vowels.
            ["ĩ", "ẽ", "ɛ̃", "œ̃", "ã", "ɐ̃", "ɑ̃", "ɔ̃", "õ", "ũ"],
        ]
        guard let inventory = try? PhonemeInventory(groups.flatMap { $0 }) else {
            preconditionFailure("the multilingual inventory names a phoneme twice")
        }
        return inventory
    }()
}
