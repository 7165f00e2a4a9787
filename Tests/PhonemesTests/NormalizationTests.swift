import Foundation
import Testing

@testable import Phonemes

/// Against ICU, by way of Foundation.
@Suite struct NormalizationTests {
    @Test(arguments: [0x0..<0x3000, 0xAC00..<0xAD00, 0xF900..<0x10000, 0x1D100..<0x1D200])
    func everyScalarHasTheFormsOfICU(range: Range<UInt32>) {
        var different: [String] = []
        for value in range {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = String(scalar)
            if decomposed(text) != Array(text.decomposedStringWithCanonicalMapping.unicodeScalars)
                || composed(text) != Array(text.precomposedStringWithCanonicalMapping.unicodeScalars)
            {
                different.append(String(value, radix: 16))
            }
        }
        #expect(different.isEmpty)
    }

    @Test(arguments: ["e\u{301}", "ç\u{303}", "q\u{307}\u{323}", "\u{1112}\u{1161}\u{11AB}", "ɔ̃ː", "ﬁ", ""])
    func marksAreOrderedAndJoinedAsByICU(text: String) {
        #expect(decomposed(text) == Array(text.decomposedStringWithCanonicalMapping.unicodeScalars))
        #expect(composed(text) == Array(text.precomposedStringWithCanonicalMapping.unicodeScalars))
    }
}
