public import Checkpoint

/// What keeps a dataset on the Hugging Face Hub from being read.
public enum HubError: Error, Hashable, CustomStringConvertible {
    /// 401 or 403: no token, one that is not valid, or terms that have not been accepted.
    case unauthorized(url: String)
    case notFound(url: String)
    /// Still refused (429) or failing (5xx) after all attempts.
    case refused(url: String, status: Int)
    /// No answer, or one that was cut off, after all attempts.
    case network(url: String, reason: String)
    case badAnswer(url: String, reason: String)
    /// What arrived is not what the Hub lists.
    case wrongChecksum(path: String, expected: String, found: String)
    /// `HF_HUB_OFFLINE` is set, and the cache has no such revision or file.
    case notCached(name: String)
    case file(FileError)

    public var description: String {
        switch self {
        case .unauthorized(let url):
            "\(url): access is refused. Set HF_TOKEN to a token that may read it, and accept the dataset's terms on its page."
        case .notFound(let url):
            "\(url): there is no such dataset, revision or file. Check the spelling; a private one needs HF_TOKEN."
        case .refused(let url, let status): "\(url): the server answers \(status). Try again later."
        case .network(let url, let reason):
            "\(url): \(reason). Check the network; what has arrived is kept, and HF_HUB_OFFLINE=1 reads the cache alone."
        case .badAnswer(let url, let reason):
            "\(url): an answer that makes no sense: \(reason). Check HF_ENDPOINT and any proxy."
        case .wrongChecksum(let path, let expected, let found):
            "\(path): what arrived has the checksum \(found), and not \(expected). Try again; if it recurs, suspect a proxy."
        case .notCached(let name): "\(name): is not in the cache. Unset HF_HUB_OFFLINE to fetch it."
        case .file(let error): error.description
        }
    }
}
