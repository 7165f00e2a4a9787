import ArgumentParser
import Codec
import Foundation
import Native
import Synchronization
import Tokenizer

/// Sound through one stream for hours, as fast as it goes: memory must not grow, and what comes out must be what a second
/// run gives, which is cut differently and goes on beside it on a thread of its own.
struct Soak: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak", abstract: "Hours of sound through one stream, twice at once: memory, tokens and samples.")

    @Option(help: "The model: \(Alpha.Configuration.presets.keys.sorted().joined(separator: ", ")).")
    var model = "alpha-tiny"
    @Option var precision = Precision.f32
    @Option(help: "Hours of sound.")
    var hours = 24.0
    @Option(help: "How many MB memory may grow after the first minute.")
    var growth = 2.0

    func run() throws {
        let reference = try NativeReference(preset: model)
        let codec = try NativeCodec(model: reference.model, arrays: reference.arrays, precision: precision)
        let passes = Mutex<[Int: Result<Outcome, any Error>]>([:])
        DispatchQueue.concurrentPerform(iterations: 2) { index in
            let (framesAtOnce, title) = index == 0 ? (1, "a frame at a time") : (codec.blockFrames * 3 + 1, "blocks")
            let outcome = Result { try Self.pass(codec, hours: hours, framesAtOnce: framesAtOnce, title: title) }
            passes.withLock { $0[index] = outcome }
        }
        let runs = try passes.withLock { $0 }.sorted { $0.key < $1.key }.map { try $0.value.get() }
        let isEqual = runs[0].tokens == runs[1].tokens && runs[0].sound == runs[1].sound
        let line: [String: Any] = [
            "check": "soak", "model": model, "precision": precision.rawValue, "hours": hours,
            "equal": isEqual, "runs": runs.map(\.json),
        ]
        print(String(decoding: try JSONSerialization.data(withJSONObject: line, options: [.sortedKeys]), as: UTF8.self))
        if !isEqual { throw ExitCode.failure }
        if runs.contains(where: { $0.peak - $0.start > growth }) { throw ExitCode.failure }
    }

    private struct Outcome {
        /// Of all codes, and of all samples.
        var (tokens, sound) = (Hash(), Hash())
        /// Resident megabytes after the first minute, at the end, and the most in between.
        var (start, end, peak) = (0.0, 0.0, 0.0)
        var seconds = 0.0
        var distinctCodes = Set<UInt64>()

        var json: [String: Any] {
            [
                "tokens": String(tokens.value, radix: 16), "sound": String(sound.value, radix: 16),
                "startMB": rounded(start), "endMB": rounded(end),
                "peakMB": rounded(peak), "seconds": rounded(seconds), "levelOneCodes": distinctCodes.count,
            ]
        }
    }

    /// FNV-1a, a word at a time.
    private struct Hash: Equatable {
        private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

        mutating func mix(_ word: UInt64) { value = (value ^ word) &* 0x100_0000_01B3 }
    }

    private static func pass(
        _ codec: NativeCodec, hours: Double, framesAtOnce: Int, title: String
    ) throws -> Outcome {
        let configuration = codec.model.configuration
        let total = Int(hours * 3600 * configuration.frameRate)
        let minute = Int(60 * configuration.frameRate)
        var outcome = Outcome()
        var sound = SyntheticSpeech(sampleRate: configuration.sampleRate)
        var (encoder, decoder) = (try codec.makeEncoder(), try codec.makeDecoder())
        let clock = ContinuousClock.now
        var (done, nextSample, nextReport) = (0, minute, total / 24)
        while done < total {
            let count = min(framesAtOnce, total - done)
            let tokens = try encoder.push(sound.next(count * configuration.hop))
            for code in tokens.codes { outcome.tokens.mix(code) }
            for frame in 0..<tokens.count { outcome.distinctCodes.insert(tokens[frame, 0]) }
            for sample in try decoder.push(tokens) { outcome.sound.mix(UInt64(sample.bitPattern)) }
            done += count
            if done >= nextSample || done == total {
                let resident = residentMegabytes()
                if outcome.start == 0 { outcome.start = resident }
                (outcome.end, outcome.peak) = (resident, max(outcome.peak, resident))
                nextSample += minute
            }
            if done >= nextReport {
                let elapsed = (ContinuousClock.now - clock) / .seconds(1)
                let heard = Double(done) / configuration.frameRate
                let figures = String(
                    format: "%.1f of %.1f h, %.0f × real time, %.1f MB", heard / 3600, hours, heard / elapsed,
                    outcome.end)
                FileHandle.standardError.write(Data("\(title): \(figures)\n".utf8))
                nextReport += max(1, total / 24)
            }
        }
        outcome.seconds = (ContinuousClock.now - clock) / .seconds(1)
        return outcome
    }
}

/// Voices, noises and silences without end, the same for every run: from full scale down to denormal numbers.
struct SyntheticSpeech {
    private let sampleRate: Float
    private var generator = SplitMix(state: 3)
    private var left = 0
    private var (voice, noise, pitch, glide, phase): (Float, Float, Float, Float, Float) = (0, 0, 0, 0, 0)

    init(sampleRate: Int) { self.sampleRate = Float(sampleRate) }

    mutating func next(_ count: Int) -> [Float] {
        (0..<count).map { _ in
            if left == 0 { begin() }
            left -= 1
            pitch *= glide
            phase += pitch / sampleRate
            if phase >= 1 { phase -= 1 }
            // A sawtooth has every harmonic, as a glottis does.
            let word = Float(Int32(truncatingIfNeeded: generator.next())) * 0x1p-31
            return voice * (phase - 0.5) + noise * word
        }
    }

    /// Another sound, of 50 ms to a second.
    private mutating func begin() {
        left = Int(Float.random(in: 0.05...1, using: &generator) * sampleRate)
        pitch = .random(in: 70...350, using: &generator)
        glide = 1 + .random(in: -1...1, using: &generator) / sampleRate
        let loudness = Float.random(in: 0.01...1, using: &generator)
        (voice, noise) =
            switch generator.next() % 8 {
            case 0: (0, 0)
            case 1: (0, 0.5 * loudness)
            case 2: (1e-39, 1e-39)
            default: (loudness, 0.1 * loudness * loudness)
            }
    }
}
