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

    /// Where in its file the line of each text is, by the text's hash, so that millions of texts need not be held.
    private struct Index {
        var file: Int32
        var places: [Int: Range<Int>] = [:]
    }

    private let folder: String
    private let version: String
    private let indices = Mutex<[String: Index]>([:])

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

    deinit { indices.withLock { for index in $0.values where index.file >= 0 { close(index.file) } } }

    /// A voice's transcripts of those of the texts of which it has any.
    func transcripts(of texts: [String], voice: String) -> [String: String] {
        indices.withLock { indices in
            let index = Self.index(voice, at: path(voice), in: &indices)
            return texts.reduce(into: [:]) { known, text in
                // Another text may have the hash, and another program may have cut the file.
                guard let place = index.places[text.hashValue], let line = Self.line(at: place, of: index.file),
                    line.text == text
                else { return }
                known[text] = line.ipa
            }
        }
    }

    func add(_ transcripts: [(text: String, ipa: String)], voice: String) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // A line that an earlier writer was torn from is closed first.
        var lines = Data("\n".utf8)
        var places: [(hash: Int, place: Range<Int>)] = []
        for (text, ipa) in transcripts {
            guard let line = try? encoder.encode(Line(text: text, ipa: ipa)) else { continue }
            places.append((text.hashValue, lines.count..<lines.count + line.count))
            lines.append(line)
            lines.append(UInt8(ascii: "\n"))
        }
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        indices.withLock { indices in
            let file = Self.index(voice, at: path(voice), in: &indices).file
            let written = lines.withUnsafeBytes { file < 0 ? -1 : write(file, $0.baseAddress, $0.count) }
            guard written == lines.count else { return }
            // Appending leaves the position behind what was written, wherever other programs had written meanwhile.
            let start = Int(lseek(file, 0, SEEK_CUR)) - lines.count
            for (hash, place) in places {
                indices[voice]?.places[hash] = place.lowerBound + start..<place.upperBound + start
            }
        }
    }

    private static func index(_ voice: String, at path: String, in indices: inout [String: Index]) -> Index {
        if let index = indices[voice], index.file >= 0 { return index }
        let index = read(path)
        indices[voice] = index
        return index
    }

    private static func read(_ path: String) -> Index {
        var index = Index(file: open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644))
        // A file that may be read alone serves as well.
        if index.file < 0 { index.file = open(path, O_RDONLY | O_CLOEXEC) }
        let data = (try? Data(contentsOf: URL(fileURLWithPath: path))) ?? Data()
        let decoder = JSONDecoder()
        for line in data.split(separator: UInt8(ascii: "\n")) {
            guard let decoded = try? decoder.decode(Line.self, from: line) else { continue }
            index.places[decoded.text.hashValue] = line.startIndex..<line.endIndex
        }
        return index
    }

    private static func line(at place: Range<Int>, of file: Int32) -> Line? {
        var bytes = Data(count: place.count)
        let read = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, off_t(place.lowerBound)) }
        guard read == place.count else { return nil }
        return try? JSONDecoder().decode(Line.self, from: bytes)
    }
}
