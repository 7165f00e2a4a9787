import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Transcripts that espeak-ng has made, one file of JSON lines for each of its versions and voices.
///
/// Lines are appended, each by a single write, so that two programs may use one folder; a line that is torn or damaged is
/// passed over and its text read anew. What cannot be written is done without: a cache is a convenience.
public final class TranscriptCache: Sendable {
    private struct Line: Codable {
        var text: String
        var ipa: String
    }

    private let folder: String
    private let version: String
    private let loaded = Mutex<[String: [String: String]]>([:])

    /// Below `$ALLOPHONE_CACHE`, `$XDG_CACHE_HOME/allophone` or `~/.cache/allophone`; nil, for none, where the first is empty.
    public static var defaultFolder: String? {
        let environment = ProcessInfo.processInfo.environment
        if let folder = environment["ALLOPHONE_CACHE"] { return folder.isEmpty ? nil : "\(folder)/phonemes" }
        if let folder = environment["XDG_CACHE_HOME"], !folder.isEmpty { return "\(folder)/allophone/phonemes" }
        return "\(FileManager.default.homeDirectoryForCurrentUser.path)/.cache/allophone/phonemes"
    }

    /// - Parameter version: of espeak-ng; another version has other transcripts.
    public init(folder: String, version: String) {
        self.folder = folder
        self.version = version.filter { $0.isLetter || $0.isNumber || $0 == "." || $0 == "-" }
    }

    private func path(_ voice: String) -> String { "\(folder)/espeak-ng-\(version)-\(voice).jsonl" }

    /// A voice's transcripts of those of the texts of which it has any.
    func transcripts(of texts: [String], voice: String) -> [String: String] {
        loaded.withLock { loaded in
            if loaded[voice] == nil { loaded[voice] = read(voice) }
            return texts.reduce(into: [:]) { $0[$1] = loaded[voice]?[$1] }
        }
    }

    private func read(_ voice: String) -> [String: String] {
        var known: [String: String] = [:]
        let data = (try? Data(contentsOf: URL(fileURLWithPath: path(voice)))) ?? Data()
        let decoder = JSONDecoder()
        for line in data.split(separator: UInt8(ascii: "\n")) {
            if let line = try? decoder.decode(Line.self, from: line) { known[line.text] = line.ipa }
        }
        return known
    }

    func add(_ transcripts: [(text: String, ipa: String)], voice: String) {
        loaded.withLock { loaded in
            for (text, ipa) in transcripts { loaded[voice, default: [:]][text] = ipa }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // A line that an earlier writer was torn from is closed first.
        var lines = Data("\n".utf8)
        for (text, ipa) in transcripts {
            guard let line = try? encoder.encode(Line(text: text, ipa: ipa)) else { continue }
            lines.append(line)
            lines.append(UInt8(ascii: "\n"))
        }
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let descriptor = open(path(voice), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        _ = lines.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    }
}
