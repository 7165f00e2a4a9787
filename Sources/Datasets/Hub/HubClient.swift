import CLoaded
import Threads

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A file of a dataset as the Hub lists it.
struct HubFile: Hashable, Sendable {
    let path: String
    let byteCount: Int
    /// The SHA-256 of a large file, or Git's SHA-1 of a small one: also its ETag, and its name in the cache.
    let hash: String
}

/// The Hub's HTTP interface: listings and files, with attempts repeated where that may help.
struct HubClient: Sendable {
    let settings: HubSettings
    private let http: HTTPClient

    init(_ settings: HubSettings) {
        self.settings = settings
        http = HTTPClient(patience: settings.patience, authorities: settings.authorities)
    }

    /// The commit that a revision is at.
    func commit(of locator: HubLocator) throws(HubError) -> String {
        let revision = locator.revision
        if revision.count == 40, isHexadecimal(revision) { return revision }
        struct Answer: Decodable { let sha: String }
        let url =
            "\(settings.endpoint)/api/datasets/\(locator.repository)/revision/\(escaped(revision, slashes: false))"
        let answer: Answer = try json(url).value
        guard answer.sha.count == 40, isHexadecimal(answer.sha) else {
            throw .badAnswer(url: url, reason: "'\(answer.sha.prefix(80))' is not a commit")
        }
        return answer.sha
    }

    /// All files below the locator's folder, page by page.
    func files(of locator: HubLocator, commit: String) throws(HubError) -> [HubFile] {
        struct Entry: Decodable {
            struct Large: Decodable { let oid: String }
            let type: String
            let path: String
            let oid: String
            let size: Int
            let lfs: Large?
        }
        let folder = locator.folder.isEmpty ? "" : "/\(escaped(locator.folder))"
        var url: String? =
            "\(settings.endpoint)/api/datasets/\(locator.repository)/tree/\(commit)\(folder)?recursive=true&expand=false"
        var files: [HubFile] = []
        var seen: Set<String> = []
        while let page = url {
            // A server that lists in circles would do so for ever.
            guard seen.insert(page).inserted, seen.count < 100_000 else {
                throw .badAnswer(url: page, reason: "the listing does not end")
            }
            let answer: (value: [Entry], head: HTTPHead) = try json(page)
            for entry in answer.value where entry.type == "file" {
                let hash = entry.lfs?.oid ?? entry.oid
                guard isInside(entry.path), isHexadecimal(hash), hash.count == 40 || hash.count == 64, entry.size >= 0
                else {
                    throw .badAnswer(
                        url: page, reason: "it lists '\(entry.path.prefix(200))' with the hash '\(hash.prefix(80))'")
                }
                files.append(HubFile(path: entry.path, byteCount: entry.size, hash: hash))
            }
            url = nextPage(answer.head)
        }
        return files
    }

    /// Streams a file into a sink from the byte `offset` on; returns when the answer ends, however much of it came.
    func fetch(
        _ file: HubFile, of locator: HubLocator, commit: String, from offset: Int, into sink: any HTTPSink
    ) throws(HubError) -> HTTPHead {
        let url = url(of: file, locator, commit)
        return try exchange(url, fields: offset > 0 ? ["Range: bytes=\(offset)-"] : [], into: sink)
    }

    func url(of file: HubFile, _ locator: HubLocator, _ commit: String) -> String {
        "\(settings.endpoint)/datasets/\(locator.repository)/resolve/\(commit)/\(escaped(file.path))"
    }

    /// Whether the same request may fare better later.
    static func isTransient(_ status: Int) -> Bool { status == 408 || status == 425 || status == 429 || status >= 500 }

    /// Seconds to wait before the attempt with this number, the first repetition being 1; what the server asks for if it does.
    func delay(before attempt: Int, _ head: HTTPHead?) -> Double {
        let growing = settings.delay * Double(1 << min(attempt - 1, 16))
        guard let asked = head?.fields["retry-after"] else { return min(growing, settings.maximumDelay) }
        let seconds = Double(asked) ?? date(asked)?.timeIntervalSinceNow ?? growing
        return max(0, min(seconds.isFinite ? seconds : growing, settings.maximumDelay))
    }

    private func date(_ text: String) -> Date? {
        guard loaded_curl() else { return nil }
        let seconds = loaded_curl_getdate(text, nil)
        return seconds < 0 ? nil : Date(timeIntervalSince1970: Double(seconds))
    }

    /// A document, with attempts repeated.
    private func json<Value: Decodable>(_ url: String) throws(HubError) -> (value: Value, head: HTTPHead) {
        var failure = HubError.network(url: url, reason: "there is no answer")
        for attempt in 1...max(1, settings.attempts) {
            let body = HTTPMemory(limit: 64 << 20)
            var head: HTTPHead?
            do throws(HubError) {
                let answer = try exchange(url, fields: [], into: body)
                head = answer
                if !Self.isTransient(answer.status) {
                    try check(answer, url)
                    do { return (try JSONDecoder().decode(Value.self, from: Data(body.bytes)), answer) } catch {
                        throw HubError.badAnswer(url: url, reason: "not the JSON that was expected")
                    }
                }
                failure = .refused(url: url, status: answer.status)
            } catch {
                guard case .network = error else { throw error }
                failure = error
            }
            if attempt < settings.attempts { pause(seconds: delay(before: attempt, head)) }
        }
        throw failure
    }

    /// - Throws: for any answer that is not a success and will not become one.
    func check(_ head: HTTPHead, _ url: String) throws(HubError) {
        switch head.status {
        case 200..<300: return
        case 401, 403: throw .unauthorized(url: url)
        case 404, 410: throw .notFound(url: url)
        default: throw .refused(url: url, status: head.status)
        }
    }

    /// A request and the redirects that it meets. The token goes to the Hub itself and to nobody that it redirects to.
    private func exchange(_ start: String, fields: [String], into sink: any HTTPSink) throws(HubError) -> HTTPHead {
        var url = start
        for _ in 0..<10 {
            var fields = fields
            if let token = settings.token, origin(url) == origin(settings.endpoint) {
                // A line end would begin another field.
                fields.append("Authorization: Bearer \(token.filter { !$0.isNewline })")
            }
            let body = SuccessBody(sink)
            let head: HTTPHead
            do throws(HTTPClient.Failure) { head = try http.get(url, fields: fields, into: body) } catch {
                if error.isStopped { throw .badAnswer(url: start, reason: "it is longer than it should be") }
                throw .network(url: start, reason: error.reason)
            }
            guard [301, 302, 303, 307, 308].contains(head.status) else { return head }
            guard let location = head.fields["location"], let next = URL(string: location, relativeTo: URL(string: url))
            else {
                throw .badAnswer(url: start, reason: "a redirect to nowhere")
            }
            if url.hasPrefix("https:"), next.scheme?.lowercased() != "https" {
                throw .badAnswer(url: start, reason: "a redirect away from https")
            }
            url = next.absoluteString
        }
        throw .badAnswer(url: start, reason: "too many redirects")
    }

    private func origin(_ url: String) -> [String]? {
        guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(), let host = parts.host
        else {
            return nil
        }
        return [scheme, host.lowercased(), String(parts.port ?? (scheme == "https" ? 443 : 80))]
    }

    /// The address in `Link: <…>; rel="next"`, if it is the Hub's own.
    private func nextPage(_ head: HTTPHead) -> String? {
        guard let link = head.fields["link"], let match = link.firstMatch(of: /<([^>]+)>\s*;\s*rel="?next"?/),
            let url = URL(string: String(match.1), relativeTo: URL(string: settings.endpoint))?.absoluteString
        else { return nil }
        return origin(url) == origin(settings.endpoint) ? url : nil
    }

    private func escaped(_ path: String, slashes: Bool = true) -> String {
        percentEncoded(path, keeping: slashes ? "-._~/" : "-._~")
    }
}

func isHexadecimal(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
}

/// Lets the body of a success through, and drops the page that an error or a redirect comes with.
private final class SuccessBody: HTTPSink {
    private let sink: any HTTPSink

    init(_ sink: any HTTPSink) { self.sink = sink }

    func receive(_ bytes: UnsafeRawBufferPointer, _ head: HTTPHead) -> Bool {
        (200..<300).contains(head.status) ? sink.receive(bytes, head) : true
    }
}
