public import Datasets
import Phonemes
import Synchronization

/// How clips are spoken by their transcripts, as espeak-ng writes it.
///
/// The program is looked for when the first transcript comes: a dataset without any, or with phonemes, needs no program.
public final class EspeakTranscriber: ClipTranscriber {
    private let phonemizer = Mutex<Phonemizer?>(nil)

    public init() {}

    /// The dataset's own where it has them; none for a clip without text or without a language, in a language that espeak-ng
    /// does not speak, or with a text that is too long for an utterance's.
    ///
    /// - Throws: `EspeakError` where the program is missing or fails.
    public func phonemes(of clips: [Clip]) throws -> [String?] {
        var phonemes = clips.map(\.phonemes)
        let spoken = clips.indices.filter { index in
            guard phonemes[index] == nil, clips[index].language != nil, let text = clips[index].text else {
                return false
            }
            return !text.isEmpty && text.unicodeScalars.count <= Phonemizer.longestText
        }
        for (language, places) in Dictionary(grouping: spoken, by: { clips[$0].language ?? "" }).sorted(by: {
            $0.key < $1.key
        }) {
            let texts = places.map { clips[$0].text ?? "" }
            do {
                let transcripts = try phonemizer.withLock { phonemizer in
                    let made = try phonemizer ?? Phonemizer(program: Espeak())
                    phonemizer = made
                    return try made.transcripts(of: texts, language: language)
                }
                for (place, transcript) in zip(places, transcripts) { phonemes[place] = transcript }
            } catch EspeakError.unknownLanguage {
                continue
            }
        }
        return phonemes
    }
}
