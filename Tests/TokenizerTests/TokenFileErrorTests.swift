import Checkpoint
import TestSupport
import Testing

@testable import Tokenizer

@Suite struct TokenFileErrorTests {
    let folder: TemporaryFolder
    let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("talk.allo")
    }

    /// What reading a file of `bytes` ends with.
    private func outcome(of bytes: [UInt8]) throws -> TokenFileError? {
        try write(bytes, to: path)
        do {
            _ = try TokenReader(path: path).rest()
            return nil
        } catch let error as TokenFileError {
            #expect(error.description.hasPrefix(path), "the error names the file")
            return error
        }
    }

    private func example() throws -> [UInt8] { try contents(of: fixture("tokenfile_example.allo")) }

    @Test func everyCutIsFound() throws {
        let whole = try example()
        for length in 1..<whole.count {
            // The first block ends after 84 bytes, the second after 93.
            let frames = length < 84 ? 0 : length < 93 ? 2 : 3
            #expect(try outcome(of: Array(whole[..<length])) == .truncated(name: path, frames: frames))
        }
        #expect(try outcome(of: []) == .notATokenFile(name: path))
    }

    @Test func everyFlippedBitIsFound() throws {
        let whole = try example()
        for bit in 0..<whole.count * 8 {
            var damaged = whole
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(try outcome(of: damaged) != nil, "bit \(bit)")
        }
    }

    @Test func blocksThatAreLostRepeatedOrExchangedAreFound() throws {
        let whole = try example()
        let (head, first, second, end) = (whole[..<72], whole[72..<84], whole[84..<93], whole[93...])
        #expect(try outcome(of: Array(head + first + second + end)) == nil)
        for order in [[second, first], [first], [second], [first, first, second], [first, second, second]] {
            let error = try #require(try outcome(of: Array(head + order.joined() + end)))
            guard case .corrupted = error else {
                Issue.record("\(error)")
                continue
            }
        }
    }

    @Test func whatFollowsTheEndIsAnError() throws {
        let whole = try example()
        #expect(
            try outcome(of: whole + [0]) == .corrupted(name: path, block: 3, reason: "bytes follow the end"))
        #expect(try outcome(of: whole + whole) != nil)
    }

    @Test func otherFilesAreNotTokenFiles() throws {
        for bytes in [
            Array("RIFF....WAVEfmt ".utf8), [0x89, 0x50, 0x4E, 0x47], [0],
            try contents(of: fixture("tokenfile_wide.npy")),
        ] {
            #expect(try outcome(of: bytes) == .notATokenFile(name: path))
        }
        #expect(throws: FileError.self) { try TokenReader(path: folder.file("none")) }
        #expect(throws: FileError.self) { try TokenReader(path: folder.path) }
    }

    @Test func aNewerVersionIsNamedBeforeAnythingElse() throws {
        var bytes = try example()
        bytes[8] = 3
        #expect(try outcome(of: Array(bytes[..<20])) == .newerVersion(name: path, found: 3, supported: 2))
    }

    @Test func tokensOfAnotherModelAreRefused() throws {
        let reader = try TokenReader(path: fixture("tokenfile_example.allo"))
        try reader.require(model: model)
        let other = try #require(Fingerprint(bytes: [UInt8](repeating: 9, count: 32)))
        #expect(throws: TokenFileError.wrongModel(name: reader.name, expected: other, found: model)) {
            try reader.require(model: other)
        }
    }

    /// Damage with the checksums made right again, as a forger or a faulty writer would leave it.
    @Test(
        arguments: [
            (10, [2], "2 channels"), (11, [0], "0 levels"), (12, [0, 0, 0, 0], "a sample rate of 0"),
            (16, [0, 0, 0, 0], "a hop of 0"), (52, [3], "a level of unknown kind 3"),
            (54, [1], "a level of unknown kind 1"),
            (53, [7], "7 bits for a code that takes 6"), (56, [65], "6 bits for a code that takes 7"),
            (56, [1], "a codebook of 1"), (56, [0xFF, 0xFF, 0xFF, 0xFF], "a codebook of 4294967295"),
            (61, [0], "a spherical quantizer of 0 bits"), (61, [64], "a spherical quantizer of 64 bits"),
            (64, [1], "a level of unknown kind 2"),
        ] as [(Int, [UInt8], String)])
    func headersThatCannotBeAreUnsupported(offset: Int, bytes: [UInt8], reason: String) throws {
        var file = try example()
        file.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        let error = try #require(try outcome(of: resealed(file)))
        guard case .unsupportedLayout(_, let found) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(found.hasPrefix(reason))
    }

    @Test(
        arguments: [
            (72, [0x01, 0x10], "it would have 4097 frames"), (74, [48], "code 48 is not in its codebook"),
            (95, [4], "it counts 4 frames, and 3 came"), (103, [0xA1, 5], "1441 samples do not fit 3 frames of 480"),
            (103, [0xC0, 3], "960 samples do not fit 3 frames of 480"),
            (103, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], "18446744073709551615 samples do not fit"),
        ] as [(Int, [UInt8], String)])
    func blocksThatCannotBeAreCorrupted(offset: Int, bytes: [UInt8], reason: String) throws {
        var file = try example()
        file.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        let error = try #require(try outcome(of: resealed(file)))
        guard case .corrupted(_, _, let found) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(found.hasPrefix(reason), "\(found)")
    }

    @Test func unusedBitsMustBeZero() throws {
        let header = try TokenHeader(sampleRate: 8000, hop: 160, model: model, layout: TokenLayout([.bsq(bits: 5)]))
        let writer = try TokenWriter(path: path, header: header)
        try writer.append(TokenFrames(codes: [31, 31, 31], levelCount: 1))
        try writer.finish(sampleCount: 480)
        var file = try contents(of: path)
        file[67] |= 0x80
        #expect(
            try outcome(of: resealed(file))
                == .corrupted(name: path, block: 1, reason: "its last byte holds more than its frames"))
    }

    @Test func codesThatDoNotFitAreNotWritten() throws {
        let writer = try TokenWriter(path: path, header: try exampleHeader())
        for codes: [UInt64] in [[48, 0], [0, 1 << 18], [UInt64(bitPattern: -1), 0]] {
            #expect(throws: TokenFileError.self) { try writer.append(TokenFrames(codes: codes, levelCount: 2)) }
        }
        #expect(throws: TokenFileError.self) { try writer.append(TokenFrames(codes: [1, 2, 3], levelCount: 3)) }
        try writer.append(exampleFrames)
        for count in [-1, 2 * 480, 3 * 480 + 1] {
            #expect(throws: TokenFileError.self) { try writer.finish(sampleCount: count) }
        }
    }

    @Test func impossibleLayoutsAreRefused() {
        for levels: [TokenLayout.Level] in [
            [], [.vq(codebookSize: 1)], [.vq(codebookSize: 1 << 31 + 1)], [.bsq(bits: 0)], [.bsq(bits: 64)],
            Array(repeating: .bsq(bits: 1), count: 65),
        ] {
            #expect(throws: TokenLayoutError.self) { try TokenLayout(levels) }
        }
        #expect(throws: TokenLayoutError.self) {
            try TokenHeader(sampleRate: 24000, hop: 0, model: model, layout: TokenLayout([.bsq(bits: 1)]))
        }
        #expect(throws: TokenLayoutError.self) {
            try TokenHeader(sampleRate: 1 << 32, hop: 480, model: model, layout: TokenLayout([.bsq(bits: 1)]))
        }
    }

    @Test func aFullDiskIsAnErrorAndLeavesNothing() throws {
        let writer = try TokenWriter(path: path, header: try exampleHeader())
        try writer.append(exampleFrames)
        let error = #expect(throws: FileError.self) {
            try Disk.$beforeChange.withValue({ FileError(path: $1, action: $0, code: 28) }) {
                try writer.finish(sampleCount: 1200)
            }
        }
        #expect(error?.isOutOfSpace == true)
    }
}

/// `file` with the checksums that a reader expects, as far as its blocks can be followed.
func resealed(_ file: [UInt8]) -> [UInt8] {
    guard file.count > 12 else { return file }
    var sealed: [UInt8] = []
    var checksum = CRC32()
    var rest = file[...]
    func seal(_ count: Int) -> Bool {
        let piece = rest.prefix(count)
        checksum.update(piece)
        sealed += piece
        rest = rest.dropFirst(count)
        guard piece.count == count, rest.count >= 4 else { return false }
        sealed.append(littleEndian: checksum.value)
        rest = rest.dropFirst(4)
        return true
    }

    let levelCount = Int(file[11])
    guard file.count > 52 + 8 * levelCount, seal(52 + 8 * levelCount) else { return sealed + rest }
    let bitsPerFrame = (0..<levelCount).reduce(0) { $0 + Int(file[53 + 8 * $1]) }
    while rest.count >= 2 {
        let count = Array(rest.prefix(2)).littleEndian(UInt16.self, at: 0)
        guard seal(count == 0 ? 18 : 2 + (Int(count) * bitsPerFrame + 7) / 8), count != 0 else { break }
    }
    return sealed + rest
}
