/// What keeps text from becoming phonemes.
public enum EspeakError: Error, Hashable, CustomStringConvertible {
    case missing(path: String?)
    case notEspeak(path: String, said: String)
    case tooOld(path: String, version: String)
    case unknownLanguage(String, path: String)
    case textTooLong(characters: Int, limit: Int)
    /// The system could not start it, or not say how it ended.
    case notRun(path: String, reason: String)
    case failed(path: String, status: Int32, said: String)
    case timedOut(path: String, seconds: Double)
    case temporaryFiles(folder: String, reason: String)

    public var description: String {
        let install = "install it (Debian, Ubuntu: apt-get install espeak-ng), or name the program in $ALLOPHONE_ESPEAK"
        return switch self {
        case .missing(let path):
            "\(path ?? "espeak-ng"): \(path == nil ? "not on the PATH" : "no program"). It turns text into phonemes; \(install)"
        case .notEspeak(let path, let said): "\(path): not espeak-ng: it says '\(said)'; \(install)"
        case .tooOld(let path, let version):
            "\(path): version \(version), and 1.50 or newer is needed; \(install)"
        case .unknownLanguage(let language, let path):
            "\(path): has no voice for the language '\(language)'; `espeak-ng --voices` lists what it has"
        case .textTooLong(let characters, let limit):
            "a text of \(characters) characters; a transcript has at most \(limit). Cut it into utterances"
        case .notRun(let path, let reason):
            "\(path): cannot be run: \(reason). Name another program in $ALLOPHONE_ESPEAK if it is none for this machine"
        case .failed(let path, let status, let said):
            "\(path): ended with status \(status): \(said.isEmpty ? "without a word" : said). "
                + "Is its data there (apt-get install espeak-ng-data)?"
        case .timedOut(let path, let seconds): "\(path): no answer within \(Int(seconds)) s"
        case .temporaryFiles(let folder, let reason): "\(folder): no temporary files can be made there: \(reason)"
        }
    }
}
