import CCrypto
import Foundation
import Synchronization

@testable import Datasets

/// What the Hub does with one dataset, `someone/sounds`: revisions, listings in pages, and files, of which the large ones are
/// redirected to another server.
final class FakeHub: Sendable {
    static let commit = String(repeating: "c0ffee00", count: 5)

    struct File: Sendable {
        let path: String
        let bytes: [UInt8]
        /// Kept in large file storage.
        let isLarge: Bool

        var hash: String {
            isLarge ? digest(bytes) : digest(Array("blob \(bytes.count)\0".utf8) + bytes, EVP_sha1())
        }
    }

    let files: [File]
    let hub: LoopbackServer
    let storage: LoopbackServer

    /// - Parameters:
    ///   - pageSize: entries of a listing on a page.
    ///   - disturb: what happens to a request in place of, or to, the answer that it should get; the number counts from 0.
    init(
        _ files: [File], pageSize: Int = 1000,
        disturb:
            @escaping @Sendable (_ number: Int, LoopbackServer.Request, LoopbackServer.Answer) -> LoopbackServer.Answer =
            {
                $2
            }
    ) throws {
        self.files = files
        let count = Mutex(0)
        let contents = Dictionary(uniqueKeysWithValues: files.map { ($0.path, $0) })
        let storage = try LoopbackServer { request in
            let file = contents[String(request.path.dropFirst()).removingPercentEncoding ?? ""]
            let number = count.withLock { count in
                count += 1
                return count - 1
            }
            return disturb(number, request, Self.body(file, request))
        }
        self.storage = storage
        let large = storage.url
        hub = try LoopbackServer { request in
            let answer: LoopbackServer.Answer
            let root = "/datasets/someone/sounds/resolve/\(Self.commit)/"
            if request.path == "/api/datasets/someone/sounds/revision/main" {
                answer = Self.json(["sha": Self.commit])
            } else if request.path.hasPrefix("/api/datasets/someone/sounds/tree/\(Self.commit)") {
                answer = Self.listing(files, request, pageSize)
            } else if request.path.hasPrefix(root),
                let file = contents[String(request.path.dropFirst(root.count)).removingPercentEncoding ?? ""]
            {
                answer =
                    file.isLarge
                    ? LoopbackServer.Answer(
                        status: 302, fields: ["Location": "\(large)/\(request.path.dropFirst(root.count))"],
                        body: Array("Found. Redirecting".utf8))
                    : Self.body(file, request)
            } else {
                answer = LoopbackServer.Answer(status: 404, body: Array("Not found".utf8))
            }
            let number = count.withLock { count in
                count += 1
                return count - 1
            }
            return disturb(number, request, answer)
        }
    }

    /// Settings that find it, with attempts that follow each other at once.
    func settings(cache: String, token: String? = nil) -> HubSettings {
        var settings = HubSettings(cache: cache)
        settings.endpoint = hub.url
        settings.token = token
        settings.delay = 0.002
        settings.attempts = 4
        settings.patience = 5
        return settings
    }

    private static func json(_ value: Any) -> LoopbackServer.Answer {
        LoopbackServer.Answer(body: Array((try? JSONSerialization.data(withJSONObject: value)) ?? Data()))
    }

    private static func body(_ file: File?, _ request: LoopbackServer.Request) -> LoopbackServer.Answer {
        guard let file else { return LoopbackServer.Answer(status: 404) }
        var answer = LoopbackServer.Answer(fields: ["ETag": "\"\(file.hash)\""], body: file.bytes)
        if let range = request.fields["range"], let start = Int(range.dropFirst("bytes=".count).dropLast()) {
            guard start < file.bytes.count else { return LoopbackServer.Answer(status: 416) }
            answer.status = 206
            answer.fields["Content-Range"] = "bytes \(start)-\(file.bytes.count - 1)/\(file.bytes.count)"
            answer.body = Array(file.bytes[start...])
        }
        return answer
    }

    private static func listing(_ files: [File], _ request: LoopbackServer.Request, _ size: Int)
        -> LoopbackServer.Answer
    {
        let url = URLComponents(string: request.path)
        let page = url?.queryItems?.first { $0.name == "cursor" }?.value.flatMap { Int($0) } ?? 0
        let entries = files.dropFirst(page * size).prefix(size).map { file -> [String: Any] in
            var entry: [String: Any] = ["type": "file", "path": file.path, "size": file.bytes.count, "oid": file.hash]
            if file.isLarge {
                entry["oid"] = String(repeating: "0", count: 40)
                entry["lfs"] = ["oid": file.hash, "size": file.bytes.count, "pointerSize": 130] as [String: Any]
            }
            return entry
        }
        var answer = json(entries + [["type": "directory", "path": "data", "oid": "0", "size": 0]])
        if (page + 1) * size < files.count {
            let host = request.fields["host"] ?? ""
            let path = url?.path ?? ""
            answer.fields["Link"] =
                "<http://\(host)\(path)?recursive=true&expand=false&cursor=\(page + 1)>; rel=\"next\""
        }
        return answer
    }
}
