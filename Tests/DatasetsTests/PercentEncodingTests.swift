import Foundation
import Testing

@testable import Datasets

/// Against Foundation.
@Suite struct PercentEncodingTests {
    private static let texts = [
        "", "data/train-00000-of-00002.parquet", "a b+c%2F?#&=", "ü/日本\u{301}", "\u{0}\u{7F}\u{80}", "~-._", "١²Ⅷ",
    ]

    @Test(arguments: texts) func textIsEncodedAsFoundationDoes(text: String) {
        let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        let kept = CharacterSet(charactersIn: "\(letters)-._~/")
        let encoded = percentEncoded(text, keeping: "-._~/")
        #expect(encoded == text.addingPercentEncoding(withAllowedCharacters: kept))
        #expect(percentDecoded(encoded) == text)
    }

    @Test(arguments: ["refs%2Fpr%2F1", "a%c3%bC", "plain", "a%", "a%4", "a%+1b", "a%zz", "%ff", "%C3", "100%25"])
    func textIsDecodedAsFoundationDoes(text: String) {
        #expect(percentDecoded(text) == text.removingPercentEncoding)
    }
}
