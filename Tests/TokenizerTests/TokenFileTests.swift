import Checkpoint
import Foundation
import Tensor
import TestSupport
import Testing
import Tokenizer

@Suite struct TokenFileTests {
    let folder: TemporaryFolder
    let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("talk.allo")
    }

    @Test func writesTheExampleOfTheDocument() throws {
        let document = try String(contentsOfFile: fixture("../../docs/token-format.md"), encoding: .utf8)
        let listing = try #require(document.split(separator: "```hex\n").last?.split(separator: "```").first)
        let expected = listing.split(separator: "\n").flatMap { line in
            line.prefix { $0 != "#" }.split(separator: " ").compactMap { UInt8($0, radix: 16) }
        }
        try writeExample(to: OutputFile(path: path))
        #expect(try contents(of: path) == expected)
        #expect(try contents(of: fixture("tokenfile_example.allo")) == expected, "Python's encoder agrees")
    }

    @Test func writesTheBytesOfAnIndependentEncoder() throws {
        let wide = try Wide()
        let writer = try TokenWriter(path: path, header: wide.header)
        try writer.append(wide.frames)
        try writer.finish(sampleCount: wide.sampleCount)
        #expect(try contents(of: path) == contents(of: fixture("tokenfile_wide.allo")))
    }

    @Test func readsWhatAnIndependentEncoderWrote() throws {
        let wide = try Wide()
        let reader = try TokenReader(path: fixture("tokenfile_wide.allo"))
        #expect(reader.header == wide.header)
        #expect(try reader.next()?.count == 512)
        #expect(reader.sampleCount == nil, "it is known only at the end")
        #expect(try reader.rest() == wide.frames[512..<1000])
        #expect(reader.sampleCount == wide.sampleCount)
        #expect(reader.frameCount == 1000)
        #expect(try reader.next() == nil)
    }

    @Test(arguments: [1, 7, 511, 512, 513, 1000])
    func theBytesDoNotDependOnThePortionsThatCome(portion: Int) throws {
        let wide = try Wide()
        let writer = try TokenWriter(path: path, header: wide.header)
        for start in stride(from: 0, to: 1000, by: portion) {
            try writer.append(wide.frames[start..<min(start + portion, 1000)])
        }
        try writer.finish(sampleCount: wide.sampleCount)
        #expect(try contents(of: path) == contents(of: fixture("tokenfile_wide.allo")))
    }

    @Test(arguments: [1, 2, 3, 8, 9, 31, 32, 33, 36, 62, 63])
    func extremeCodesOfEveryWidthComeBack(bits: Int) throws {
        let layout = try TokenLayout([.bsq(bits: 3), .bsq(bits: bits), .vq(codebookSize: 5)])
        let header = try TokenHeader(sampleRate: 16000, hop: 320, model: model, layout: layout)
        let largest: UInt64 = 1 << UInt64(bits) - 1
        let frames = TokenFrames(codes: [7, largest, 4, 0, 0, 0, 5, largest / 3, 2, 7, largest, 4], levelCount: 3)
        let writer = try TokenWriter(to: OutputFile(path: path), header: header, framesPerBlock: 3)
        try writer.append(frames)
        try writer.finish(sampleCount: 4 * 320)
        #expect(try TokenReader(path: path).rest() == frames)
    }

    @Test func anEmptyRecordingIsAFileToo() throws {
        let header = try exampleHeader()
        try TokenWriter(path: path, header: header).finish(sampleCount: 0)
        let reader = try TokenReader(path: path)
        #expect(try reader.rest().isEmpty)
        #expect(reader.sampleCount == 0)
    }

    @Test func theFileAppearsOnlyWhenItIsFinished() throws {
        do {
            let writer = try TokenWriter(path: path, header: try exampleHeader())
            try writer.append(exampleFrames)
            try writer.flush()
        }
        #expect(try folder.entries() == [])
    }

    @Test func aReaderFollowsALiveWriterFrameByFrame() throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { close(ends[0]) }
        let writer = try TokenWriter(to: OutputFile(descriptor: ends[1], name: "pipe"), header: try exampleHeader())
        let reader = try TokenReader(InputFile(descriptor: ends[0], name: "pipe"))
        for frame in 0..<3 {
            try writer.append(exampleFrames[frame..<frame + 1])
            try writer.flush()
            // Reading would wait for ever if the frame had not been passed on.
            #expect(try reader.next() == exampleFrames[frame..<frame + 1])
        }
        try writer.finish(sampleCount: 1200)
        close(ends[1])
        #expect(try reader.next() == nil)
        #expect(reader.sampleCount == 1200)
    }

    @Test func ratesFollowFromTheHeader() throws {
        let header = try exampleHeader()
        #expect(header.frameRate == 50)
        #expect(header.bitRate == 1200)
        #expect(header.layout.bitsPerFrame == 24)
    }

    @Test func codesConvertToArraysAndBack() {
        #expect(exampleFrames.array.shape == [3, 2])
        #expect(exampleFrames.array.values(as: Int64.self) == [5, 0x2A3F1, 47, 0, 0, 0x3FFFF])
        #expect(TokenFrames(exampleFrames.array) == exampleFrames)
        #expect(TokenFrames(exampleFrames.array.converted(to: .i32)) == exampleFrames)
        #expect(exampleFrames.level(1) == [0x2A3F1, 0, 0x3FFFF])
        #expect(exampleFrames[1, 0] == 47)
    }
}
