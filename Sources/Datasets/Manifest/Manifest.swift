import Foundation

/// A clip of a dataset: one line of its manifest.
public struct Clip: Codable, Hashable, Sendable {
    /// The sound file, relative to the manifest's folder.
    public var path: String
    public var seconds: Double
    public var speaker: String?
    public var language: String?
    public var text: String?
    public var split: String?
    /// The highest frequency at which there is sound, in Hz; a clip may have been recorded at a lower rate than its file's.
    public var bandwidth: Double?

    enum CodingKeys: String, CodingKey {
        case path, seconds, speaker, language, text, split
        case bandwidth = "bandwidth_hz"
    }
}

/// A folder of sound files described by `manifest.jsonl`, one JSON object a line.
public struct Manifest: Sendable {
    public let folder: String
    public let clips: [Clip]

    /// - Throws: `ManifestError`.
    public init(folder: String) throws(ManifestError) {
        let path = "\(folder)/manifest.jsonl"
        let data: Data
        do { data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) } catch {
            throw .missing(path: path)
        }
        let decoder = JSONDecoder()
        var clips: [Clip] = []
        for (number, line) in data.split(separator: UInt8(ascii: "\n")).enumerated() {
            let clip: Clip
            do { clip = try decoder.decode(Clip.self, from: line) } catch {
                throw .badLine(path: path, line: number + 1, reason: "\(error)")
            }
            let components = clip.path.split(separator: "/", omittingEmptySubsequences: false)
            guard !clip.path.hasPrefix("/"), !components.contains("..") else {
                throw .badLine(path: path, line: number + 1, reason: "'\(clip.path)' leads out of the dataset's folder")
            }
            guard clip.seconds.isFinite, clip.seconds > 0 else {
                throw .badLine(path: path, line: number + 1, reason: "'seconds' is \(clip.seconds)")
            }
            clips.append(clip)
        }
        guard !clips.isEmpty else { throw .empty(path: path, split: nil) }
        self.folder = folder
        self.clips = clips
    }

    /// The clips of one split.
    ///
    /// - Throws: `ManifestError.empty`.
    public func split(_ name: String) throws(ManifestError) -> [Clip] {
        let chosen = clips.filter { $0.split == name }
        guard !chosen.isEmpty else { throw .empty(path: "\(folder)/manifest.jsonl", split: name) }
        return chosen
    }

    public func path(of clip: Clip) -> String { "\(folder)/\(clip.path)" }
}

/// A manifest that cannot be used.
public enum ManifestError: Error, Hashable, CustomStringConvertible {
    case missing(path: String)
    case badLine(path: String, line: Int, reason: String)
    case empty(path: String, split: String?)

    public var description: String {
        switch self {
        case .missing(let path):
            "\(path): cannot be read. A dataset is a folder with a manifest.jsonl; `make corpus` builds one"
        case .badLine(let path, let line, let reason): "\(path):\(line): \(reason)"
        case .empty(let path, let split):
            split.map { "\(path): no clip is of the split '\($0)'" } ?? "\(path): there is no clip"
        }
    }
}
