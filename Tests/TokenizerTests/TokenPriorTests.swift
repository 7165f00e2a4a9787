import Checkpoint
import Foundation
import NN
import Tensor
import TestSupport
import Testing

@testable import Tokenizer

/// Codes that are written by their chances.
@Suite struct TokenPriorTests {
    private let folder: TemporaryFolder
    private let layout: TokenLayout
    private let prior: TokenPrior
    private let frames: TokenFrames

    init() throws {
        folder = try TemporaryFolder()
        layout = try TokenLayout([.vq(codebookSize: 7), .bsq(bits: 5)])
        prior = try TokenPrior(SafetensorsFile(path: fixture("tokenfile_prior.safetensors")).arrays(), layout: layout)
        var state: UInt64 = 1
        let codes = (0..<600).map { index in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 1) % (index % 2 == 0 ? 7 : 32)
        }
        frames = TokenFrames(codes: codes, levelCount: 2)
    }

    private var path: String { folder.file("talk.allo") }

    private func header(_ prior: TokenPrior) throws -> TokenHeader {
        try TokenHeader(sampleRate: 24000, hop: 480, model: model, layout: prior.layout, prior: prior.identity)
    }

    /// Writes frames in blocks of so many.
    private func write(_ frames: TokenFrames, blocks: [Int], with prior: TokenPrior) throws -> TokenWriter {
        let writer = try TokenWriter(path: path, header: header(prior), prior: prior)
        var start = 0
        for count in blocks {
            try writer.append(frames[start..<start + count])
            try writer.flush()
            start += count
        }
        try writer.finish(sampleCount: frames.count * 480)
        return writer
    }

    private func reader(_ prior: TokenPrior) throws -> TokenReader {
        let reader = try TokenReader(path: path)
        try reader.use(prior)
        return reader
    }

    @Test func theBytesAreThoseOfAnIndependentEncoder() throws {
        _ = try write(frames, blocks: [299, 1], with: prior)
        let bytes = try contents(of: path)
        let expected = try contents(of: fixture("tokenfile_coded.allo"))
        // The samples in the last block, 143,999 there, and the checksum.
        #expect(bytes.count == expected.count && bytes.dropLast(12) == expected.dropLast(12))
        let reader = try TokenReader(path: fixture("tokenfile_coded.allo"))
        try reader.use(prior)
        #expect(try reader.rest() == frames)
        #expect(reader.sampleCount == 143_999)
    }

    @Test(arguments: [[300], [1, 2, 297], [150, 149, 1]])
    func codesComeBackAndTakeWhatTheyCost(blocks: [Int]) throws {
        let writer = try write(frames, blocks: blocks, with: prior)
        let reader = try self.reader(prior)
        #expect(try reader.rest() == frames)
        #expect(reader.codeByteCount == writer.codeByteCount)
        let bits = prior.bits(of: frames)
        // A byte, at most, for the end of each block.
        #expect(Double(8 * writer.codeByteCount) > bits - 8)
        #expect(Double(8 * writer.codeByteCount) < bits + Double(8 * blocks.count) + 1)
        #expect(
            reader.header.bitRate(codeBytes: reader.codeByteCount, frames: 300) == Double(8 * reader.codeByteCount) / 6)
    }

    /// The largest weights there are, and codes that they hold for impossible.
    @Test func theLeastLikelyCodesCanBeWritten() throws {
        let arrays = TokenPrior.types(layout: layout, past: 1, width: 2).mapValues { type in
            HostArray((0..<type.shape.elementCount).map { Int16($0 % 2 == 0 ? 255 : -255) }, shape: type.shape)
        }
        let prior = try TokenPrior(arrays, layout: layout)
        for code: [UInt64] in [[0, 0], [1, 31], [6, 21], [5, 10]] {
            let frames = TokenFrames(codes: Array((0..<400).map { _ in code }.joined()), levelCount: 2)
            _ = try write(frames, blocks: [400], with: prior)
            #expect(try self.reader(prior).rest() == frames)
            #expect(prior.bits(of: frames) < Double(8 * layout.largestCodedFrame * 400))
        }
    }

    /// A sum that carries over many bytes that are 255, and one that falls on zeros.
    @Test func chancesOfEverySizeComeBack() throws {
        for seed in 0..<200 as Range<UInt64> {
            var random = Mutator(seed: seed)
            let choices = (0..<200).map { _ -> (entry: Int, counts: [UInt32]) in
                let counts = (0..<Int.random(in: 2...5, using: &random)).map { _ in
                    UInt32(1) << UInt32.random(in: 0...20, using: &random)
                }
                // Mostly the last, so that the number is near the end of its range.
                let last = Bool.random(using: &random)
                return (last ? counts.count - 1 : Int.random(in: counts.indices, using: &random), counts)
            }
            var encoder = RangeEncoder()
            for (entry, counts) in choices { _ = encoder.entry(entry, counts: counts, total: counts.reduce(0, +)) }
            let bytes = encoder.finish()
            #expect(bytes.last != 0)
            var decoder = RangeDecoder(bytes)
            let found = choices.map { decoder.entry(0, counts: $0.counts, total: $0.counts.reduce(0, +)) }
            #expect(found == choices.map(\.entry), "seed \(seed)")
            #expect(decoder.isExact)
            // Other numbers are other choices, in their shortest form, or not exact.
            for other in [bytes + [1], Array(bytes.dropLast()), bytes.map { $0 ^ 0x10 }] {
                var (decoder, encoder) = (RangeDecoder(other), RangeEncoder())
                for (_, counts) in choices {
                    let total = counts.reduce(0, +)
                    _ = encoder.entry(decoder.entry(0, counts: counts, total: total), counts: counts, total: total)
                }
                #expect(decoder.isExact == (encoder.finish() == other), "seed \(seed)")
            }
        }
    }

    @Test func aGraphFindsTheSameBits() throws {
        let network = PriorNetwork(layout: layout, past: prior.past, width: prior.width)
        let columns = (0..<frames.count).flatMap { frame in
            [Int32(frames[frame, 0])] + (0..<5).map { Int32(frames[frame, 1] >> UInt64($0) & 1) }
        }
        let input = Tensor.input(TensorType(.i32, [1, frames.count, 6]), name: "columns")
        let paths = network.parameters.keys.sorted()
        let graph = Graph(
            inputs: [input] + paths.map { network.parameters[$0]!.tensor }, outputs: [network.bits(of: input).sum()])
        let weights = paths.map { name in
            HostArray(
                prior.arrays["prior.\(name)"]!.doubles.map { $0 / 64 }, as: .f32,
                shape: network.parameters[name]!.shape)
        }
        for backend in TestBackends.all {
            let bits = try backend.run(graph, [HostArray(columns, shape: [1, frames.count, 6])] + weights)[0]
            // But for steps of 1/64 and the least chances there are.
            let expected = prior.bits(of: frames)
            #expect(
                abs(Double(bits.floats[0]) / expected - 1) < 0.05, "\(backend.name): \(bits.floats[0]), \(expected)")
        }
        let values = Dictionary(uniqueKeysWithValues: zip(paths, weights))
        #expect(try network.prior(values) == prior)
    }

    @Test func whatIsNoPriorIsRefused() throws {
        func reason(_ change: (inout [String: HostArray]) -> Void) throws -> String? {
            var arrays = prior.arrays
            change(&arrays)
            do { _ = try TokenPrior(arrays, layout: layout) } catch { return error.reason }
            return nil
        }
        #expect(try reason { _ in } == nil)
        #expect(try reason { $0["prior.past"] = nil } == "there is no 'prior.past' of three axes")
        #expect(try reason { $0["prior.head"] = nil }?.hasSuffix("and is missing") == true)
        #expect(try reason { $0["prior.bias"] = HostArray([0, 0, 0, 256] as [Int16]) }?.contains("256") == true)
        #expect(try reason { $0["prior.bias"] = HostArray([0, 0, 0, 0] as [Int32]) }?.contains("i32") == true)
        let large = try TokenLayout([.vq(codebookSize: 5000)])
        #expect(throws: TokenPriorError(reason: "level 1 has more than 4096 entries")) {
            try TokenPrior(prior.arrays, layout: large)
        }
    }

    @Test func aFileIsReadWithItsOwnPriorAlone() throws {
        _ = try write(frames, blocks: [300], with: prior)
        #expect(throws: TokenFileError.wrongPrior(name: path)) { try TokenReader(path: path).rest() }
        #expect(throws: TokenFileError.wrongPrior(name: path)) { try TokenReader(path: path).use(nil) }
        var arrays = prior.arrays
        arrays["prior.bias"] = HostArray([1, 2, 3, 4] as [Int16])
        let other = try TokenPrior(arrays, layout: layout)
        #expect(throws: TokenFileError.wrongPrior(name: path)) { try self.reader(other) }
        // How much there is can be said without it.
        let uncoded = try TokenReader(path: path)
        try uncoded.skipRest()
        #expect(uncoded.frameCount == 300 && uncoded.sampleCount == 300 * 480)
    }

    @Test func damageIsFound() throws {
        _ = try write(frames, blocks: [299, 1], with: prior)
        let whole = try contents(of: path)
        func outcome(_ bytes: [UInt8]) throws -> TokenFileError? {
            try bytes.withUnsafeBytes { try Data($0).write(to: URL(filePath: path)) }
            do { _ = try reader(prior).rest() } catch let error as TokenFileError { return error }
            return nil
        }
        #expect(try outcome(whole) == nil)
        for count in 0..<whole.count { #expect(try outcome(Array(whole[..<count])) != nil, "\(count) bytes") }
        for place in stride(from: 0, to: whole.count, by: 3) {
            var bytes = whole
            bytes[place] ^= 1 << UInt8(place % 8)
            #expect(try outcome(bytes) != nil, "byte \(place)")
        }
        // A block of so many bytes that no frames need, with a right checksum, would be taken in whole otherwise.
        let header = 52 + 16 + 8 + 4
        var bytes = whole
        bytes.replaceSubrange(header + 2..<header + 6, with: [0xFF, 0xFF, 0xFF, 0x7F])
        #expect(
            try outcome(bytes)
                == .corrupted(name: path, block: 1, reason: "it would have 2147483647 bytes"))
    }

    @Test func aModelsFileKeepsItsPrior() throws {
        let alpha = try Alpha(SmallAlpha.configuration)
        let first = folder.file("first.safetensors")
        try ModelFile.write(SmallAlpha.values(alpha.parameters), of: alpha, to: first)
        let plain = try ModelFile(path: first)
        #expect(plain.prior == nil)
        let types = TokenPrior.types(layout: try alpha.configuration.tokenLayout, past: 2, width: 3)
        let prior = try TokenPrior(
            types.mapValues { HostArray(repeating: 7, type: $0) }, layout: alpha.configuration.tokenLayout)
        let second = folder.file("second.safetensors")
        try plain.write(with: prior, to: second)
        let coded = try ModelFile(path: second)
        #expect(coded.prior == prior)
        #expect(coded.fingerprint == plain.fingerprint && coded.arrays == plain.arrays)
        #expect(coded.storedTypes == plain.storedTypes)
        // Narrower weights are another model, and their codes are much the same.
        try coded.write(as: .bf16, to: first)
        #expect(try ModelFile(path: first).prior == prior)
        // A mean's codes are others.
        try MeanModel(of: coded).write(to: first)
        #expect(try ModelFile(path: first).prior == nil)
        var arrays = try SafetensorsFile(path: second).arrays()
        arrays["prior.past"] = nil
        try Safetensors.write(arrays, metadata: coded.metadata, to: first)
        #expect(throws: ModelFileError.badPrior(path: first, reason: "there is no 'prior.past' of three axes")) {
            try ModelFile(path: first)
        }
    }
}
