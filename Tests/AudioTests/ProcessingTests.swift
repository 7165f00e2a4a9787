import Foundation
import Testing

@testable import Audio

/// Noise of a fixed seed, in -1..<1.
private func noise(_ count: Int) -> [Float] {
    var state: UInt32 = 9
    return (0..<count).map { _ in
        state = state &* 1_664_525 &+ 1_013_904_223
        return Float(Int32(bitPattern: state)) * 0x1p-31
    }
}

@Suite struct ProcessingTests {
    @Test(arguments: [
        "tone_11k_pcm24.aiff", "tone_16k_pcm16.wav", "tone_22k_float_stereo.wav", "tone_44k_stereo.flac",
        "tone_32k_stereo.ogg", "tone_48k.opus", "tone_22k_stereo.mp3", "tone_8k_ulaw.wav",
    ])
    func soundInMemoryIsWhatTheFileIs(name: String) throws {
        let path = fixture("audio/\(name)")
        let fromFile = try AudioReader(path: path)
        let fromMemory = try AudioReader(contents: Array(Data(contentsOf: URL(filePath: path))), name: name)
        #expect(fromMemory.sampleRate == fromFile.sampleRate && fromMemory.channels == fromFile.channels)
        let expected = try drain(fromFile)
        #expect(try drain(fromMemory) == expected)
        #expect(try AudioReader(path: path).readAll(limit: .max) == expected)
    }

    @Test func damagedSoundInMemoryIsAnErrorByName() throws {
        let whole = Array(wav(samples: [Int16](repeating: 7, count: 4000)))
        #expect(throws: AudioError.empty(path: "a")) { try AudioReader(contents: [], name: "a") }
        #expect(throws: AudioError.self) { try AudioReader(contents: [1, 2, 3, 4], name: "b") }
        #expect {
            try AudioReader(contents: Array(whole.prefix(3000)), name: "c")
        } throws: {
            if case AudioError.truncated(path: "c", _, _) = $0 { true } else { false }
        }
        let nan = Waveform(samples: [0, .nan, 0], sampleRate: 8000)
        #expect(throws: AudioError.self) { try nan.flacFile() }
        let fast = Waveform(samples: [0, 0.5], sampleRate: 100_001)
        #expect(throws: AudioError.unsupportedFormat(path: "clip.flac", reason: "the format cannot state 100001 Hz")) {
            try fast.flacFile()
        }
        #expect(throws: AudioError.self) { try nan.wavFile() }
    }

    /// libsndfile seeks to where a Wave64 file's sizes say that its next chunk is.
    @Test func sizesBeyondAllNumbersAreNoPlaceToGo() throws {
        func guid(_ name: String, _ rest: [UInt8]) -> [UInt8] { Array(name.utf8) + rest }
        let common: [UInt8] = [0xF3, 0xAC, 0xD3, 0x11, 0x8C, 0xD1, 0x00, 0xC0, 0x4F, 0x8E, 0xDB, 0x8A]
        func little(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        func file(dataSize: Int) -> [UInt8] {
            let format = [(1, 2), (1, 2), (8000, 4), (16000, 4), (2, 2), (16, 2)].flatMap { little($0.0, $0.1) }
            return guid("riff", [0x2E, 0x91, 0xCF, 0x11, 0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1, 0x00, 0x00])
                + little(304, 8) + guid("wave", common) + guid("fmt ", common) + little(40, 8) + format
                + guid("data", common) + little(dataSize, 8) + [UInt8](repeating: 3, count: 200)
        }
        #expect(try AudioReader(contents: file(dataSize: 224), name: "good.w64").readAll(limit: 1000).count == 100)
        for size in [0x7FFF_FFFF_FFFF_FFF8, -8] {
            let reader = try AudioReader(contents: file(dataSize: size), name: "hostile.w64")
            #expect(try reader.readAll(limit: 1000).count == 100, "what is there")
        }
        #expect(throws: AudioError.self) { try AudioReader(contents: file(dataSize: .max), name: "hostile.w64") }
    }

    @Test func whatNoGainMakesSpeechStaysAsItIs() {
        let faint = Waveform(samples: [0, 1e-37, -1e-37], sampleRate: 8000)
        #expect(LevelNormalization.peak(-1)(faint).samples == faint.samples)
    }

    @Test func moreThanTheLimitIsRefused() throws {
        let wave = Waveform(samples: noise(20_000), sampleRate: 8000)
        let file = try wave.wavFile()
        #expect(try AudioReader(contents: file, name: "x").readAll(limit: 20_000).count == 20_000)
        #expect(throws: AudioError.tooLong(path: "x", seconds: 2.5, limit: 19_999.0 / 8000)) {
            try AudioReader(contents: file, name: "x").readAll(limit: 19_999)
        }
    }

    @Test func aFLACFileInMemoryKeepsSixteenBits() throws {
        let wave = Waveform(samples: noise(10_000).map { $0 * 0.9 }, sampleRate: 24000)
        let reader = try AudioReader(contents: wave.flacFile(), name: "clip.flac")
        #expect(reader.sampleRate == 24000)
        let kept = try reader.readAll(limit: .max)
        #expect(kept.count == 10_000)
        #expect(zip(kept, wave.samples).allSatisfy { abs($0 - $1) <= 0.5 / 32768 + 1e-7 })
        #expect(try Waveform(samples: kept, sampleRate: 24000).flacFile() == wave.flacFile())
    }

    @Test(arguments: [(48000.0, 24000.0), (44100.0, 24000.0), (16000.0, 24000.0), (8000.0 * 1.07, 24000.0)])
    func wholeResamplingIsThatOfStreams(from: Double, to: Double) throws {
        let samples = noise(9000)
        let whole = try resample(samples, from: from, to: to)
        #expect(whole.count == Int((9000 * to / from).rounded()))
        guard from == from.rounded() else { return }
        let stream = try StreamingResampler(from: Int(from), to: Int(to))
        let streamed = try stream.push(samples) + stream.finish()
        #expect(streamed.count == whole.count)
        #expect(zip(streamed, whole).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    @Test(arguments: [
        "tone_44k_stereo.flac", "tone_16k_pcm16.wav", "tone_22k_float_stereo.wav", "tone_8k_ulaw.wav",
        "tone_22k_stereo.mp3", "tone_11k_pcm24.aiff",
    ])
    func aFileReadAtAnotherRateIsTheFileResampled(name: String) throws {
        let path = fixture("audio/\(name)")
        let decoded = try AudioReader(path: path).readAll(limit: .max)
        let rate = try Double(AudioReader(path: path).sampleRate)
        for (from, to) in [(rate, 24000.0), (rate * 1.07, 24000.0), (24000.0, 24000.0)] {
            let read = try AudioReader(path: path).readAll(limit: decoded.count, from: from, to: to)
            #expect(try read == resample(decoded, from: from, to: to))
            #expect(throws: AudioError.self) {
                try AudioReader(path: path).readAll(limit: decoded.count - 1, from: from, to: to)
            }
        }
    }

    @Test func aFileThatEndsEarlyIsRefusedAtAnotherRateToo() throws {
        let file = try Waveform(samples: noise(40_000), sampleRate: 16000).flacFile()
        #expect(throws: AudioError.self) {
            try AudioReader(contents: Array(file.prefix(file.count / 2)), name: "x")
                .readAll(limit: .max, from: 16000, to: 24000)
        }
    }

    @Test func bandLimitingTakesWhatIsAbove() throws {
        let low = tone(1000, seconds: 1, rate: 24000)
        let both = Waveform(samples: zip(low, tone(7000, seconds: 1, rate: 24000)).map { $0 + $1 }, sampleRate: 24000)
        let limited = try both.bandLimited(to: 4000)
        #expect(limited.samples.count == both.samples.count)
        let middle = limited.samples[4000..<20_000]
        #expect(abs(amplitude(of: 1000, in: middle, rate: 24000) - 0.5) < 0.001)
        #expect(amplitude(of: 7000, in: middle, rate: 24000) < 1e-4)
    }

    @Test func bandwidthIsThatOfTheRecordingAndNotOfItsRate() throws {
        let narrow = Waveform(samples: noise(16_000).map { $0 * 0.5 }, sampleRate: 16000)
        let wide = try narrow.resampled(to: 48000)
        #expect(abs((wide.bandwidth ?? 0) - 8000) < 500, "\(wide.bandwidth ?? 0)")
        #expect((narrow.bandwidth ?? 0) > 7900)
        #expect(Waveform(samples: [Float](repeating: 0, count: 5000), sampleRate: 8000).bandwidth == nil)
        #expect(Waveform(samples: noise(100), sampleRate: 8000).bandwidth == nil)
    }

    @Test func loudnessIsThatOfTheStandardsTestTones() throws {
        // EBU Tech 3341, case 1, for one channel: a 1 kHz sine at -23 dBFS measures -23 LUFS in stereo, 3.01 less in mono.
        let sine = Waveform(
            samples: tone(1000, seconds: 5, rate: 48000, amplitude: pow(10, -23.0 / 20)), sampleRate: 48000)
        #expect(abs((sine.loudness ?? 0) + 23 + 3.01) < 0.1, "\(sine.loudness ?? 0)")
        #expect(Waveform(samples: [Float](repeating: 0, count: 48000), sampleRate: 48000).loudness == nil)
        #expect(Waveform(samples: tone(1000, seconds: 0.2, rate: 24000), sampleRate: 24000).loudness != nil)
    }

    @Test func levelsAreWhatWasAskedFor() throws {
        let wave = Waveform(samples: tone(1000, seconds: 2, rate: 24000, amplitude: 0.03), sampleRate: 24000)
        #expect(LevelNormalization.none(wave) == wave)
        #expect(abs(LevelNormalization.peak(-6)(wave).peak - 0.5012) < 1e-3)
        #expect(abs((LevelNormalization.loudness(-20)(wave).loudness ?? 0) + 20) < 0.05)
        #expect(abs(LevelNormalization.loudness(0)(wave).peak - 1) < 1e-4, "peaks are not clipped")
        let silence = Waveform(samples: [0, 0, 0], sampleRate: 24000)
        for level in [LevelNormalization.peak(-1), .loudness(-20)] { #expect(level(silence) == silence) }
    }

    @Test(arguments: [LevelNormalization.none, .peak(-1), .loudness(-23)]) func levelsAreKeptInJSON(
        level: LevelNormalization
    ) throws {
        #expect(try JSONDecoder().decode(LevelNormalization.self, from: JSONEncoder().encode(level)) == level)
    }

    @Test func silenceAroundASoundIsCutAndTheMarginKept() throws {
        let rate = 8000
        let quiet = noise(rate).map { $0 * 1e-4 }
        let samples = quiet + tone(440, seconds: 0.5, rate: rate) + quiet
        let bounds = try #require(SilenceTrimming(margin: 0.1).bounds(of: Waveform(samples: samples, sampleRate: rate)))
        // The sound, a tenth of a second on each side, and at most a frame of 20 ms.
        #expect((rate - 800 - 160...rate - 800).contains(bounds.lowerBound))
        #expect((rate + 4000 + 800...rate + 4000 + 800 + 160).contains(bounds.upperBound))
        #expect(
            SilenceTrimming()(Waveform(samples: [Float](repeating: 0, count: 900), sampleRate: rate)).samples.isEmpty)
        #expect(SilenceTrimming().bounds(of: Waveform(samples: [], sampleRate: rate)) == nil)
    }
}
