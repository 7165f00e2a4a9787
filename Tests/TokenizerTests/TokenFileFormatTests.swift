import Checkpoint
import Foundation
import TestSupport
import Testing
import Tokenizer

@Suite struct TokenFileFormatTests {
    let folder: TemporaryFolder
    let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("codes")
    }

    /// Writes in two portions.
    private func write(_ wide: Wide, as format: TokenFormat, to output: OutputFile) throws {
        let sink = try format.sink(to: output, header: wide.header)
        try sink.append(wide.frames[0..<300])
        try sink.flush()
        try sink.append(wide.frames[300..<1000])
        try sink.finish(sampleCount: wide.sampleCount)
    }

    @Test func npyIsWhatNumPyWrites() throws {
        try write(try Wide(), as: .npy, to: OutputFile(path: path))
        #expect(try contents(of: path) == contents(of: fixture("tokenfile_wide.npy")))
    }

    @Test(arguments: [TokenFormat.npy, .json, .allo])
    func aPipeGetsTheBytesOfTheFile(format: TokenFormat) throws {
        let wide = try Wide()
        try write(wide, as: format, to: OutputFile(path: path))
        let descriptor = open(folder.file("pipe"), O_WRONLY | O_CREAT, 0o600)
        defer { close(descriptor) }
        try write(wide, as: format, to: OutputFile(descriptor: descriptor, name: "standard output"))
        #expect(try contents(of: folder.file("pipe")) == contents(of: path))
    }

    @Test func jsonIsTheDocumentsExample() throws {
        let sink = try TokenFormat.json.sink(to: OutputFile(path: path), header: exampleHeader())
        try sink.append(exampleFrames[0..<2])
        try sink.append(exampleFrames[2..<3])
        try sink.finish(sampleCount: 1200)
        let document = try String(contentsOfFile: fixture("../../docs/token-format.md"), encoding: .utf8)
        let listing = try #require(document.split(separator: "```json\n").last?.split(separator: "```").first)
        #expect(try contents(of: path) == Array(listing.utf8))
    }

    @Test func jsonCanBeParsed() throws {
        struct Document: Decodable {
            let frames: [[UInt64]]
            let frameCount: Int
            let sampleCount: Int
        }
        let wide = try Wide()
        try write(wide, as: .json, to: OutputFile(path: path))
        let document = try JSONDecoder().decode(Document.self, from: Data(contents(of: path)))
        #expect(document.frames.flatMap { $0 } == wide.frames.codes)
        #expect(document.frameCount == 1000 && document.sampleCount == wide.sampleCount)

        try TokenFormat.json.sink(to: OutputFile(path: path), header: wide.header).finish(sampleCount: 0)
        #expect(try JSONDecoder().decode(Document.self, from: Data(contents(of: path))).frames == [])
    }

    @Test(arguments: TokenFormat.allCases) func codesThatDoNotFitAreNotWritten(format: TokenFormat) throws {
        let sink = try format.sink(to: OutputFile(path: path), header: exampleHeader())
        #expect(throws: TokenFileError.self) { try sink.append(TokenFrames(codes: [48, 0], levelCount: 2)) }
    }
}
