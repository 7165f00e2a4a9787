import Audio
import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Against files written by Python's `datasets`, `pyarrow` and `webdataset`, and what those read back.
@Suite struct LayoutTests {
    static let layouts = ["audiofolder-csv", "audiofolder-jsonl", "audiofolder-parquet", "parquet", "webdataset"]
        .filter { hasArrow || !$0.contains("parquet") }

    @Test(arguments: layouts) func everyLayoutReadsAsItsOwnLibraryReadsIt(_ layout: String) throws {
        let expected = try #require(try ExpectedRecord.all()[layout])
        let root = layout == "parquet" ? "\(datasetsFolder)/parquet/data" : "\(datasetsFolder)/\(layout)"
        let (records, failures) = try readAll(try openSource(root))
        #expect(failures == [])
        let found = try records.map(ExpectedRecord.init)
        func order(_ records: [ExpectedRecord]) -> [ExpectedRecord] {
            records.map { record in
                var record = record
                record.key = nil
                return record
            }.sorted { $0.sha256 < $1.sha256 }
        }
        #expect(order(found) == order(expected))
    }

    @Test(arguments: layouts) func aSplitHoldsWhatItsOwnLibraryPutsThere(_ layout: String) throws {
        let expected = try #require(try ExpectedRecord.all()[layout])
        let root = "\(datasetsFolder)/\(layout)"
        for split in ["train", "test"] {
            let (records, failures) = try readAll(try openSource(root, split: split))
            #expect(failures == [])
            #expect(
                try records.map { try ExpectedRecord($0).sha256 }.sorted()
                    == expected.filter { $0.split == split }.map(\.sha256).sorted())
        }
        #expect(throws: SourceError.self) { try openSource(root, split: "validation") }
    }

    /// A position is a shard and an ordinal, whatever the layout.
    @Test(arguments: layouts) func readingGoesOnFromAnyOrdinal(_ layout: String) throws {
        let source = try openSource("\(datasetsFolder)/\(layout)", split: "train")
        for shard in source.shards.indices {
            let all = try source.open(shard: shard)
            var keys: [String] = []
            while let record = try all.next()?.get() {
                keys.append(record.key)
                #expect(all.ordinal == keys.count)
            }
            #expect(source.shards[shard].recordCount ?? keys.count == keys.count)
            let moving = try source.open(shard: shard)
            for ordinal in Array(0...keys.count) + Array((0...keys.count).reversed()) {
                let fresh = try source.open(shard: shard, at: ordinal)
                #expect(try fresh.next()?.get().key == (ordinal < keys.count ? keys[ordinal] : nil))
                try moving.seek(to: ordinal)
                #expect(try moving.next()?.get().key == (ordinal < keys.count ? keys[ordinal] : nil))
            }
        }
    }

    @Test func aQuoteWithinAFieldOfATableIsText() throws {
        let folder = try TemporaryFolder()
        let texts = ["a", "a 5\" pipe", "b", "two\nlines, \"quoted\"", "", "c"]
        let rows = [
            "0.wav,a", "1.wav,a 5\" pipe", "2.wav,b", "3.wav,\"two\nlines, \"\"quoted\"\"\"", "4.wav,\"\"", "5.wav,c",
        ]
        for number in rows.indices {
            try Waveform(samples: [0.5, -0.5], sampleRate: 8000).write(to: folder.file("\(number).wav"))
        }
        try write(Array((["file_name,text"] + rows).joined(separator: "\n").utf8), to: folder.file("metadata.csv"))
        let (records, failures) = try readAll(openSource(folder.path))
        #expect(failures == [])
        #expect(records.map { $0.metadata.text ?? "" } == texts)
    }

    @Test func bracesNameShards() throws {
        let source = try openSource("\(datasetsFolder)/webdataset/train-{000000..000001}.tar")
        #expect(source.shards.count == 2)
        #expect(
            try readAll(source).records.map { splitPath($0.key).file } == ["clip0", "clip1", "clip2", "clip3"])
        #expect(try expandBraces("a{8..11}-{x,y}") == ["8", "9", "10", "11"].flatMap { ["a\($0)-x", "a\($0)-y"] })
        for bad in ["a{1..", "a{3..1}", "{1..9999999}", "{0..9999}{0..9999}"] {
            #expect(throws: SourceError.self) { try expandBraces(bad) }
        }
    }

    /// What a ustar header has no room for is written in three ways.
    @Test(arguments: ["ustar", "gnu", "pax"]) func longAndForeignNamesAreReadInEveryFormOfTar(_ form: String) throws {
        let (records, failures) = try readAll(try openSource("\(datasetsFolder)/archives/\(form).tar"))
        #expect(failures == [])
        let keys = records.map { $0.key.components(separatedBy: ".tar/").last ?? "" }
        #expect(keys == ["\(String(repeating: "long-", count: 24))name/clip0", "речь/clip2"])
        #expect(records.map(\.metadata.text) == ["one, \"two\"", "три"])
    }

    @Test func zstandardArchivesAreRead() throws {
        let plain = try readAll(try openSource("\(datasetsFolder)/webdataset/train-000000.tar"))
        let compressed = try readAll(try openSource("\(datasetsFolder)/archives/compressed.tar.zst"))
        #expect(compressed.failures == [])
        #expect(try compressed.records.map(soundBytes) == plain.records.map(soundBytes))
    }

    @Test(.enabled(if: hasArrow)) func otherParquetTypesAreRead() throws {
        let (records, failures) = try readAll(try openSource("\(datasetsFolder)/parquet/other.parquet"))
        let expected = try #require(try ExpectedRecord.all()["parquet"])
        #expect(try records.map { digest(try soundBytes($0)) } == expected[..<3].map(\.sha256))
        #expect(records.map(\.metadata.text) == expected[..<3].map(\.text))
        #expect(records.map(\.metadata.speaker) == ["x", "y", nil])
        #expect(records.map { $0.metadata.seconds.map { Float($0) } } == [0.1, nil, 0.1])
        #expect(failures.map(\.kind) == [.noSound, .empty])
    }

    @Test func soundsWithoutATableAreADataset() throws {
        let folder = try TemporaryFolder()
        for path in [
            "a/train/1.flac", "a/train/2.WAV", "b/dev_1/3.ogg", "c/4.mp3", ".hidden/5.flac", "d/__x/6.flac", "7.md",
        ] {
            try FileManager.default.createDirectory(
                atPath: folder.file(splitPath(path).folder), withIntermediateDirectories: true)
            try write([1], to: folder.file(path))
        }
        #expect(
            try readAll(try openSource(folder.path)).records.map(\.key)
                == ["a/train/1.flac", "a/train/2.WAV", "b/dev_1/3.ogg", "c/4.mp3"])
        #expect(try readAll(try openSource(folder.path, split: "validation")).records.map(\.key) == ["b/dev_1/3.ogg"])
    }

    @Test func aTableThatIsNamedHasTheSplitsOfItsFolder() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.file("b"), withIntermediateDirectories: true)
        for path in ["0.wav", "1.wav", "b/2.wav"] { try write([1], to: folder.file(path)) }
        try write(Array("file_name\n0.wav\n1.wav\n".utf8), to: folder.file("metadata.csv"))
        try write(Array(#"{"file_name": "2.wav"}"#.utf8), to: folder.file("b/metadata.jsonl"))
        let named = try readAll(try openSource(folder.file("metadata.csv"), split: "train"))
        #expect(named.records.map(\.key) == ["0.wav", "1.wav"])
        #expect(named.records.map(\.metadata.split) == ["train", "train"])
        #expect(try readAll(try openSource(folder.path, split: "train")).records.count == 3)
        let error = #expect(throws: SourceError.self) { try openSource(folder.file("metadata.csv"), split: "test") }
        #expect(error == .noSuchSplit(name: folder.file("metadata.csv"), split: "test", present: ["train"]))
        // A manifest's rows alone tell.
        try write(Array(#"{"path": "0.wav"}"#.utf8), to: folder.file("manifest.jsonl"))
        for locator in [folder.path, folder.file("manifest.jsonl")] {
            let error = #expect(throws: SourceError.self) { try openSource(locator, split: "train") }
            #expect(error?.description.contains("Give the rows a `split`") == true)
        }
    }

    @Test func theSplitsThatAnErrorNamesCanBeOpened() throws {
        let folder = try TemporaryFolder()
        for split in ["train", "validation"] {
            try FileManager.default.createDirectory(atPath: folder.file(split), withIntermediateDirectories: true)
            try write([1], to: folder.file("\(split)/0.wav"))
        }
        try write(Array("file_name\n0.wav\n".utf8), to: folder.file("train/metadata.csv"))
        let error = #expect(throws: SourceError.self) { try openSource(folder.path, split: "validation") }
        #expect(error == .noSuchSplit(name: folder.path, split: "validation", present: ["train"]))
    }

    #if os(Linux)
        @Test func manyTablesAreNotKeptOpen() throws {
            let folder = try TemporaryFolder()
            for number in 0..<100 {
                try FileManager.default.createDirectory(
                    atPath: folder.file("\(number)"), withIntermediateDirectories: true)
                try write([1], to: folder.file("\(number)/0.wav"))
                try write(Array("file_name\n0.wav\n".utf8), to: folder.file("\(number)/metadata.csv"))
            }
            let source = try openSource(folder.path)
            let (records, failures) = try readAll(source)
            #expect(records.count == 100 && failures == [])
            let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter { descriptor in
                let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")
                return path?.hasPrefix(folder.path) == true
            }
            #expect(open == [])
            // What is read again has to be what was indexed.
            try write(Array("file_name,text\n0.wav,x\n".utf8), to: folder.file("7/metadata.csv"))
            #expect(try readAll(source).failures.map(\.kind) == [.unreadableFile])
        }
    #endif

    /// From the documentation of Hugging Face's `datasets`, "Structure your repository".
    @Test func splitsFollowTheRulesOfDatasets() {
        func splits(_ paths: [String]) -> [String] { paths.map { Splits(paths).splits(of: $0).joined(separator: "+") } }
        #expect(
            splits(["data/train-00000-of-00002.parquet", "data/extra-00000-of-00001-af.parquet", "x/test/1.parquet"])
                == ["train", "extra", ""])
        #expect(splits(["train/a.wav", "test/b.wav", "valid/c.wav"]) == ["train", "test", "validation"])
        #expect(splits(["my_train_1/a.wav", "x/eval-2/b.wav", "constrained/c.wav"]) == ["train", "test", ""])
        #expect(splits(["train.csv", "my.dev-2.csv", "testing_0.csv"]) == ["train", "validation", "test"])
        #expect(splits(["contest.csv", "pretraining/b.csv"]) == ["train", "train"])
    }
}
