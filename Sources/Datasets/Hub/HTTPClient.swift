import CLoaded
import Synchronization

/// An answer's first lines.
struct HTTPHead: Sendable {
    var status = 0
    /// By name in lower case.
    var fields: [String: String] = [:]
}

/// Takes an answer's body as it arrives.
protocol HTTPSink: AnyObject {
    /// - Returns: whether to go on.
    func receive(_ bytes: UnsafeRawBufferPointer, _ head: HTTPHead) -> Bool
}

/// HTTP by libcurl: bodies go where they belong as they arrive, and connections are kept.
///
/// Foundation's `URLSession` is, on Linux, libcurl behind layers that hold a body in memory or in a temporary file of their own,
/// and linked into the program they would double it.
final class HTTPClient: Sendable {
    struct Failure: Error {
        let reason: String
        /// A sink did not want any more.
        var isStopped = false
    }

    private struct Handle: @unchecked Sendable {
        // A handle is taken out of the pool before it is used, so that one thread has it.
        let pointer: UnsafeMutableRawPointer
    }

    private let pool = Mutex<[Handle]>([])
    private let patience: Int
    private let authorities: String?

    private static let isReady = loaded_curl() && loaded_curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

    /// - Parameters:
    ///   - patience: seconds without a byte after which a connection is given up.
    ///   - authorities: a file of those that certificates are checked by; nil for the system's.
    init(patience: Int, authorities: String? = nil) {
        self.patience = patience
        self.authorities = authorities
    }

    deinit {
        pool.withLock { handles in
            for handle in handles { loaded_curl_easy_cleanup(handle.pointer) }
        }
    }

    /// One GET. Redirects are not followed: whose token goes where is decided by the caller.
    func get(_ url: String, fields: [String], into sink: any HTTPSink) throws(Failure) -> HTTPHead {
        guard Self.isReady, let curl = pool.withLock({ $0.popLast() })?.pointer ?? loaded_curl_easy_init() else {
            throw Failure(reason: "libcurl cannot be used; is it installed? On Debian it is libcurl4")
        }
        defer {
            loaded_curl_easy_reset(curl)
            let handle = Handle(pointer: curl)
            pool.withLock { $0.append(handle) }
        }
        let exchange = Exchange(sink: sink)
        let context = Unmanaged.passUnretained(exchange).toOpaque()
        loaded_curl_set_text(curl, CURLOPT_URL, url)
        // A redirect or a proxy must not lead to files of this machine.
        loaded_curl_set_text(curl, CURLOPT_PROTOCOLS_STR, "http,https")
        if let authorities { loaded_curl_set_text(curl, CURLOPT_CAINFO, authorities) }
        loaded_curl_set_text(curl, CURLOPT_USERAGENT, "allophone")
        loaded_curl_set_long(curl, CURLOPT_NOSIGNAL, 1)
        loaded_curl_set_long(curl, CURLOPT_CONNECTTIMEOUT, min(patience, 30))
        loaded_curl_set_long(curl, CURLOPT_LOW_SPEED_LIMIT, 1)
        loaded_curl_set_long(curl, CURLOPT_LOW_SPEED_TIME, patience)
        loaded_curl_set_receiver(curl, CURLOPT_HEADERFUNCTION) { bytes, _, count, context in
            guard let bytes, let context else { return 0 }
            let line = UnsafeRawBufferPointer(start: bytes, count: count)
            Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue().header(String(decoding: line, as: UTF8.self))
            return count
        }
        loaded_curl_set_pointer(curl, CURLOPT_HEADERDATA, context)
        loaded_curl_set_receiver(curl, CURLOPT_WRITEFUNCTION) { bytes, _, count, context in
            guard let bytes, let context else { return 0 }
            let exchange = Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
            exchange.isStopped = !exchange.sink.receive(
                UnsafeRawBufferPointer(start: bytes, count: count), exchange.head)
            return exchange.isStopped ? 0 : count
        }
        loaded_curl_set_pointer(curl, CURLOPT_WRITEDATA, context)
        var list: UnsafeMutablePointer<curl_slist>?
        for field in fields { list = loaded_curl_slist_append(list, field) ?? list }
        defer { loaded_curl_slist_free_all(list) }
        loaded_curl_set_pointer(curl, CURLOPT_HTTPHEADER, list)

        let code = withExtendedLifetime(exchange) { loaded_curl_easy_perform(curl) }
        guard code == CURLE_OK else {
            throw Failure(reason: String(cString: loaded_curl_easy_strerror(code)), isStopped: exchange.isStopped)
        }
        return exchange.head
    }

    private final class Exchange {
        let sink: any HTTPSink
        var head = HTTPHead()
        var isStopped = false

        init(sink: any HTTPSink) { self.sink = sink }

        /// A status line begins anew: a proxy or `100 Continue` may have answered before.
        func header(_ line: String) {
            if line.hasPrefix("HTTP/") {
                let words = line.split(separator: " ")
                head = HTTPHead(status: words.count > 1 ? Int(words[1]) ?? 0 : 0)
            } else if let colon = line.firstIndex(of: ":") {
                let value = line[line.index(after: colon)...].drop { $0.isWhitespace }
                head.fields[line[..<colon].lowercased()] = String(
                    value.reversed().drop { $0.isWhitespace }.reversed())
            }
        }
    }
}

/// A body of a bounded length, in memory.
final class HTTPMemory: HTTPSink {
    private(set) var bytes: [UInt8] = []
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    func receive(_ bytes: UnsafeRawBufferPointer, _ head: HTTPHead) -> Bool {
        guard self.bytes.count + bytes.count <= limit else { return false }
        self.bytes.append(contentsOf: bytes)
        return true
    }
}
