import Foundation
import Phonemes
import TestSupport
import Testing

extension CommandLineTests {
    /// What `allophone phonemes` prints, of a model that knows phonemes and two seconds of Russian.
    @Suite struct PhonemesTests {
        private let folder: TemporaryFolder
        private let model = Fixture.folder.deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "weights/alpha-tiny-phonemes.safetensors").path

        init() throws { folder = try TemporaryFolder() }

        private struct Report: Decodable {
            var duration: Double
            var frameRate: Double
            var phonemes: [PhonemeSegment]
            var mismatch: Double?
        }

        private func report(_ arguments: [String]) throws -> Report {
            let outcome = try Program.run(["phonemes", Sounds.speechPath, "-m", model, "--json"] + arguments)
            #expect(outcome.status == 0, "\(outcome.messages)")
            return try JSONDecoder().decode(Report.self, from: Data(outcome.output))
        }

        @Test func linesAndJSONAndTextGridsSayTheSame() throws {
            let report = try report([])
            #expect(report.frameRate == 50 && abs(report.duration - 2) < 0.1 && report.mismatch == nil)
            let segments = report.phonemes
            #expect(segments.count >= 8 && segments.allSatisfy { $0.start < $0.end && !$0.ipa.isEmpty })
            #expect(zip(segments, segments.dropFirst()).allSatisfy { $0.end <= $1.start })
            #expect(segments.allSatisfy { PhonemeInventory.multilingual.symbols.contains($0.ipa) })

            let lines = try Program.succeed("phonemes", Sounds.speechPath, "-m", model).text.split(separator: "\n")
            let expected = segments.map { String(format: "%.3f\t%.3f\t", $0.start, $0.end) + $0.ipa }
            #expect(lines.map(String.init) == expected)

            let path = folder.file("talk.TextGrid")
            let outcome = try Program.succeed("phonemes", Sounds.speechPath, "-m", model, "--textgrid", path)
            #expect(outcome.output.isEmpty)
            let grid = String(decoding: try contents(of: path), as: UTF8.self)
            #expect(
                grid == TextGrid(tiers: [.init(name: "phonemes", segments: segments)], duration: report.duration).text)
            let piped = try Program.succeed("phonemes", Sounds.speechPath, "-m", model, "--textgrid", "-")
            #expect(piped.text == grid)
        }

        @Test(.enabled(if: (try? Espeak()) != nil, "espeak-ng is not installed"))
        func whatIsSaidIsFoundInTime() throws {
            let report = try report(["--text", "Окна многоэтажных домов", "--language", "ru"])
            // A phonetician has the first phone begin after 0.112 s, and the last end after 1.952 s.
            let (first, last) = (try #require(report.phonemes.first), try #require(report.phonemes.last))
            #expect(abs(first.start - 0.112) <= 0.1 && abs(last.end - 1.952) <= 0.1)
            #expect(report.phonemes.count >= 18 && last.ipa == "f")
            #expect(try #require(report.mismatch) < 1)
        }
    }
}
