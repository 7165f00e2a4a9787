#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// `hf://datasets/OWNER/NAME@REVISION/FOLDER`; revision and folder may be left out.
struct HubLocator: Hashable, Sendable {
    let owner: String
    let name: String
    /// A branch, a tag or a commit.
    let revision: String
    /// Below which the dataset is; empty for all of it.
    let folder: String

    var repository: String { "\(owner)/\(name)" }

    /// Nil for what does not begin with `hf://`.
    init?(_ locator: String) throws(SourceError) {
        guard locator.hasPrefix("hf://") else { return nil }
        guard let match = locator.wholeMatch(of: Self.pattern) else {
            throw .badLocator(locator, reason: "is not hf://datasets/OWNER/NAME@REVISION/FOLDER")
        }
        owner = String(match.owner)
        name = String(match.name)
        let revision = match.revision.map(String.init) ?? "main"
        self.revision = percentDecoded(revision) ?? revision
        folder = match.folder.map(String.init) ?? ""
        // They become names of files in the cache.
        guard isInside(self.revision), folder.isEmpty || isInside(folder), isVisible(owner), isVisible(name) else {
            throw .badLocator(locator, reason: "leads out of the dataset")
        }
    }

    // As huggingface_hub reads it: refs/… are the only revisions with slashes that need no escape.
    private nonisolated(unsafe) static let pattern =
        /hf:\/\/datasets\/(?<owner>[A-Za-z0-9._\-]+)\/(?<name>[A-Za-z0-9._\-]+)(?:@(?<revision>refs\/(?:convert|pr)\/[^\/]+|[^\/]+))?(?:\/(?<folder>.*?)\/?)?/
}

/// Where the Hub is, who asks, and where files are kept, by the environment variables of Python's `huggingface_hub`.
struct HubSettings: Sendable {
    var endpoint = "https://huggingface.co"
    var token: String?
    /// The folder with `datasets--OWNER--NAME` folders in it.
    var cache: String
    var isOffline = false
    /// How often in a row a request may bring nothing before it is given up.
    var attempts = 6
    /// Seconds before the second attempt; doubled with each one after it.
    var delay = 1.0
    /// The longest wait that a server may ask for, in seconds.
    var maximumDelay = 300.0
    /// Seconds in which not a byte arrives before a connection is given up.
    var patience = 30
    /// A file of the authorities that servers' certificates are checked by, in place of the system's; for networks with a proxy
    /// that has a certificate of its own.
    var authorities: String?

    init(cache: String) { self.cache = cache }

    init(environment: [String: String]) {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let home =
            value("HF_HOME") ?? value("XDG_CACHE_HOME").map { "\($0)/huggingface" }
            ?? "\(value("HOME") ?? FileManager.default.homeDirectoryForCurrentUser.path)/.cache/huggingface"
        cache = value("HF_HUB_CACHE") ?? value("HUGGINGFACE_HUB_CACHE") ?? "\(home)/hub"
        if let endpoint = value("HF_ENDPOINT") {
            self.endpoint = endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
        }
        let stored = try? String(contentsOfFile: value("HF_TOKEN_PATH") ?? "\(home)/token", encoding: .utf8)
        let token = (value("HF_TOKEN") ?? value("HUGGING_FACE_HUB_TOKEN") ?? stored)?
            .replacing(/^\s+|\s+$/, with: "")
        self.token = token?.isEmpty == false ? token : nil
        // The variables of the libraries that huggingface_hub fetches with, now and before.
        authorities = value("SSL_CERT_FILE") ?? value("REQUESTS_CA_BUNDLE") ?? value("CURL_CA_BUNDLE")
        isOffline = ["1", "true", "yes", "on"].contains(value("HF_HUB_OFFLINE")?.lowercased())
    }
}
