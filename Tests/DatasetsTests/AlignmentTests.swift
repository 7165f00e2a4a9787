import Audio
import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite struct AlignmentTests {
    private let phones = [
        AlignedPhone("a", from: 0.5, to: 0.625), AlignedPhone("t", from: 0.625, to: 0.75),
        AlignedPhone("ˈɪ", from: 1, to: 1.25),
    ]

    /// A second and a half, silent but for a tone from 0.5 to 1.25 s.
    private func write(_ folder: TemporaryFolder, alignment: String) throws -> any Source {
        let samples = (0..<12_000).map { 4000 <= $0 && $0 < 10_000 ? 0.5 * sin(Float($0)) : 0 }
        try Waveform(samples: samples, sampleRate: 8000).write(to: folder.file("a.wav"))
        let line = "{\"path\": \"a.wav\", \"text\": \"at\", \"split\": \"train\", \"phones\": \(alignment)}\n"
        try TestSupport.write(Array(line.utf8), to: folder.file("manifest.jsonl"))
        return try openSource(folder.path)
    }

    private let json = #"[["a", 0.5, 0.625], ["t", 0.625, 0.75], ["\u02c8ɪ", 1, 1.25]]"#

    @Test func aManifestSaysWhatIsSaidWhen() throws {
        let folder = try TemporaryFolder()
        let (records, failures) = try readAll(write(folder, alignment: json))
        #expect(failures.isEmpty && records.map(\.metadata.phones) == [phones])
        let written = try JSONEncoder().encode(phones)
        #expect(try JSONDecoder().decode([AlignedPhone].self, from: written) == phones)
    }

    @Test(arguments: [
        "null", "7", "\"a\"", "{}", "[1]", #"[["a", 1]]"#, #"[["a", 2, 1]]"#, #"[["a", 1, 2, 3]]"#,
        #"[["a", 1e999, 2]]"#,
    ])
    func whatIsNoAlignmentIsLeftOut(alignment: String) throws {
        let folder = try TemporaryFolder()
        let (records, failures) = try readAll(write(folder, alignment: alignment))
        #expect(failures.isEmpty && records.map(\.metadata.phones) == [nil])
        #expect(records.map(\.metadata.text) == ["at"])
    }

    @Test func timesFollowTheSound() throws {
        let folder = try TemporaryFolder()
        let record = try #require(try readAll(write(folder, alignment: json)).records.first)
        var preparation = ClipPreparation(
            sampleRate: 8000, trimming: SilenceTrimming(margin: 0.1),
            augmentation: Augmentation(speed: Interval(2, 2)))
        var random = CountedRandom(seed: 0)
        // Twice as fast, the tone begins at 0.25 s, and a tenth of a second before it is kept, in steps of a frame.
        let (waveform, _, moved) = try preparation(record, random: &random)
        let start = try #require(moved?.first?.start)
        let onset = try #require(waveform.samples.firstIndex { abs($0) > 0.1 })
        #expect(abs(Double(onset) / 8000 - start) < 0.005 && start > 0.08 && start < 0.13)
        let expected = phones.map { [$0.start / 2 - 0.25 + start, $0.end / 2 - 0.25 + start] }
        for (phone, times) in zip(moved ?? [], expected) {
            #expect(abs(phone.start - times[0]) < 1e-9 && abs(phone.end - times[1]) < 1e-9)
        }
        #expect(moved?.map(\.ipa) == phones.map(\.ipa))
        preparation.trimming = nil
        preparation.augmentation = Augmentation()
        #expect(try preparation(record, random: &random).phones == phones)
    }

    @Test func aCutKeepsWhatIsInIt() {
        let cut = phones.cut(from: 0.625, seconds: 0.5)
        #expect(cut == [AlignedPhone("t", from: 0, to: 0.125), AlignedPhone("ˈɪ", from: 0.375, to: 0.625)])
        #expect(phones.cut(from: 0.55, seconds: 0.01) == [AlignedPhone("a", from: 0.5 - 0.55, to: 0.625 - 0.55)])
        #expect(phones.cut(from: 0.8, seconds: 0.1).isEmpty)
    }

    @Test func preparedClipsKeepTheirAlignment() throws {
        let folder = try TemporaryFolder()
        let options = DatasetPreparation.Options(clips: ClipPreparation(sampleRate: 16000))
        try DatasetPreparation(write(folder, alignment: json), in: folder.file("out"), options).run()
        #expect(try readAll(openSource(folder.file("out"))).records.map(\.metadata.phones) == [phones])
    }
}
