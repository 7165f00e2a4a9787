import Foundation

/// A Python implementation of the same work, kept running beside ours and asked for one run at a time.
///
/// It speaks lines of JSON: `{"run": "infer", "repeat": 3}` is answered by `{"seconds": [...]}`.
final class Peer {
    let name: String
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var buffer = Data()

    /// Starts the peer and waits until it is warm.
    init(
        _ name: String, python: String, weights: String, script: String = "serve.py", arguments: [String] = []
    ) throws {
        self.name = name
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["Benchmarks/peers/\(script)", "--peer", name, "--weights", weights] + arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let ready = try readLine()
        guard ready["ready"] as? Bool == true else { throw PeerError.unexpected(name, "\(ready)") }
    }

    deinit { process.terminate() }

    /// The seconds of each of `count` runs.
    func run(_ work: String, count: Int) throws -> [Double] {
        let answer = try answer(work, count: count)
        guard let seconds = answer["seconds"] as? [Double] else { throw PeerError.unexpected(name, "\(answer)") }
        return seconds
    }

    /// The losses of each of `count` steps.
    func losses(_ work: String, count: Int) throws -> [[Double]] {
        let answer = try answer(work, count: count)
        guard let losses = answer["losses"] as? [[Double]] else { throw PeerError.unexpected(name, "\(answer)") }
        return losses
    }

    /// All that the peer answers.
    func answer(_ work: String, count: Int = 1) throws -> [String: Any] {
        let request = try JSONSerialization.data(withJSONObject: ["run": work, "repeat": count])
        try input.fileHandleForWriting.write(contentsOf: request + Data("\n".utf8))
        return try readLine()
    }

    private func readLine() throws -> [String: Any] {
        while true {
            while let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = buffer[buffer.startIndex..<end]
                buffer = Data(buffer[buffer.index(after: end)...])
                // Libraries print to standard output too; answers are the lines that are JSON objects.
                if let object = try? JSONSerialization.jsonObject(with: line) as? [String: Any] { return object }
            }
            // What has arrived: reading a count would wait for all of it.
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { throw PeerError.ended(name) }
            buffer += more
        }
    }
}

enum PeerError: Error, CustomStringConvertible {
    case ended(String)
    case unexpected(String, String)

    var description: String {
        switch self {
        case .ended(let name): "the \(name) peer ended; see its messages above (`make peers` installs what it needs)"
        case .unexpected(let name, let answer): "the \(name) peer answered \(answer)"
        }
    }
}
