import Audio
import Codec
import Foundation
import Native
import PJRT
import TestSupport
import Testing
import Tokenizer
import Training
import XLA

/// The native runtime against XLA on real speech.
@Suite struct BackendAgreementTests {
    @Test func nativeAgreesWithXLA() throws {
        let model = try Alpha(.alphaTiny)
        let arrays = weights(of: model)
        let engine = try Engine(platform: .cpu)
        let xla = try XLACodec(model: model, parameters: engine.upload(arrays), on: engine, chunkFrames: 50)
        let native = try NativeCodec(model: model, arrays: arrays, threads: 2)
        let speech = try Waveform.load(
            path: Fixture.folder.appendingPathComponent("speech/festvox-ru-sample.flac").path,
            sampleRate: model.configuration.sampleRate)
        let samples = Array(speech.samples.prefix(3 * 24000))
        let (expected, found) = (try xla.tokens(samples), try native.tokens(samples))
        #expect(expected.count == found.count)
        let different = zip(expected.codes, found.codes).filter { $0 != $1 }.count
        #expect(Double(different) <= 0.001 * Double(expected.codes.count), "\(different) of \(expected.codes.count)")
        let (one, other) = (try xla.samples(expected), try native.samples(expected))
        let worst = zip(one, other).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
        #expect(one.count == other.count && worst <= 1e-4, "waveforms differ by \(worst)")
    }

    /// Either kind of quantizer may be at either level.
    @Test func levelsMayBeOfEitherKindInEitherOrder() throws {
        var configuration = try smallModel().configuration
        configuration.quantizer = [.bsq(bits: 5), .vq(codebookSize: 16)]
        let model = try Alpha(configuration)
        let arrays = weights(of: model)
        let engine = try Engine(platform: .cpu)
        let xla = try XLACodec(model: model, parameters: engine.upload(arrays), on: engine, chunkFrames: 50)
        let native = try NativeCodec(model: model, arrays: arrays, threads: 2)
        let samples = sound(100 * model.configuration.hop, seed: 5)
        let (expected, found) = (try xla.tokens(samples), try native.tokens(samples))
        #expect(expected.count == 100 && zip(expected.codes, found.codes).count { $0 != $1 } <= 1)
        #expect(Set(found.level(0)).count > 1 && found.level(0).max()! < 32)
        #expect(Set(found.level(1)).count > 1 && found.level(1).max()! < 16)
        let worst = zip(try xla.samples(expected), try native.samples(expected)).reduce(Float(0)) {
            max($0, abs($1.0 - $1.1))
        }
        #expect(worst <= 1e-4)
    }

    @Test func bothReadWeightsInBFloat16() throws {
        let folder = try TemporaryFolder()
        let (wide, narrow) = (folder.file("wide.safetensors"), folder.file("narrow.safetensors"))
        let model = try smallModel()
        try ModelFile.write(weights(of: model), of: model, to: wide)
        try ModelFile(path: wide).write(as: .bf16, to: narrow)
        let file = try ModelFile(path: narrow)
        let samples = sound(100 * model.configuration.hop, seed: 5)
        // One chunk and no decoder: as little to compile as there can be.
        let xla = try XLACodec(file, on: Engine(platform: .cpu)).tokens(samples)
        let native = try NativeCodec(file).tokens(samples)
        let original = try NativeCodec(ModelFile(path: wide)).tokens(samples)
        func different(_ tokens: TokenFrames) -> Int { zip(tokens.codes, native.codes).count { $0 != $1 } }
        #expect(xla.count == native.count && different(xla) <= 1, "\(different(xla)) of \(native.codes.count)")
        #expect(different(original) > 1, "rounding tells")
    }
}
