import Foundation
import Phonemes
import Testing

struct InventoryTests {
    @Test func theMultilingualInventoryFillsSevenBits() {
        let inventory = PhonemeInventory.multilingual
        #expect(inventory.count == 128)
        #expect(inventory.symbols[PhonemeInventory.blank] == "<blank>")
    }

    @Test func anInventorySurvivesJSON() throws {
        let data = try JSONEncoder().encode(PhonemeInventory.multilingual)
        #expect(try JSONDecoder().decode([String].self, from: data) == PhonemeInventory.multilingual.symbols)
        #expect(try JSONDecoder().decode(PhonemeInventory.self, from: data) == .multilingual)
    }

    @Test(
        arguments: [
            ([], .noBlank(first: nil)), (["a", "b"], .noBlank(first: "a")), (["<blank>"], .wrongCount(1)),
            (["<blank>", "a", "a"], .duplicate("a")), (["<blank>", ""], .badSymbol("")),
            (["<blank>", "a\n"], .badSymbol("a\n")), (["<blank>", "ç", "c\u{327}"], .duplicate("ç")),
            (["<blank>", "a\u{200B}"], .badSymbol("a\u{200B}")),
        ] as [([String], PhonemeInventoryError)])
    func whatIsNoInventoryIsRefused(symbols: [String], error: PhonemeInventoryError) throws {
        #expect(throws: error) { try PhonemeInventory(symbols) }
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(PhonemeInventory.self, from: JSONEncoder().encode(symbols))
        }
    }

    @Test(arguments: [
        // As espeak-ng writes it.
        ("h_ə_l_ˈoʊ w_ˈɜː_l_d", "h ə l o ʊ w ɜ l d"), ("(en)_h_ə_l_ˈəʊ_(ru) mʲ_ˈi_r", "h ə l ə ʊ mʲ i r"),
        ("tʃ_ˈiː_z dʒ_ˈʌ_dʒ", "t͡ʃ i z d͡ʒ ʌ d͡ʒ"), ("tʃʲ_ˈɑ_j", "t͡ɕ ɑ j"), ("t͡ʃʲ_a", "t͡ɕ a"), ("ss_a", "s a"),
        ("ɔːɔː_5", "ɔ"), ("ts.h_i5", "ʈ͡ʂʰ i"), ("th_a", "tʰ a"), ("r̝̊_i", "r̝ i"), ("kʰ_æ_t", "kʰ æ t"),
        ("ɪ^_u\"_ə-", "ɪ u ə"), ("?ɑ_ʔe", "ʔ ɑ ʔ e"), ("aɪə", "a ɪ ə"), ("ɑːɹ", "ɑ ɹ"), ("n̩_l̩", "n l"),
        // As people write it: no marks between phonemes, and letters composed or not.
        ("tʃiːz", "t͡ʃ i z"), ("t͡ʃiːz", "t͡ʃ i z"), ("ʧiz", "t͡ʃ i z"), ("çɛ̃", "ç ɛ̃"), ("c\u{327}", "ç"), ("ma˥˩", "m a"),
        ("mama", "m a m a"), ("bɔnbɔn", "b ɔ n b ɔ n"), ("tʃtʃa", "t͡ʃ t͡ʃ a"), ("tʃtʃ", "t͡ʃ"),
        // No entry: a modifier goes, a letter is replaced.
        ("xʲ", "x"), ("bʰ", "b"), ("ɱ", "m"), ("ʀ", "ʁ"), ("ɝ", "ɚ"), ("ᵻ", "ɪ"), ("", ""),
    ])
    func theLongestSpellingsOfIPAAreRead(ipa: String, phonemes: String) throws {
        let reading = IPAReader(.multilingual).read(ipa)
        #expect(reading.unknown == [])
        #expect(
            try PhonemeInventory.multilingual.symbols(of: reading.indices).joined(separator: " ") == phonemes)
    }

    @Test func whatIsNoIPAIsReported() {
        let reading = IPAReader(.multilingual).read("a_ж_ж_!_b")
        #expect(reading.unknown == ["ж", "!"])
        #expect(reading.indices.count == 2)
    }

    @Test func aSmallInventoryTakesNeighboursOfNeighbours() throws {
        let inventory = try PhonemeInventory(["<blank>", "i", "a", "s", "t", "ts"])
        let reading = IPAReader(inventory).read("ʏ_æ̃_t͡sʰ_tʰ")
        #expect(try inventory.symbols(of: reading.indices) == ["i", "a", "ts", "t"])
        #expect(reading.unknown == [])
    }

    @Test func twoWaysToWriteASoundMayBeTwoEntries() throws {
        let reader = IPAReader(try PhonemeInventory(["<blank>", "dʒ", "ʤ"]))
        #expect(reader.read("dʒ_ʤ_d͡ʒ").indices == [1, 2, 1])
    }

    @Test func noEntryIsBeyondTheInventory() {
        #expect(throws: PhonemeInventoryError.noSuchEntry(128, count: 128)) {
            try PhonemeInventory.multilingual.symbols(of: [1, 128])
        }
    }
}
