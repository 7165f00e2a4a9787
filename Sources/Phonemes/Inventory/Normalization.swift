@_spi(_Unicode) import Swift

// Swift's strings compare by these forms, and the standard library shows them to Foundation alone, as an SPI. Foundation's
// own functions for it bring 40 MB of ICU's tables into a static program.

/// Unicode's normalization form D: letters apart from their marks, marks in canonical order.
func decomposed(_ text: some StringProtocol) -> [Unicode.Scalar] { Array(String(text)._nfd) }

/// Unicode's normalization form C: letters with their marks where Unicode has one scalar for both.
func composed(_ text: String) -> [Unicode.Scalar] { Array(text._nfc) }
