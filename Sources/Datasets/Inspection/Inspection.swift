import Audio

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What a dataset holds, found by decoding it: memory does not grow with it.
public struct Inspection: Sendable, Codable {
    public private(set) var clips = 0
    public private(set) var seconds = 0.0
    public private(set) var shortest: Double?
    public private(set) var longest = 0.0
    /// Clips by sample rate in Hz.
    public private(set) var sampleRates: [Int: Int] = [:]
    /// Clips by channel count.
    public private(set) var channels: [Int: Int] = [:]
    /// Seconds by the highest whole kHz with sound, whatever the rates state.
    public private(set) var bandwidths: [Int: Double] = [:]
    /// Seconds whose band ends well below what their rate could hold.
    public private(set) var narrowSeconds = 0.0
    /// Clips by length: each bin is a fifth longer than the one before, the first is at a tenth of a second.
    public private(set) var lengths: [Int: Int] = [:]
    /// Seconds by speaker; `speakersAreAll` is false when there were too many to list.
    public private(set) var speakers: [String: Double] = [:]
    public private(set) var speakersAreAll = true
    /// Seconds by language.
    public private(set) var languages: [String: Double] = [:]
    public private(set) var clipsWithText = 0
    public private(set) var characters = 0
    public private(set) var skipped = SkipReport()

    private static let mostSpeakers = 100_000
    private static let lengthStep = 1.2
    private static let firstLength = 0.1

    public init() {}

    /// Where bin `index` of `lengths` begins, in seconds.
    public static func lengthBin(_ index: Int) -> Double {
        index == 0 ? 0 : firstLength * pow(lengthStep, Double(index))
    }

    /// The length below which a share of the clips are, in seconds, to the width of a bin.
    public func length(quantile: Double) -> Double {
        var left = quantile * Double(clips)
        for (bin, count) in lengths.sorted(by: { $0.key < $1.key }) {
            left -= Double(count)
            if left < 0 { return min(max(Self.lengthBin(bin), shortest ?? 0), longest) }
        }
        return longest
    }

    private mutating func add(_ clip: Measured) {
        clips += 1
        seconds += clip.seconds
        shortest = min(shortest ?? .infinity, clip.seconds)
        longest = max(longest, clip.seconds)
        sampleRates[clip.sampleRate, default: 0] += 1
        channels[clip.channels, default: 0] += 1
        if let bandwidth = clip.bandwidth {
            bandwidths[Int((bandwidth / 1000).rounded()), default: 0] += clip.seconds
            if bandwidth < 0.8 * Double(clip.sampleRate) / 2 { narrowSeconds += clip.seconds }
        }
        let bin = max(0, Int((log(max(clip.seconds, 1e-6) / Self.firstLength) / log(Self.lengthStep)).rounded(.down)))
        lengths[bin, default: 0] += 1
        if let speaker = clip.metadata.speaker {
            if speakers[speaker] != nil || speakers.count < Self.mostSpeakers {
                speakers[speaker, default: 0] += clip.seconds
            } else {
                speakersAreAll = false
            }
        }
        if let language = clip.metadata.language,
            languages[language] != nil || languages.count < Self.mostSpeakers
        {
            languages[language, default: 0] += clip.seconds
        }
        if let text = clip.metadata.text, !text.isEmpty {
            clipsWithText += 1
            characters += text.count
        }
    }

    fileprivate struct Measured: Sendable {
        let seconds: Double
        let sampleRate: Int
        let channels: Int
        let bandwidth: Double?
        let metadata: Record.Metadata

        /// - Throws: ``SkippedRecord``.
        init(_ result: Result<Record, RecordFailure>) throws(SkippedRecord) {
            let record: Record
            switch result {
            case .failure(let failure): throw SkippedRecord(failure)
            case .success(let found): record = found
            }
            do {
                let reader = try record.open()
                // In pieces: memory stays bounded, and who records clips of hours wants them counted.
                var samples: [Float] = []
                var frames = 0
                while case let chunk = try reader.read(maximumFrames: 1 << 16), !chunk.isEmpty {
                    frames += chunk.count
                    // A few minutes tell the bandwidth.
                    if samples.count < 1 << 23 { samples += chunk }
                }
                seconds = Double(frames) / Double(reader.sampleRate)
                sampleRate = reader.sampleRate
                channels = reader.channels
                bandwidth = Waveform(samples: samples, sampleRate: reader.sampleRate).bandwidth
                metadata = record.metadata
            } catch let error as AudioError {
                throw SkippedRecord(record.key, error)
            } catch {
                throw SkippedRecord(record.key, .undecodable, "\(error)")
            }
        }
    }

    /// Decodes every record of a source.
    ///
    /// - Parameters:
    ///   - limit: the most records to look at.
    ///   - isStrict: whether the first record that cannot be used is thrown, and not counted.
    ///   - progress: told how many records have been read and how many seconds they hold; what it throws ends the inspection.
    /// - Throws: ``SkippedRecord`` where strict.
    public init(
        of source: any Source, limit: Int? = nil, isStrict: Bool = false,
        threads: Int = Pipeline.processors,
        progress: (_ records: Int, _ seconds: Double) throws -> Void = { _, _ in }
    ) throws {
        let stream = RecordStream(source, RecordStream.Order(seed: 0, isShuffled: false))
        var left = limit ?? .max
        let measured = OrderedMap<RecordStream.Drawn, Result<Measured, SkippedRecord>>(
            threads: threads, depth: 4 * threads, weightLimit: .max, weight: { _ in 0 },
            draw: {
                left -= 1
                guard left >= 0, let drawn = stream.next(), drawn.epoch == 0 else { return nil }
                return drawn
            },
            transform: { drawn in Result { () throws(SkippedRecord) in try Measured(drawn.result) } })
        var records = 0
        while let result = measured.next() {
            switch result {
            case .success(let clip): add(clip)
            case .failure(let failure):
                if isStrict { throw failure }
                skipped.add(failure)
            }
            records += 1
            try progress(records, seconds)
        }
    }
}
