/// Mono audio in memory: samples nominally in -1...1 (they may exceed it), at a rate in Hz.
public struct Waveform: Sendable, Hashable {
    public var samples: [Float]
    public var sampleRate: Int

    public init(samples: [Float], sampleRate: Int) {
        self.samples = samples
        self.sampleRate = sampleRate
    }

    /// The length in seconds.
    public var duration: Double { Double(samples.count) / Double(sampleRate) }

    /// Reads a whole sound file, mixed down to mono and resampled to `sampleRate`, or at its own rate when that is nil.
    ///
    /// For files of unbounded length, pull chunks from ``AudioSource`` instead.
    ///
    /// - Throws: ``AudioError``.
    public static func load(path: String, sampleRate: Int? = nil) throws -> Waveform {
        let source = try AudioSource(path: path, sampleRate: sampleRate)
        var samples: [Float] = []
        // A hint only: the header of a hostile file may state any length.
        samples.reserveCapacity(min(source.expectedFrames ?? 0, 1 << 24))
        while case let chunk = try source.read(maximumFrames: 1 << 16), !chunk.isEmpty { samples += chunk }
        return Waveform(samples: samples, sampleRate: source.sampleRate)
    }

    /// Writes the samples to a sound file whose format follows from its extension; see ``AudioWriter``.
    ///
    /// - Throws: ``AudioError``.
    public func write(to path: String, encoding: AudioWriter.Encoding = .pcm16) throws {
        let writer = try AudioWriter(path: path, sampleRate: sampleRate, encoding: encoding)
        try writer.write(samples)
        try writer.finish()
    }

    /// A 16-bit WAV file in memory; samples outside -1...1 are clipped.
    ///
    /// - Throws: ``AudioError`` for what is not finite.
    /// - Precondition: it is shorter than 4 GiB.
    public func wavFile(name: String = "clip.wav") throws -> [UInt8] {
        try requireFinite(samples, from: 0, sampleRate: sampleRate, path: name)
        let data = RawPCM.s16le.encode(samples)
        func little(_ value: Int, _ byteCount: Int) -> [UInt8] {
            (0..<byteCount).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        precondition(data.count < Int(UInt32.max) - 44, "a WAV file ends at 4 GiB")
        let format = little(1, 2) + little(1, 2) + little(sampleRate, 4) + little(2 * sampleRate, 4)
        return Array("RIFF".utf8) + little(36 + data.count, 4) + Array("WAVEfmt ".utf8) + little(16, 4) + format
            + little(2, 2) + little(16, 2) + Array("data".utf8) + little(data.count, 4) + data
    }
}
