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
}
