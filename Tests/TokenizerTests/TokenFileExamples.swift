import Checkpoint
import Foundation
import Tokenizer

func fixture(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/\(name)").standardized.path
}

let model = Fingerprint(bytes: Array(0..<32))!

/// The worked example of `docs/token-format.md`.
let exampleFrames = TokenFrames(codes: [5, 0x2A3F1, 47, 0, 0, 0x3FFFF], levelCount: 2)

func exampleHeader() throws -> TokenHeader {
    try TokenHeader(
        sampleRate: 24000, hop: 480, model: model, layout: TokenLayout([.vq(codebookSize: 48), .bsq(bits: 18)]))
}

func writeExample(to output: OutputFile) throws {
    let writer = try TokenWriter(to: output, header: exampleHeader())
    try writer.append(exampleFrames[0..<2])
    try writer.flush()
    try writer.append(exampleFrames[2..<3])
    try writer.finish(sampleCount: 1200)
}

/// What `Tests/Oracles/tokenfile_fixtures.py` puts into `tokenfile_wide.allo`.
struct Wide {
    let header: TokenHeader
    let frames: TokenFrames
    let sampleCount = 1_919_001

    init() throws {
        let levels: [TokenLayout.Level] = [
            .vq(codebookSize: 1025), .bsq(bits: 36), .vq(codebookSize: 2), .bsq(bits: 63),
        ]
        header = try TokenHeader(sampleRate: 48000, hop: 1920, model: model, layout: TokenLayout(levels))
        var state: UInt64 = 1
        let codes = (0..<4000).map { index in
            // Knuth's linear congruential generator, taken from its upper bits.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 1) % (levels[index % 4].largestCode + 1)
        }
        frames = TokenFrames(codes: codes, levelCount: 4)
    }
}
