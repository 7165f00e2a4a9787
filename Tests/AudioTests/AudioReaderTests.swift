import CSndfile
import Foundation
import Testing

@testable import Audio

struct AudioReaderTests {
    @Test(
        "Every promised container is read as mono, at its own rate and level",
        arguments: [
            ("tone_16k_pcm16.wav", 16000, 1, 1e-4), ("tone_8k_ulaw.wav", 8000, 1, 0.02),
            ("tone_22k_float_stereo.wav", 22050, 2, 1e-4), ("tone_11k_pcm24.aiff", 11025, 1, 1e-4),
            ("tone_44k_stereo.flac", 44100, 2, 1e-4), ("tone_32k_stereo.ogg", 32000, 2, 0.03),
            ("tone_48k.opus", 48000, 1, 0.03), ("tone_22k_stereo.mp3", 22050, 2, 0.03),
        ])
    func readsContainer(name: String, rate: Int, channels: Int, tolerance: Double) throws {
        let reader = try AudioReader(path: fixture("audio/\(name)"))
        #expect(reader.sampleRate == rate)
        #expect(reader.channels == channels)
        let samples = try drain(reader)
        #expect(samples.count == reader.frames)
        #expect(samples.count == rate / 4)
        // One channel of `channels` carries the tone, so the average has its share of the amplitude. 0.15 s are 66 periods.
        let middle = samples[(rate / 20)..<(rate / 5)]
        #expect(abs(amplitude(of: 440, in: middle, rate: rate) - 0.5 / Double(channels)) < tolerance)
        let power = middle.reduce(0) { $0 + Double($1) * Double($1) } / Double(middle.count)
        #expect(abs((2 * power).squareRoot() - 0.5 / Double(channels)) < max(tolerance, 1e-3))
    }

    @Test func everyChunkSizeGivesTheSameSamples() throws {
        let path = fixture("audio/tone_44k_stereo.flac")
        let whole = try drain(AudioReader(path: path), chunk: 1 << 20)
        for chunk in [1, 7, 4096, 11025] {
            #expect(try drain(AudioReader(path: path), chunk: chunk) == whole)
        }
    }

    @Test func seekingStartsAtTheFrameAskedFor() throws {
        let path = fixture("audio/tone_44k_stereo.flac")
        let whole = try drain(AudioReader(path: path))
        let reader = try AudioReader(path: path)
        try reader.seek(toFrame: 5000)
        #expect(try reader.read(maximumFrames: 100) == Array(whole[5000..<5100]))
        #expect(reader.position == 5100)
        #expect(throws: AudioError.self) { try reader.seek(toFrame: 1 << 40) }
    }

    @Test("A pipe carries WAV, whatever length it states", arguments: [nil, UInt32.max, 0x7FFF_F000])
    func readsWAVFromAPipe(statedBytes: UInt32?) throws {
        let pipe = Pipe()
        let values = (0..<10_000).map { Int16($0 - 5000) }
        pipe.fileHandleForWriting.write(wav(samples: values, statedBytes: statedBytes))
        try pipe.fileHandleForWriting.close()
        let source = try AudioSource(path: "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)")
        // A placeholder is no length.
        #expect(source.expectedFrames == (statedBytes == nil ? 10_000 : nil))
        let expected = values.map { Float($0) / 32768 }
        #expect(try drain(source) == expected)
    }

    @Test func aWAVThatIsCutShortInAPipeIsRefused() throws {
        let pipe = Pipe()
        pipe.fileHandleForWriting.write(wav(samples: [Int16](repeating: 100, count: 8000), statedBytes: 32000))
        try pipe.fileHandleForWriting.close()
        let path = "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)"
        let error = AudioError.truncated(path: path, stated: 1, found: 0.5)
        #expect(throws: error) { try drain(AudioReader(path: path)) }
    }

    @Test func aPipeCarriesMP3() throws {
        let pipe = Pipe()
        let path = fixture("audio/tone_22k_stereo.mp3")
        pipe.fileHandleForWriting.write(try Data(contentsOf: URL(fileURLWithPath: path)))
        try pipe.fileHandleForWriting.close()
        let samples = try drain(AudioReader(path: "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)"))
        let fromFile = try drain(AudioReader(path: path))
        #expect(samples[2000..<5000] == fromFile[2000..<5000])
    }

    @Test func aPipeThatNeedsSeekingIsRefused() throws {
        let pipe = Pipe()
        pipe.fileHandleForWriting.write(
            try Data(contentsOf: URL(fileURLWithPath: fixture("audio/tone_44k_stereo.flac"))))
        try pipe.fileHandleForWriting.close()
        let path = "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)"
        let error = #expect(throws: AudioError.self) { try AudioReader(path: path) }
        guard case .notAudio = error else {
            Issue.record("not refused: \(String(describing: error))")
            return
        }
    }

    @Test func averagesEightChannels() throws {
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("eight.wav").path
            // Frame t holds 8·(t·8+c); its mean over the channels c is 8·(8t+3.5).
            try wav(samples: (0..<80).map { Int16($0 * 8) }, rate: 192_000, channels: 8)
                .write(to: URL(fileURLWithPath: path))
            let wave = try Waveform.load(path: path)
            #expect(wave.sampleRate == 192_000)
            let means = (0..<10).map { Float(64 * $0 + 28) / 32768 }
            #expect(wave.samples == means)
        }
    }

    @Test func oneSampleIsAudio() throws {
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("one.wav").path
            try wav(samples: [16384]).write(to: URL(fileURLWithPath: path))
            #expect(try Waveform.load(path: path).samples == [0.5])
            let resampled = try Waveform.load(path: path, sampleRate: 48000)
            #expect(resampled.samples.count == 3)
            #expect(resampled.sampleRate == 48000)
        }
    }

    @Test func resamplesWhileReading() throws {
        let source = try AudioSource(path: fixture("audio/tone_44k_stereo.flac"), sampleRate: 24000)
        let samples = try drain(source, chunk: 480)
        #expect(samples.count == source.expectedFrames)
        #expect(samples.count == 6000)
        #expect(abs(amplitude(of: 440, in: samples[1200..<4800], rate: 24000) - 0.25) < 1e-4)
        #expect(
            try Waveform.load(path: fixture("audio/tone_44k_stereo.flac"), sampleRate: 24000).samples == samples)
    }
}

struct BadAudioTests {
    private func failure(of bytes: Data, name: String = "bad.wav") throws -> AudioError? {
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent(name).path
            try bytes.write(to: URL(fileURLWithPath: path))
            return #expect(throws: AudioError.self) { try Waveform.load(path: path, sampleRate: 24000) }
        }
    }

    @Test func missingFileAndFolderCannotBeOpened() throws {
        let missing = #expect(throws: AudioError.self) { try AudioReader(path: "/nonexistent/a.wav") }
        #expect(missing == .cannotOpen(path: "/nonexistent/a.wav", reason: "No such file or directory"))
        let folder = #expect(throws: AudioError.self) { try AudioReader(path: "/tmp") }
        #expect(folder == .cannotOpen(path: "/tmp", reason: "it is a folder"))
    }

    @Test func textAndNoiseAreNotAudio() throws {
        var random = SystemRandomNumberGenerator()
        let noise = Data((0..<4000).map { _ in UInt8.random(in: 0...0x7F, using: &random) })
        for (bytes, name) in [(Data("hello, world\n".utf8), "a.wav"), (noise, "a.mp3"), (Data([0]), "a.flac")] {
            guard case .notAudio = try failure(of: bytes, name: name) else {
                Issue.record("\(name) was not refused as not being audio")
                continue
            }
        }
    }

    @Test func emptyFileAndEmptyAudioAreEmpty() throws {
        for bytes in [Data(), wav(samples: [])] {
            guard case .empty = try failure(of: bytes) else {
                Issue.record("not refused as empty")
                continue
            }
        }
    }

    @Test func nonFiniteSampleIsLocated() throws {
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("nan.f32").path
            var samples = [Float](repeating: 0.1, count: 48000)
            samples[12000] = .nan
            try Data(RawPCM.f32le.encode(samples)).write(to: URL(fileURLWithPath: path))
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            let reader = try RawPCMReader(
                descriptor: handle.fileDescriptor, name: path, format: .f32le, sampleRate: 48000)
            let error = #expect(throws: AudioError.self) { _ = try drain(reader, chunk: 999) }
            #expect(error == .nonFinite(path: path, seconds: 0.25))
        }
    }

    @Test func infinityInAFloatWAVIsLocated() throws {
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("inf.wav").path
            try Waveform(samples: [Float](repeating: 0.25, count: 16000), sampleRate: 16000)
                .write(to: path, encoding: .float32)
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            bytes.replaceSubrange((bytes.count - 4)..., with: [0, 0, 0x80, 0x7F])
            try bytes.write(to: URL(fileURLWithPath: path))
            let error = #expect(throws: AudioError.self) { try Waveform.load(path: path) }
            #expect(error == .nonFinite(path: path, seconds: 15999.0 / 16000))
        }
    }

    @Test func ratesAndChannelsOutOfRangeAreRefused() throws {
        let rates: [UInt32] = [3999, 800_000]
        for rate in rates {
            guard case .unsupportedRate(_, Int(rate)) = try failure(of: wav(samples: [1, 2, 3], rate: rate)) else {
                Issue.record("\(rate) Hz was not refused")
                continue
            }
        }
        guard
            case .tooManyChannels(_, 100) = try failure(
                of: wav(samples: [Int16](repeating: 1, count: 200), channels: 100))
        else {
            Issue.record("100 channels were not refused")
            return
        }
    }

    @Test func truncatedWAVIsRefusedBeforeAnythingIsRead() throws {
        let half = wav(samples: [Int16](repeating: 100, count: 8000), statedBytes: 32000)
        guard case .truncated(_, 1.0, 0.5) = try failure(of: half) else {
            Issue.record("not refused as truncated")
            return
        }
    }

    /// A second of silence at 16 kHz, as libsndfile writes it, is whole, and half of it is not.
    @Test(
        "Containers that are cut short are refused",
        arguments: [
            (SF_FORMAT_WAV, SF_FORMAT_PCM_16), (SF_FORMAT_WAV, SF_FORMAT_MS_ADPCM), (SF_FORMAT_RF64, SF_FORMAT_PCM_16),
            (SF_FORMAT_W64, SF_FORMAT_PCM_24), (SF_FORMAT_AIFF, SF_FORMAT_PCM_16), (SF_FORMAT_AU, SF_FORMAT_PCM_16),
        ])
    func cutContainersAreRefused(container: Int, encoding: Int) throws {
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("whole").path
            var info = SF_INFO()
            (info.samplerate, info.channels, info.format) = (16000, 1, Int32(container | encoding))
            let file = try #require(sf_open(path, Int32(SFM_WRITE), &info))
            #expect(sf_write_float(file, [Float](repeating: 0.1, count: 16000), 16000) == 16000)
            sf_close(file)
            let whole = try Data(contentsOf: URL(fileURLWithPath: path))
            #expect(try drain(AudioReader(path: path)).count >= 16000)
            guard case .truncated(_, let stated, let found) = try failure(of: whole.prefix(whole.count / 2)) else {
                Issue.record("not refused as truncated")
                return
            }
            // A block of ADPCM is 0.06 s.
            #expect(abs(stated - 1) < 0.13)
            #expect(abs(found - 0.5) < 0.07)
        }
    }

    @Test func streamedWAVWithAPlaceholderLengthIsWhole() throws {
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("streamed.wav").path
            for stated in [UInt32.max, 0x7FFF_FFFF, 0x7FFF_F000] {
                try wav(samples: [Int16](repeating: 100, count: 8000), statedBytes: stated)
                    .write(to: URL(fileURLWithPath: path))
                #expect(try Waveform.load(path: path).samples.count == 8000)
            }
        }
    }

    @Test func truncatedFLACIsRefused() throws {
        let whole = try Data(contentsOf: URL(fileURLWithPath: fixture("audio/tone_44k_stereo.flac")))
        switch try failure(of: whole.prefix(whole.count * 2 / 3), name: "cut.flac") {
        case .truncated(_, 0.25, let found): #expect(found < 0.25)
        case .corrupt(_, let seconds, _): #expect(seconds < 0.25)
        case let other: Issue.record("refused with \(String(describing: other))")
        }
    }

    @Test("Ogg streams one after another are refused", arguments: ["tone_32k_stereo.ogg", "tone_48k.opus"])
    func chainedStreams(name: String) throws {
        let one = try Data(contentsOf: URL(fileURLWithPath: fixture("audio/\(name)")))
        #expect(try AudioReader(contents: Array(one), name: name).readAll(limit: .max).count > 0)
        #expect(throws: AudioError.chained(path: name)) { try AudioReader(contents: Array(one + one), name: name) }
        guard case .chained = try failure(of: one + one, name: name) else {
            Issue.record("\(name) was read")
            return
        }
    }

    @Test("Flipped and missing bytes never crash a decoder", arguments: ["flac", "ogg", "opus", "mp3", "wav"])
    func corruptedBytes(ending: String) throws {
        let names = [
            "flac": "tone_44k_stereo.flac", "ogg": "tone_32k_stereo.ogg", "opus": "tone_48k.opus",
            "mp3": "tone_22k_stereo.mp3", "wav": "tone_22k_float_stereo.wav",
        ]
        let whole = try Data(contentsOf: URL(fileURLWithPath: fixture("audio/\(names[ending]!)")))
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("flipped.\(ending)").path
            for seed in 0..<60 {
                var state = UInt64(seed &* 7919 &+ 1)
                func next(_ bound: Int) -> Int {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return Int(state >> 33) % bound
                }
                var bytes = whole
                for _ in 0..<(1 + next(8)) { bytes[next(bytes.count)] = UInt8(next(256)) }
                if seed % 3 == 0 { bytes = bytes.prefix(next(bytes.count)) }
                try bytes.write(to: URL(fileURLWithPath: path))
                do {
                    let wave = try Waveform.load(path: path)
                    #expect(wave.samples.allSatisfy(\.isFinite) && !wave.samples.isEmpty)
                } catch let error as AudioError {
                    #expect(error.description.contains(path))
                }
            }
        }
    }
}
