import CCrypto
import Datasets
import Foundation
import TestSupport
import Testing

/// All that a source has, shard by shard.
func readAll(_ source: any Source) throws -> (records: [Record], failures: [RecordFailure]) {
    var (records, failures): ([Record], [RecordFailure]) = ([], [])
    for shard in source.shards.indices {
        let reader = try source.open(shard: shard)
        while let result = reader.next() {
            switch result {
            case .success(let record): records.append(record)
            case .failure(let failure): failures.append(failure)
            }
        }
    }
    return (records, failures)
}

/// The folder of the datasets that `Tests/Oracles/datasets_sources.py` writes.
let datasetsFolder = Fixture.folder.appending(path: "datasets").path

/// A record, as the oracle writes what `datasets` and `webdataset` read.
struct ExpectedRecord: Codable, Hashable, CustomStringConvertible {
    var key: String?
    var split: String
    var sha256: String
    var text: String
    var speaker: String
    var language: String
    var seconds: Double

    var description: String { "\(key ?? "") \(split) \(sha256.prefix(8)) '\(text)' \(speaker) \(language) \(seconds)" }

    static func all() throws -> [String: [ExpectedRecord]] {
        try JSONDecoder().decode(
            [String: [ExpectedRecord]].self, from: Data(contentsOf: URL(filePath: "\(datasetsFolder)/expected.json")))
    }

    init(_ record: Record) throws {
        split = try #require(record.metadata.split)
        sha256 = digest(try soundBytes(record))
        text = try #require(record.metadata.text)
        speaker = try #require(record.metadata.speaker)
        language = try #require(record.metadata.language)
        seconds = try #require(record.metadata.seconds)
    }
}

/// The encoded sound of a record.
func soundBytes(_ record: Record) throws -> [UInt8] {
    switch record.sound {
    case .bytes(let bytes, _): bytes
    case .file(let path): try contents(of: path)
    }
}

/// SHA-256, or SHA-1, in hexadecimal.
func digest(_ bytes: [UInt8], _ algorithm: OpaquePointer? = EVP_sha256()) -> String {
    var result = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    EVP_Digest(bytes, bytes.count, &result, &count, algorithm, nil)
    return result.prefix(Int(count)).map { String(format: "%02x", $0) }.joined()
}

/// Whether `make arrow` has been run; `make test` does.
let hasArrow = FileManager.default.fileExists(
    atPath: Fixture.folder.appending(path: "../../.arrow/lib/liballophone_parquet.so").path)
