import Checkpoint
import Foundation
import TestSupport
import Testing
import Tokenizer

@Suite struct TokenFileFuzzTests {
    @Test func damagedFilesAreReadRightlyOrRefused() async throws {
        let path = NSTemporaryDirectory() + "allophone-fuzz.allo"
        await #expect(processExitsWith: .success, "the reader did not survive \(path)") { [path = path as String] in
            let prior = try TokenPrior(
                SafetensorsFile(path: fixture("tokenfile_prior.safetensors")).arrays(),
                layout: TokenLayout([.vq(codebookSize: 7), .bsq(bits: 5)]))
            let valid = [
                try contents(of: fixture("tokenfile_example.allo")), try contents(of: fixture("tokenfile_coded.allo")),
                try contents(of: fixture("tokenfile_wide.allo")),
                try fileWithUnusedBits(path), try fileWithUnusedBits(path),
            ]
            try Fuzzing.run { seed in
                var mutator = Mutator(seed: seed)
                var bytes = valid.randomElement(using: &mutator) ?? []
                // Damage after the header, or anywhere.
                let start = seed.isMultiple(of: 4) ? 0 : 56 + 8 * Int(bytes[11])
                bytes = bytes[..<start] + mutator.mutated(Array(bytes[start...]))
                // Right checksums let the damage through to what lies behind them.
                if !seed.isMultiple(of: 3) { bytes = resealed(bytes) }
                try write(bytes, to: path)
                do {
                    #expect(try rewritten(path, prior) == bytes, "seed \(seed): what is accepted has one spelling")
                } catch TokenFileError.invalidFrames(_, let reason) {
                    Issue.record("seed \(seed): the reader lets through what the writer refuses: \(reason)")
                } catch is TokenFileError {
                } catch {
                    Issue.record(error, "seed \(seed)")
                }
            }
        }
        try FileManager.default.removeItem(atPath: path)
    }
}

/// One frame of 5 bits.
private func fileWithUnusedBits(_ path: String) throws -> [UInt8] {
    let layout = try TokenLayout([.vq(codebookSize: 17)])
    let header = try TokenHeader(sampleRate: 16000, hop: 640, model: model, layout: layout)
    let writer = try TokenWriter(path: path, header: header)
    try writer.append(TokenFrames(codes: [3], levelCount: 1))
    try writer.finish(sampleCount: 640)
    return try contents(of: path)
}

/// The file as the writer would have written it, in the same blocks.
private func rewritten(_ path: String, _ prior: TokenPrior) throws -> [UInt8] {
    let reader = try TokenReader(path: path)
    try reader.use(prior)
    // Not a file that is put in place: that would wait for the disk each time.
    let copy = path + ".copy"
    let descriptor = open(copy, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    defer {
        close(descriptor)
        unlink(copy)
    }
    let writer = try TokenWriter(
        to: OutputFile(descriptor: descriptor, name: copy), header: reader.header,
        prior: reader.header.prior == nil ? nil : prior,
        framesPerBlock: TokenWriter.blockLimit)
    while let block = try reader.next() {
        try writer.append(block)
        try writer.flush()
    }
    try writer.finish(sampleCount: reader.sampleCount ?? 0)
    return try contents(of: copy)
}
