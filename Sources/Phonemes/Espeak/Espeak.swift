import Processes

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The program espeak-ng, which knows how a hundred languages are pronounced.
///
/// It is under GPL-3, and so it is run as a program of its own and never linked.
public struct Espeak: Sendable {
    public let path: String
    /// As the program states it, `1.51`.
    public let version: String
    /// By lower-case language code, the voice that reads it.
    private let voices: [String: String]

    /// The first version that writes `--ipa` with `--sep` as read here.
    private static let oldest = (1, 50)

    /// - Parameters:
    ///   - path: the program; by default `$ALLOPHONE_ESPEAK`, or `espeak-ng` on the PATH.
    ///   - environment: where these are looked up; the process's own by default.
    /// - Throws: `EspeakError`.
    public init(path given: String? = nil, environment: [String: String]? = nil) throws(EspeakError) {
        let environment = environment ?? ProcessInfo.processInfo.environment
        path = try Self.find(given ?? environment["ALLOPHONE_ESPEAK"], environment)
        let greeting = try Self.run(path, ["--version"], input: "", timeout: 20)
        guard let match = greeting.firstMatch(of: /eSpeak NG text-to-speech: ((\d+)\.(\d+)[^\s]*)/),
            let major = Int(match.2), let minor = Int(match.3)
        else {
            throw .notEspeak(
                path: path, said: String(greeting.prefix(60).trimmed(\.isWhitespace)))
        }
        version = String(match.1)
        guard (major, minor) >= Self.oldest else { throw .tooOld(path: path, version: version) }
        voices = Self.voices(in: try Self.run(path, ["--voices"], input: "", timeout: 20))
    }

    private static func find(_ given: String?, _ environment: [String: String]) throws(EspeakError) -> String {
        let manager = FileManager.default
        if let given {
            guard manager.isExecutableFile(atPath: given) else { throw .missing(path: given) }
            return given
        }
        let folders = (environment["PATH"] ?? "/usr/bin").split(separator: ":")
        guard let found = folders.map({ "\($0)/espeak-ng" }).first(where: manager.isExecutableFile(atPath:)) else {
            throw .missing(path: nil)
        }
        return found
    }

    // MARK: Voices

    /// `--voices` is a table: priority, language, age and gender, name, file, then other languages as `(zh 5)`.
    private static func voices(in table: String) -> [String: String] {
        var voices: [String: String] = [:]
        var others: [(language: String, voice: String)] = []
        for line in table.split(separator: "\n").dropFirst() {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count >= 5 else { continue }
            let name = String(fields[1])
            voices[name.lowercased()] = name
            others += line.matches(of: /\(([A-Za-z0-9-]+) \d+\)/).map { ($0.1.lowercased(), name) }
        }
        // A language that has a voice of its own name is read by that.
        for (language, voice) in others where voices[language] == nil { voices[language] = voice }
        return voices
    }

    /// Languages whose usual voice has a longer name than the language.
    private static let usual = ["en": "en-us", "fr": "fr-fr", "no": "nb", "zh": "cmn", "pt": "pt", "es": "es"]

    /// The voice for a language.
    ///
    /// - Parameter language: an ISO 639 code, with a region where it matters: `en`, `en-GB`, `pt_BR`.
    /// - Throws: `EspeakError.unknownLanguage`.
    public func voice(for language: String) throws(EspeakError) -> String {
        var code = language.lowercased().replacing("_", with: "-")
        while !code.isEmpty {
            if let usual = Self.usual[code], let voice = voices[usual] { return voice }
            if let voice = voices[code] { return voice }
            guard let hyphen = code.lastIndex(of: "-") else { break }
            code = String(code[..<hyphen])
        }
        throw .unknownLanguage(language, path: path)
    }

    // MARK: Running

    /// What the program writes for these lines of text: IPA, phonemes set apart by `_`.
    func ipa(_ lines: String, voice: String, timeout: Double) throws(EspeakError) -> String {
        try Self.run(path, ["-q", "-b", "1", "--ipa", "--sep=_", "-v", voice], input: lines, timeout: timeout)
    }

    private static func run(
        _ path: String, _ arguments: [String], input: String, timeout: Double
    ) throws(EspeakError) -> String {
        let outcome: ChildProcess.Outcome
        do { outcome = try ChildProcess.run(path, arguments, input: input, timeout: timeout) } catch {
            if case .temporaryFiles(let folder, let reason) = error {
                throw .temporaryFiles(folder: folder, reason: reason)
            }
            throw .notRun(path: path, reason: error.reason)
        }
        switch outcome.end {
        case .exited(0): return outcome.output
        case .exited(let status), .killed(signal: let status):
            throw .failed(path: path, status: status, said: String(outcome.errors.trimmed(\.isWhitespace).prefix(200)))
        case .timedOut: throw .timedOut(path: path, seconds: timeout)
        }
    }
}

extension StringProtocol {
    /// Without the characters at both ends that are like this.
    func trimmed(_ isOutside: (Character) -> Bool) -> SubSequence {
        let rest = drop(while: isOutside)
        guard let last = rest.lastIndex(where: { !isOutside($0) }) else { return rest[..<rest.startIndex] }
        return rest[...last]
    }
}
