public import Audio

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Two numbers, the first not above the second; in JSON a list of both.
public struct Interval: Hashable, Sendable, Codable {
    public var low: Double
    public var high: Double

    /// - Precondition: `low ≤ high`.
    public init(_ low: Double, _ high: Double) {
        precondition(low <= high, "an interval from \(low) to \(high)")
        self.low = low
        self.high = high
    }

    public init(from decoder: any Decoder) throws {
        let ends = try [Double](from: decoder)
        guard ends.count == 2, ends[0] <= ends[1] else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "an interval is two numbers, the smaller one first"))
        }
        self.init(ends[0], ends[1])
    }

    public func encode(to encoder: any Encoder) throws { try [low, high].encode(to: encoder) }
}

/// Random changes that make more of a corpus; each is left out where it is nil.
public struct Augmentation: Hashable, Sendable, Codable {
    /// How many times as fast, pitch and all.
    public var speed: Interval?
    /// In dB.
    public var gain: Interval?
    /// By how many dB, at most, lows, a band of the middle and highs are each raised or lowered: other microphones and rooms.
    public var equalization: Double?
    /// The frequency, in Hz, above which a clip loses everything, with `bandShare`.
    public var band: Interval?
    /// The share of clips whose band is limited.
    public var bandShare: Double

    public init(
        speed: Interval? = nil, gain: Interval? = nil, equalization: Double? = nil, band: Interval? = nil,
        bandShare: Double = 0.5
    ) {
        self.speed = speed
        self.gain = gain
        self.equalization = equalization
        self.band = band
        self.bandShare = bandShare
    }
}

/// What is done to a sound between its file and a batch: decoded, mixed down to mono, resampled, trimmed, levelled, rid of background, augmented.
public struct ClipPreparation: Hashable, Sendable, Codable {
    /// In Hz.
    public var sampleRate: Int
    public var level: LevelNormalization
    /// Nil keeps silence.
    public var trimming: SilenceTrimming?
    public var augmentation: Augmentation
    /// Nil leaves background as loud as it is.
    public var expander: Expander?
    /// Whether the bandwidth of clips whose dataset does not say is measured; else it is taken to be all that their rate holds.
    public var measuresBandwidth: Bool
    /// Shorter clips are skipped, in seconds.
    public var shortest: Double
    /// Longer ones too: this bounds the memory that one clip can take, whatever its compressed size.
    public var longest: Double

    public init(
        sampleRate: Int, level: LevelNormalization = .none, trimming: SilenceTrimming? = nil,
        augmentation: Augmentation = Augmentation(), expander: Expander? = nil, measuresBandwidth: Bool = false,
        shortest: Double = 0.1,
        longest: Double = 120
    ) {
        self.sampleRate = sampleRate
        self.level = level
        self.trimming = trimming
        self.augmentation = augmentation
        self.expander = expander
        self.measuresBandwidth = measuresBandwidth
        self.shortest = shortest
        self.longest = longest
    }

    /// A record's sound, the highest frequency at which it can have any, in Hz, and its alignment, timed as the sound is.
    ///
    /// - Throws: ``SkippedRecord``.
    func callAsFunction(
        _ record: Record, random: inout CountedRandom
    ) throws(SkippedRecord) -> (waveform: Waveform, bandwidth: Double, phones: [AlignedPhone]?) {
        do {
            let reader = try record.open()
            let rate = Double(reader.sampleRate)
            let limit = Int(longest * rate)
            // Played faster, a recording is one of a higher rate: one filter does both.
            let speed = augmentation.speed.map { random.uniform($0) } ?? 1
            let target = Double(sampleRate)
            var bandwidth = record.metadata.bandwidth ?? rate / 2
            let samples: [Float]
            if measuresBandwidth, record.metadata.bandwidth == nil {
                let decoded = Waveform(samples: try reader.readAll(limit: limit), sampleRate: reader.sampleRate)
                bandwidth = decoded.bandwidth ?? bandwidth
                samples = try resample(decoded.samples, from: rate * speed, to: target)
            } else {
                samples = try reader.readAll(limit: limit, from: rate * speed, to: target)
            }
            bandwidth *= speed
            var waveform = Waveform(samples: samples, sampleRate: sampleRate)
            var phones = record.metadata.phones?.played(speed: speed)
            if let trimming {
                let bounds = trimming.bounds(of: waveform) ?? 0..<0
                waveform = Waveform(samples: Array(waveform.samples[bounds]), sampleRate: sampleRate)
                phones = phones?.cut(
                    from: Double(bounds.lowerBound) / Double(sampleRate), seconds: waveform.duration)
                if waveform.samples.isEmpty { throw SkippedRecord(record.key, .silent, "it is silent throughout") }
            }
            guard waveform.duration >= shortest else {
                throw SkippedRecord(record.key, .tooShort, "\(waveform.duration) s, and \(shortest) s are asked for")
            }
            waveform = level(waveform)
            if let expander { waveform = expander(waveform) }
            if let gain = augmentation.gain { waveform = waveform.amplified(by: random.uniform(gain)) }
            if let limit = augmentation.equalization {
                waveform = waveform.filtered(by: random.equalizer(limit: limit, sampleRate: sampleRate))
            }
            if let band = augmentation.band, random.unit() < augmentation.bandShare {
                let limit = random.uniform(band)
                waveform = try waveform.bandLimited(to: limit)
                bandwidth = min(bandwidth, limit)
            }
            return (waveform, min(bandwidth, Double(sampleRate) / 2), phones)
        } catch let error as AudioError {
            throw SkippedRecord(record.key, error)
        } catch let error as SkippedRecord {
            throw error
        } catch {
            throw SkippedRecord(record.key, .undecodable, "\(error)")
        }
    }
}

extension CountedRandom {
    /// Two shelves and what is between them, by up to `limit` dB each.
    fileprivate mutating func equalizer(limit: Double, sampleRate: Int) -> [Biquad] {
        let parts: [((Double) -> Biquad.Shape, Interval)] = [
            (Biquad.Shape.lowShelf, Interval(100, 400)), (Biquad.Shape.peak, Interval(400, 2500)),
            (Biquad.Shape.highShelf, Interval(2000, 3500)),
        ]
        return parts.map { shape, band in
            // Every octave as likely.
            let frequency = band.low * pow(band.high / band.low, unit())
            return Biquad(
                shape(min(frequency, 0.4 * Double(sampleRate))), gain: uniform(Interval(-limit, limit)),
                sampleRate: sampleRate)
        }
    }
}

extension Record {
    /// - Throws: ``AudioError``.
    func open() throws -> AudioReader {
        switch sound {
        case .file(let path): try AudioReader(path: path)
        case .bytes(let contents, let name): try AudioReader(contents: contents, name: name)
        }
    }
}
