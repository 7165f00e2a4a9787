import Foundation
import TestSupport
import Testing

@testable import Datasets

/// What is damaged or hostile is a failure with a reason, and the rest is read.
@Suite struct BadInputTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func manifest(_ lines: [String]) throws -> any Source {
        try write(Array(lines.joined(separator: "\n").utf8), to: folder.file("manifest.jsonl"))
        return try openSource(folder.path)
    }

    @Test func badLinesOfAManifestAreNamedAndPassedOver() throws {
        try write([1], to: folder.file("a.wav"))
        try write([], to: folder.file("empty.wav"))
        try FileManager.default.createDirectory(atPath: folder.file("b.wav"), withIntermediateDirectories: true)
        let cases: [(line: String, kind: RecordFailure.Kind?)] = [
            (#"{"path": "a.wav", "seconds": 1.5, "text": "\u0061\ud83d\ude00\n", "x": [1, {"y": null}]}"#, nil),
            ("not JSON", .malformed), (#"{"path": "a.wav""#, .malformed), (#"{"path": "a.wav"} x"#, .malformed),
            (#"["a.wav"]"#, .malformed), (#"{"path": 01}"#, .malformed), (#"{"path": "\x"}"#, .malformed),
            (#"{"a": "# + String(repeating: "[", count: 100_000), .malformed), (#"{"text": "no path"}"#, .noSound),
            (#"{"path": null}"#, .noSound), (#"{"path": "missing.wav"}"#, .missingFile),
            (#"{"path": "../a.wav"}"#, .outsideDataset), (#"{"path": "/etc/passwd"}"#, .outsideDataset),
            (#"{"path": "b.wav"}"#, .unreadableFile), (#"{"path": "empty.wav"}"#, .empty),
            (#"{"path": "a.wav", "text": ""# + String(repeating: "a", count: 3 << 20) + "\"}", .tooLarge),
            ("", nil), (#"  {"path":"a.wav"}  "#, nil),
        ]
        let source = try manifest(cases.map(\.line))
        #expect(source.recordCount == cases.count - 1)
        let (records, failures) = try readAll(source)
        #expect(failures.map(\.kind) == cases.compactMap(\.kind))
        #expect(failures.first?.key == "manifest.jsonl:2")
        #expect(records.map(\.metadata.text) == ["a😀\n", nil])
        #expect(records.first?.metadata.seconds == 1.5)
    }

    @Test func linksOutOfADatasetAreRefused() throws {
        let secret = try TemporaryFolder()
        try write([1], to: secret.file("secret.wav"))
        try write([1], to: folder.file("a.wav"))
        for (name, target) in [("out.wav", secret.file("secret.wav")), ("in.wav", "a.wav"), ("dir", secret.path)] {
            try FileManager.default.createSymbolicLink(atPath: folder.file(name), withDestinationPath: target)
        }
        let (records, failures) = try readAll(
            try manifest(["out.wav", "in.wav", "dir/secret.wav"].map { #"{"path": "\#($0)"}"# }))
        #expect(records.map(\.key) == ["in.wav"])
        #expect(failures.map(\.kind) == [.outsideDataset, .outsideDataset])
        try FileManager.default.removeItem(atPath: folder.file("manifest.jsonl"))
        #expect(try readAll(try openSource(folder.path)).records.map(\.key) == ["a.wav", "in.wav"])
    }

    @Test(.enabled(if: hasArrow), arguments: ["metadata.parquet", "train.parquet"])
    func linksOutOfTheFolderOfATableThatIsNamedAreRefused(name: String) throws {
        let secret = try TemporaryFolder()
        for clip in ["clip1.flac", "clip3.flac"] { try write([1], to: secret.file(clip)) }
        try write([1], to: folder.file("clip2.flac"))
        for (name, target) in [("clip0.flac", secret.file("clip1.flac")), ("deep", secret.path)] {
            try FileManager.default.createSymbolicLink(atPath: folder.file(name), withDestinationPath: target)
        }
        let table = try contents(of: "\(datasetsFolder)/audiofolder-parquet/train/metadata.parquet")
        try write(table, to: folder.file(name))
        let (records, failures) = try readAll(try openSource(folder.file(name)))
        #expect(records.map { splitPath($0.key).file } == ["clip2.flac"])
        #expect(failures.map(\.kind) == [.outsideDataset, .outsideDataset, .outsideDataset])
    }

    #if os(Linux)
        @Test func soundsWhoseNamesAreNotUTF8AreCounted() throws {
            try write([1], to: folder.file("a.wav"))
            for byte in [0xE9, 0xFC] as [UInt8] {
                var path = Array(folder.file("x.wav").utf8CString)
                path[path.count - 6] = CChar(truncatingIfNeeded: byte)
                let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
                #expect(descriptor >= 0)
                close(descriptor)
            }
            let (records, failures) = try readAll(try openSource(folder.path))
            #expect(records.map(\.key) == ["a.wav"])
            #expect(failures.map(\.kind) == [.unreadableFile, .unreadableFile])
            #expect(failures.allSatisfy { $0.detail.contains("not UTF-8") })
        }
    #endif

    @Test(.timeLimit(.minutes(1))) func aPipeInPlaceOfAFileDoesNotHang() throws {
        for name in ["a.wav", "b.tar"] { #expect(mkfifo(folder.file(name), 0o600) == 0) }
        let (records, failures) = try readAll(try manifest([#"{"path": "a.wav"}"#]))
        #expect(records == [] && failures.map(\.kind) == [.unreadableFile])
        #expect(try readAll(try openSource(folder.file("b.tar"))).failures.map(\.kind) == [.unreadableFile])
    }

    @Test func tablesThatDoNotHoldWhatTheirHeaderNamesAreNamed() throws {
        try write([1], to: folder.file("a.wav"))
        try write(
            Array("\u{FEFF}file_name,text\r\na.wav,\"x, \"\"y\"\"\nz\"\r\na.wav\r\na.wav,\"open\r\n".utf8),
            to: folder.file("metadata.csv"))
        let (records, failures) = try readAll(try openSource(folder.path))
        #expect(records.map(\.metadata.text) == ["x, \"y\"\nz"])
        #expect(failures.map(\.kind) == [.malformed, .malformed])
    }

    @Test func aHeaderThatIsNotUTF8IsAnError() throws {
        try write(Array("file_name,pr".utf8) + [0xE9] + Array("nom\na.wav,b\n".utf8), to: folder.file("metadata.csv"))
        let error = #expect(throws: SourceError.self) { try openSource(folder.path) }
        #expect(error?.description.contains("metadata.csv: line 1") == true)
        #expect(error?.description.contains("UTF-8") == true)
    }

    @Test func aByteOrderMarkCostsNoRecord() throws {
        try write([1], to: folder.file("a.wav"))
        let (records, failures) = try readAll(try manifest(["\u{FEFF}{\"path\": \"a.wav\"}", "not JSON"]))
        #expect(records.map(\.key) == ["a.wav"])
        #expect(failures.map(\.key) == ["manifest.jsonl:2"])
    }

    private func shard(_ bytes: [UInt8], _ name: String = "x.tar") throws -> (
        records: [Record], failures: [RecordFailure]
    ) {
        try write(bytes, to: folder.file(name))
        return try readAll(try openSource(folder.file(name)))
    }

    @Test func aTarCutAnywhereGivesWhatIsWholeAndAReason() throws {
        let whole = try contents(of: "\(datasetsFolder)/webdataset/train-000000.tar")
        let records = try shard(whole).records
        #expect(records.count == 2)
        for cut in stride(from: 1, to: whole.count, by: 173) {
            let found = try shard(Array(whole[..<cut]))
            #expect(found.records.count + found.failures.count <= 2)
            for (record, original) in zip(found.records, records) {
                #expect(try soundBytes(record) == soundBytes(original))
            }
            // In the padding and between members nothing is missed.
            if cut < 512 || cut == 512 + 100 { #expect(found.failures.map(\.kind) == [.damagedShard]) }
        }
        #expect(try shard([]).failures.map(\.kind) == [.empty])
        #expect(try shard(Array("not a tar".utf8)).failures.map(\.kind) == [.damagedShard])
    }

    /// A ustar member.
    private func member(
        _ name: String, _ bytes: [UInt8], size: Int? = nil, type: Character = "0", link: String = "",
        encoding: String.Encoding = .utf8
    ) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in (text.data(using: encoding) ?? Data()).enumerated() { header[offset + index] = byte }
        }
        put(name, at: 0)
        put("0000644\0" + "0000000\0" + "0000000\0", at: 100)
        let octal = String(size ?? bytes.count, radix: 8)
        put(String(repeating: "0", count: max(0, 11 - octal.count)) + octal, at: 124)
        put("00000000000\0        \(type)\(link)", at: 136)
        put("ustar\u{0}00", at: 257)
        let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        put(String(repeating: "0", count: 6 - sum.count) + sum + "\0 ", at: 148)
        return header + bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
    }

    @Test func recordsOfAShardThatAreWrongArePassedOver() throws {
        let end = [UInt8](repeating: 0, count: 1024)
        let found = try shard(
            member("a.txt", Array("no sound".utf8)) + member("b.flac", []) + member("c.json", Array("{".utf8))
                + member("c.flac", [1]) + member("d.flac", [1]) + member("d.wav", [1])
                + member("e.flac", [], type: "2", link: "/etc/passwd") + member("../../f.flac", [6])
                + member("g.flac", [7])
                + end)
        #expect(found.failures.map(\.kind) == [.noSound, .empty, .malformed, .malformed])
        // Names of members are names and nothing else: no file is written by them.
        #expect(found.records.map(\.sound) == [.bytes([6], name: "f.flac"), .bytes([7], name: "g.flac")])
    }

    @Test func namesOfMembersThatAreNotUTF8StayApart() throws {
        let end = [UInt8](repeating: 0, count: 1024)
        let members = ["\u{E9}.flac", "\u{FC}.flac"].map { member($0, [1], encoding: .isoLatin1) }
        let found = try shard(members[0] + members[1] + end)
        #expect(found.failures == [])
        #expect(found.records.map { splitPath($0.key).file } == ["%E9", "%FC"])
    }

    @Test func aTextAsLongAsASoundIsRefused() throws {
        let long = [UInt8](repeating: UInt8(ascii: "a"), count: 2 << 20)
        let end = [UInt8](repeating: 0, count: 1024)
        for name in ["a.txt", "a.json"] {
            let found = try shard(member("a.flac", [1]) + member(name, long) + member("b.flac", [2]) + end)
            #expect(
                found.failures.map(\.kind) == [.tooLarge] && found.records.map(\.sound) == [.bytes([2], name: "b.flac")]
            )
        }
    }

    @Test func aMemberLargerThanItsArchiveTakesNoMemory() throws {
        #expect(try shard(member("a.flac", [1], size: 200 << 20)).failures.map(\.kind) == [.damagedShard])
        #expect(try shard(member("a.flac", [1], size: 7 << 30)).failures.map(\.kind) != [])
    }

    @Test(.timeLimit(.minutes(1))) func decompressionIsBounded() throws {
        // 512 MB of zeros in half a megabyte: a member of an honest size, followed by more and more.
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        let path = folder.file("bomb.tar.gz")
        try write(member("a.flac", [], size: 250 << 20), to: folder.file("head"))
        process.arguments = ["-c", "(cat '\(folder.file("head"))'; head -c 268435456 /dev/zero) | gzip -9 > '\(path)'"]
        try process.run()
        process.waitUntilExit()
        let found = try readAll(try openSource(path))
        #expect(found.records == [])
        #expect(found.failures.map(\.kind) == [.tooLarge])
    }

    @Test(.enabled(if: hasArrow)) func damagedParquetIsAReason() throws {
        let whole = try contents(of: "\(datasetsFolder)/parquet/data/train-00000-of-00001.parquet")
        func table(_ bytes: [UInt8]) throws -> (records: [Record], failures: [RecordFailure]) {
            try shard(bytes, "x.parquet")
        }
        #expect(try table(whole).records.count == 4)
        #expect(try table([]).failures.map(\.kind) == [.empty])
        #expect(try table(Array(whole.dropLast(5))).failures.map(\.kind) == [.damagedShard])
        var footer = whole
        for index in (whole.count - 200)..<(whole.count - 100) { footer[index] ^= 0x55 }
        #expect(try table(footer).failures.map(\.kind) == [.damagedShard])
        let missing = try readAll(try openSource("\(datasetsFolder)/parquet/no-audio.parquet")).failures
        #expect(missing.map(\.kind) == [.noSound])
        #expect(missing.first?.detail.contains("sentence") == true)
    }

    @Test func withoutArrowTheRemedyIsNamed() throws {
        let error = #expect(throws: SourceError.self) { try ParquetLibrary(candidates: [folder.file("none.so")]) }
        #expect(error?.description.contains("make arrow") == true)
        try write(Array("not a library".utf8), to: folder.file("some.so"))
        #expect(throws: SourceError.self) { try ParquetLibrary(candidates: [folder.file("some.so")]) }
        #expect(ParquetLibrary.candidates(["ALLOPHONE_PARQUET": "/x.so"]) == ["/x.so"])
    }
}
