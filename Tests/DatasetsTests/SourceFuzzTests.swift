import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Damaged datasets of every layout end in records and failures. In a process of its own, as a crash would end the others.
@Suite struct SourceFuzzTests {
    @Test func damagedManifestsAreSurvived() async throws {
        await #expect(processExitsWith: .success) {
            try fuzz(["audiofolder-jsonl/train/metadata.jsonl", "audiofolder-csv/train/metadata.csv"])
        }
    }

    @Test func damagedArchivesAreSurvived() async throws {
        await #expect(processExitsWith: .success) {
            try fuzz(
                [
                    "webdataset/train-000000.tar", "webdataset/test-000000.tar.gz", "archives/compressed.tar.zst",
                    "archives/pax.tar",
                ])
        }
    }

    @Test(.enabled(if: hasArrow)) func damagedTablesAreSurvived() async throws {
        await #expect(processExitsWith: .success) {
            try fuzz(["parquet/data/train-00000-of-00001.parquet", "parquet/other.parquet"])
        }
    }
}

private func fuzz(_ paths: [String]) throws {
    let folder = try TemporaryFolder()
    let originals = try paths.map { (splitPath($0).file, try contents(of: "\(datasetsFolder)/\($0)")) }
    // Loaded before memory is limited.
    if paths[0].hasSuffix("parquet") { _ = try readAll(try openSource("\(datasetsFolder)/\(paths[0])")) }
    try Fuzzing.run { seed in
        var mutator = Mutator(seed: seed)
        let (name, original) = originals[Int(seed % UInt64(originals.count))]
        let path = folder.file(name)
        try write(mutator.mutated(original), to: path)
        let source: any Source
        do { source = try openSource(path) } catch is SourceError { return }
        for shard in source.shards.indices {
            let reader = try source.open(shard: shard)
            var steps = 0
            while let result = reader.next() {
                steps += 1
                precondition(steps < 10_000, "it does not end: \(path), seed \(seed), \(result)")
            }
            precondition(reader.ordinal >= steps)
        }
    }
}
