/// Which split a file of a dataset is of, by the rules of Hugging Face's `datasets`.
///
/// The first of these that any file fits decides for all: `data/NAME-00000-of-00001…`; a folder whose name holds `train`,
/// `validation` (`valid`, `dev`, `val`), `test` (`testing`, `eval`, `evaluation`) as a word; a file whose name does; or else
/// everything is `train`. Words are set apart by `-`, `.`, `_`, spaces and digits.
struct Splits: Sendable {
    private enum Rule { case numbered, folders, files, none }
    private let rule: Rule
    let names: Set<String>

    init(_ paths: [String]) {
        for rule in [Rule.numbered, .folders, .files] {
            let names = Set(paths.lazy.flatMap { Self.splits(of: $0, by: rule) })
            if !names.isEmpty {
                (self.rule, self.names) = (rule, names)
                return
            }
        }
        (rule, names) = (.none, ["train"])
    }

    /// The splits of a file: usually one; none where others fit the rule and it does not.
    func splits(of path: String) -> [String] { Self.splits(of: path, by: rule) }

    private static let keywords = [
        ("train", ["train", "training"]),
        ("validation", ["validation", "valid", "dev", "val"]),
        ("test", ["test", "testing", "eval", "evaluation"]),
    ]

    private static func splits(of path: String, by rule: Rule) -> [String] {
        switch rule {
        case .none: return ["train"]
        case .numbered: return numbered(path).map { [$0] } ?? []
        case .folders:
            let folders = path.split(separator: "/").dropLast()
            return keywords.filter { _, words in
                folders.contains { folder in words.contains { has($0, in: folder, atEnd: true) } }
            }.map(\.0)
        case .files:
            let file = splitPath(path).file
            return keywords.filter { _, words in words.contains { has($0, in: file, atEnd: false) } }.map(\.0)
        }
    }

    /// The split of `data/NAME-00000-of-00001.…`.
    private static func numbered(_ path: String) -> String? {
        guard let match = path.wholeMatch(of: /data\/(\w+(?:[.\-]\w+)*?)-[0-9]{5}-of-[0-9]{5}[^\/]*\.[^\/]*/) else {
            return nil
        }
        return String(match.1)
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), 0x20, UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }

    private static func has(_ word: String, in name: some StringProtocol, atEnd: Bool) -> Bool {
        let (word, name) = (Array(word.utf8), Array(name.utf8))
        guard name.count >= word.count else { return false }
        return (0...(name.count - word.count)).contains { start in
            let end = start + word.count
            return name[start..<end].elementsEqual(word)
                && (start == 0 || isSeparator(name[start - 1]))
                && (end == name.count ? atEnd : isSeparator(name[end]))
        }
    }
}
