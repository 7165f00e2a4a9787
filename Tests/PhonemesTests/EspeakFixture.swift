import Foundation
import Phonemes
import TestSupport

/// What espeak-ng and jiwer gave, by `Tests/Oracles/phonemes_espeak.py`.
struct EspeakFixture: Decodable {
    struct Transcript: Decodable {
        let language: String
        let voice: String
        let text: String
        let ipa: String
    }
    struct Errors: Decodable {
        let reference: [Int]
        let hypothesis: [Int]
        let errors: Int
        let rate: Double
    }

    let version: String
    let transcripts: [Transcript]
    let errors: [Errors]

    static func load() throws -> EspeakFixture {
        let url = Fixture.folder.appending(path: "phonemes/espeak.json")
        return try JSONDecoder().decode(EspeakFixture.self, from: Data(contentsOf: url))
    }
}

/// The program of this machine, if it has one.
let installedEspeak = try? Espeak()
