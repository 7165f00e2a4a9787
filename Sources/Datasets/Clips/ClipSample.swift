public import Audio

/// A few clips of a source, the same ones each time.
public struct ClipSample: Sendable {
    public private(set) var clips: [(clip: Clip, waveform: Waveform)] = []
    public private(set) var skipped = SkipReport()

    /// - Parameters:
    ///   - count: how many clips, spread evenly over the source where it can be read in any order, else from its beginning.
    ///   - shortest: in seconds; shorter ones are passed over.
    /// - Throws: ``SkippedRecord`` for what could not be fetched: without it the clips would be others.
    public init(_ source: any Source, count: Int, preparation: ClipPreparation, shortest: Double = 0) throws {
        var clips: [(clip: Clip, waveform: Waveform)] = []
        skipped = try Self.visit(source, count: count, preparation: preparation, shortest: shortest) {
            clips.append(($0, $1))
        }
        self.clips = clips
    }

    /// The same clips one after another, of which none is kept.
    ///
    /// - Returns: what was passed over.
    /// - Throws: ``SkippedRecord`` for what could not be fetched, and what `body` throws.
    public static func visit(
        _ source: any Source, count: Int, preparation: ClipPreparation, shortest: Double = 0,
        _ body: (Clip, Waveform) throws -> Void
    ) throws -> SkipReport {
        var skipped = SkipReport()
        var preparation = preparation
        preparation.shortest = max(preparation.shortest, shortest)
        let canSpread = source.shards.allSatisfy { $0.isRandomAccess }
        let total = canSpread ? source.recordCount : nil
        var stream: RecordStream?
        for number in 0..<count {
            // Each clip is looked for in a stretch of its own.
            let position = total.map { RecordStream.Position(place: number * $0 / count) }
            let end = total.map { (number + 1) * $0 / count }
            if position != nil || number == 0 {
                stream = RecordStream(
                    source, RecordStream.Order(seed: 0, isShuffled: false), at: position ?? RecordStream.Position())
            }
            guard let stream else { break }
            while stream.position.epoch == 0, end.map({ stream.position.place < $0 }) ?? true,
                let drawn = stream.next(), drawn.epoch == 0
            {
                guard let taken = try take(drawn.result, preparation, &skipped) else { continue }
                try body(taken.clip, taken.waveform)
                break
            }
        }
        return skipped
    }

    private static func take(
        _ result: Result<Record, RecordFailure>, _ preparation: ClipPreparation, _ skipped: inout SkipReport
    ) throws(SkippedRecord) -> (clip: Clip, waveform: Waveform)? {
        let failure: SkippedRecord
        do {
            let record = try result.get()
            var random = CountedRandom(seed: 0)
            let (waveform, bandwidth, phones) = try preparation(record, random: &random)
            let clip = Clip(
                key: record.key, sampleCount: waveform.samples.count, bandwidth: bandwidth, text: record.metadata.text,
                speaker: record.metadata.speaker, language: record.metadata.language, phones: phones,
                phonemes: record.metadata.phonemes)
            return (clip, waveform)
        } catch let error as RecordFailure {
            failure = SkippedRecord(error)
        } catch let error as SkippedRecord {
            failure = error
        } catch {
            failure = SkippedRecord("", .undecodable, "\(error)")
        }
        if failure.isNotFetched { throw failure }
        skipped.add(failure)
        return nil
    }
}
