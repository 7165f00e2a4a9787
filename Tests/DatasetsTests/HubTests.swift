import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Datasets

/// Against a server on this machine that behaves like the Hub, and does not.
@Suite struct HubTests {
    static let small = FakeHub.File(path: "README.md", bytes: Array("# Sounds\n".utf8), isLarge: false)
    static let large = FakeHub.File(
        path: "data/über 1.bin", bytes: (0..<300_000).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) },
        isLarge: true)
    let cache: TemporaryFolder
    let locator: HubLocator

    init() throws {
        cache = try TemporaryFolder()
        locator = try #require(try HubLocator("hf://datasets/someone/sounds"))
    }

    private func tree(_ hub: FakeHub, token: String? = nil) throws -> HubTree {
        try HubTree(locator, hub.settings(cache: cache.path, token: token))
    }

    private func fetched(_ hub: FakeHub, _ file: FakeHub.File) throws -> [UInt8] {
        try contents(of: try tree(hub).file(file.path, key: ""))
    }

    /// Everything in the cache, links with what they say.
    private func cached() throws -> [String: String] {
        var layout: [String: String] = [:]
        let files = FileManager.default
        for path in try files.subpathsOfDirectory(atPath: cache.path) {
            let full = cache.file(path)
            if let target = try? files.destinationOfSymbolicLink(atPath: full) {
                layout[path] = "-> \(target)"
            } else if try files.attributesOfItem(atPath: full)[.type] as? FileAttributeType == .typeRegular {
                layout[path] = path.hasSuffix(".lock") ? "" : digest(try contents(of: full))
            }
        }
        return layout
    }

    @Test func theCacheIsTheOneThatHuggingfaceHubMakes() throws {
        let hub = try FakeHub([Self.small, Self.large])
        let tree = try tree(hub)
        for file in hub.files { #expect(try contents(of: tree.file(file.path, key: "")) == file.bytes) }
        let expected = try JSONDecoder().decode(
            [String: String].self, from: Data(contentsOf: Fixture.folder.appending(path: "hub_cache.json")))
        #expect(try cached() == expected)
    }

    @Test func listingsComeInPages() throws {
        let files = (0..<25).map { FakeHub.File(path: "data/\($0).txt", bytes: [UInt8($0)], isLarge: false) }
        let hub = try FakeHub(files, pageSize: 10)
        #expect(try tree(hub).paths() == files.map(\.path).sorted())
        #expect(hub.hub.requests.count == 4)
    }

    @Test func theTokenStaysWithTheHub() throws {
        let hub = try FakeHub([Self.small, Self.large])
        let tree = try tree(hub, token: "hf_secret\r\nX-Other: 1")
        _ = try tree.file(Self.large.path, key: "")
        #expect(hub.hub.requests.allSatisfy { $0.fields["authorization"] == "Bearer hf_secretX-Other: 1" })
        #expect(hub.storage.requests.map { $0.fields["authorization"] } == [nil])
    }

    @Test func whatIsCachedIsNotFetchedAgain() throws {
        let hub = try FakeHub([Self.small, Self.large])
        for _ in 0..<3 { #expect(try fetched(hub, Self.large) == Self.large.bytes) }
        #expect(hub.storage.requests.count == 1)
    }

    @Test func cutConnectionsGoOnWhereTheyEnded() throws {
        let hub = try FakeHub([Self.large]) { _, request, answer in
            var answer = answer
            if request.path.hasPrefix("/data") { answer.cutAfter = 70_000 }
            return answer
        }
        #expect(try fetched(hub, Self.large) == Self.large.bytes)
        #expect(
            hub.storage.requests.map { $0.fields["range"] }
                == [nil, "bytes=70000-", "bytes=140000-", "bytes=210000-", "bytes=280000-"])
    }

    @Test func aLaterRunGoesOnWithAnEarlierOnes() throws {
        let hub = try FakeHub([Self.large])
        let blobs = cache.file("datasets--someone--sounds/blobs")
        try FileManager.default.createDirectory(atPath: blobs, withIntermediateDirectories: true)
        try write(Array(Self.large.bytes.prefix(100_000)), to: "\(blobs)/\(Self.large.hash).incomplete")
        #expect(try fetched(hub, Self.large) == Self.large.bytes)
        #expect(hub.storage.requests.map { $0.fields["range"] } == ["bytes=100000-"])
    }

    @Test func whatAnEarlierRunLeftMayBeWrong() throws {
        for left in [
            [UInt8](repeating: 1, count: 100_000), [UInt8](repeating: 1, count: 400_000), Self.large.bytes + [1],
        ] {
            let cache = try TemporaryFolder()
            let hub = try FakeHub([Self.large])
            let blobs = cache.file("datasets--someone--sounds/blobs")
            try FileManager.default.createDirectory(atPath: blobs, withIntermediateDirectories: true)
            try write(left, to: "\(blobs)/\(Self.large.hash).incomplete")
            let tree = try HubTree(locator, hub.settings(cache: cache.path))
            #expect(try contents(of: tree.file(Self.large.path, key: "")) == Self.large.bytes)
        }
    }

    @Test func aServerMayIgnoreRanges() throws {
        let hub = try FakeHub([Self.large]) { number, request, answer in
            guard request.path.hasPrefix("/data") else { return answer }
            // The whole file each time, cut off at first.
            return .init(body: Self.large.bytes, cutAfter: request.fields["range"] == nil ? 1000 : nil)
        }
        #expect(try fetched(hub, Self.large) == Self.large.bytes)
    }

    @Test(arguments: [429, 500, 503]) func whatMayPassIsTriedAgain(_ status: Int) throws {
        let refusals = Mutex(0)
        let hub = try FakeHub([Self.large]) { _, _, answer in
            let number = refusals.withLock { count in
                count += 1
                return count
            }
            guard number % 3 == 1 else { return answer }
            return .init(status: status, fields: ["Retry-After": "0"])
        }
        #expect(try fetched(hub, Self.large) == Self.large.bytes)
    }

    @Test func aServerThatAsksForTimeGetsIt() throws {
        let hub = try FakeHub([Self.small]) { number, _, answer in
            number == 0 ? .init(status: 429, fields: ["Retry-After": "1"]) : answer
        }
        let start = ContinuousClock.now
        _ = try tree(hub)
        #expect(ContinuousClock.now - start >= .seconds(1))
        let client = HubClient(hub.settings(cache: cache.path))
        let soon = Date(timeIntervalSinceNow: 30)
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "GMT")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        let head = HTTPHead(status: 429, fields: ["retry-after": formatter.string(from: soon)])
        #expect((25...31).contains(client.delay(before: 1, head)))
        #expect(client.delay(before: 1, HTTPHead(status: 429, fields: ["retry-after": "1e9"])) == 300)
    }

    @Test func thereIsAnEndToAttempts() throws {
        let hub = try FakeHub([Self.small]) { _, _, _ in .init(status: 500) }
        #expect(
            throws: SourceError.hub(
                .refused(url: "\(hub.hub.url)/api/datasets/someone/sounds/revision/main", status: 500))
        ) {
            try tree(hub)
        }
        #expect(hub.hub.requests.count == 4)
    }

    @Test(arguments: [401, 403, 404]) func whatWillNotPassIsToldAtOnce(_ status: Int) throws {
        let hub = try FakeHub([Self.small]) { _, _, _ in .init(status: status) }
        let url = "\(hub.hub.url)/api/datasets/someone/sounds/revision/main"
        #expect(throws: SourceError.hub(status == 404 ? .notFound(url: url) : .unauthorized(url: url))) {
            try tree(hub)
        }
        #expect(hub.hub.requests.count == 1)
    }

    @Test func whatIsNotWhatItShouldBeIsNotKept() throws {
        let hub = try FakeHub([Self.large]) { _, request, answer in
            var answer = answer
            if request.path.hasPrefix("/data") { answer.body[5] ^= 1 }
            return answer
        }
        let failure = #expect(throws: RecordFailure.self) { try fetched(hub, Self.large) }
        #expect(failure?.kind == .notFetched)
        #expect(failure?.detail.contains(Self.large.hash) == true)
        #expect(try cached().keys.filter { $0.contains("snapshots") } == [])
        #expect(try cached().filter { $0.key.contains("blobs") }.values.allSatisfy { $0 == digest([]) })
    }

    @Test func anAnswerLongerThanTheListingSaysIsCutOff() throws {
        let hub = try FakeHub([Self.large]) { _, request, answer in
            var answer = answer
            if request.path.hasPrefix("/data") { answer.body += [UInt8](repeating: 0, count: 2_000_000) }
            return answer
        }
        #expect(throws: RecordFailure.self) { try fetched(hub, Self.large) }
    }

    @Test func hostileListingsAreRefused() throws {
        for entry in [
            #"[{"type":"file","path":"../../escape","size":1,"oid":"\#(Self.small.hash)"}]"#,
            #"[{"type":"file","path":"a","size":1,"oid":"../../../../escape"}]"#,
            #"[{"type":"file","path":"a","size":-1,"oid":"\#(Self.small.hash)"}]"#, "{", "[1]",
        ] {
            let hub = try FakeHub([Self.small]) { _, request, answer in
                request.path.contains("/tree/") ? .init(body: Array(entry.utf8)) : answer
            }
            #expect(throws: SourceError.self) { try tree(hub) }
        }
        let circle = try FakeHub([Self.small]) { _, request, answer in
            var answer = answer
            if request.path.contains("/tree/") { answer.fields["Link"] = "<\(request.path)>; rel=\"next\"" }
            return answer
        }
        #expect(throws: SourceError.self) { try tree(circle) }
        let revision = try FakeHub([Self.small]) { _, _, _ in .init(body: Array(#"{"sha":"../../x"}"#.utf8)) }
        #expect(throws: SourceError.self) { try tree(revision) }
    }

    @Test func redirectsDoNotLeadToFilesOfThisMachine() throws {
        for target in ["file:///etc/passwd", "", "/datasets/someone/sounds/resolve/\(FakeHub.commit)/README.md"] {
            let hub = try FakeHub([Self.small]) { _, request, answer in
                request.path.contains("/resolve/") ? .init(status: 302, fields: ["Location": target]) : answer
            }
            #expect(throws: RecordFailure.self) { try fetched(hub, Self.small) }
        }
    }

    @Test func offlineTheCacheIsAllThereIs() throws {
        let hub = try FakeHub([Self.small, Self.large])
        _ = try fetched(hub, Self.small)
        var settings = hub.settings(cache: cache.path)
        settings.isOffline = true
        let offline = try HubTree(locator, settings)
        #expect(try offline.paths() == ["README.md"])
        #expect(try contents(of: offline.file("README.md", key: "")) == Self.small.bytes)
        #expect(throws: RecordFailure.self) { try offline.file(Self.large.path, key: "") }
        settings.cache = cache.file("other")
        #expect(throws: SourceError.hub(.notCached(name: "hf://datasets/someone/sounds@main"))) {
            try HubTree(locator, settings)
        }
    }

    @Test func oneOfSeveralReadersFetches() throws {
        let hub = try FakeHub([Self.large]) { _, _, answer in
            var answer = answer
            answer.pause = 0.05
            return answer
        }
        let trees = try (0..<4).map { _ in try tree(hub) }
        let wrong = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: trees.count) { index in
            do {
                let bytes = try contents(of: trees[index].file(Self.large.path, key: ""))
                if bytes != Self.large.bytes { wrong.withLock { $0 += 1 } }
            } catch { Issue.record(error) }
        }
        #expect(wrong.withLock { $0 } == 0)
        #expect(hub.storage.requests.count == 1)
    }

    @Test func aShardIsFetchedWhenItIsOpened() throws {
        let shards = try ["train-000000.tar", "train-000001.tar"].map { name in
            FakeHub.File(
                path: "wds/\(name)", bytes: try contents(of: "\(datasetsFolder)/webdataset/\(name)"), isLarge: true)
        }
        let hub = try FakeHub(shards + [Self.small])
        let source = try layout(of: try tree(hub), try tree(hub).paths(), split: nil, ColumnNames())
        #expect(source.shards.map(\.name) == shards.map(\.path))
        #expect(hub.storage.requests.isEmpty)
        let reader = try source.open(shard: 1)
        #expect(try reader.next()?.get().metadata.text == "три")
        #expect(hub.storage.requests.map(\.path) == ["/wds/train-000001.tar"])
    }

    @Test func locatorsAreHuggingFaces() throws {
        func parts(_ locator: String) throws -> [String]? {
            try HubLocator(locator).map { [$0.repository, $0.revision, $0.folder] }
        }
        #expect(try parts("hf://datasets/a/b") == ["a/b", "main", ""])
        #expect(try parts("hf://datasets/a/b@v1.0/en/data/") == ["a/b", "v1.0", "en/data"])
        #expect(try parts("hf://datasets/a/b@refs/convert/parquet/x") == ["a/b", "refs/convert/parquet", "x"])
        #expect(try parts("hf://datasets/a/b@feature%2Fone") == ["a/b", "feature/one", ""])
        #expect(try parts("data/folder") == nil)
        for bad in [
            "hf://datasets/a", "hf://models/a/b", "hf://datasets/../b", "hf://datasets/a/b@..%2F..%2Fx",
            "hf://datasets/a/b/../../x",
        ] {
            #expect(throws: SourceError.self) { try HubLocator(bad) }
        }
    }

    @Test func theEnvironmentIsHuggingfaceHubs() throws {
        let home = try TemporaryFolder()
        try write(Array("hf_stored\n".utf8), to: home.file("token"))
        let stored = HubSettings(environment: ["HF_HOME": home.path, "HF_ENDPOINT": "http://x/"])
        #expect(stored.token == "hf_stored")
        #expect(stored.cache == home.file("hub"))
        #expect(stored.endpoint == "http://x")
        let set = HubSettings(environment: [
            "HF_HOME": home.path, "HF_TOKEN": "hf_set", "HF_HUB_CACHE": "/c", "HF_HUB_OFFLINE": "1",
        ])
        #expect(set.token == "hf_set")
        #expect(set.cache == "/c")
        #expect(set.isOffline)
    }
}
