import Checkpoint
import Datasets

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Recipe {
    /// `speakers.json` of a run: reading through a large dataset takes long, and is done once.
    private struct Speakers: Codable {
        /// ``Source/contents``.
        var contents: UInt64
        var seconds: [String: Double]
    }

    /// The sources with the balance that ``Clips/balance`` asks for.
    ///
    /// - Parameter folder: the run's.
    /// - Throws: `TrainingError.noSpeakers`, `SkippedRecord` for what could not be fetched, `FileError`.
    func balanced(_ data: [WeightedSource], in folder: String) throws -> [WeightedSource] {
        guard clips.balance > 0 else { return data }
        let path = "\(folder)/speakers.json"
        var kept: [Speakers] = []
        if Disk.exists(path) {
            let file = try InputFile(path: path, ordinary: true)
            let bytes = try file.bytes(at: 0, count: file.byteCount)
            // What is not what a run writes is read anew.
            kept = (try? JSONDecoder().decode([Speakers].self, from: Data(bytes))) ?? []
        }
        let speakers = try data.enumerated().map { index, weighted in
            let contents = weighted.source.contents
            // By place too: shards that do not say what they hold may look alike in two sources.
            if kept.indices.contains(index), kept[index].contents == contents { return kept[index] }
            let seconds = try weighted.source.secondsOfSpeakers()
            guard !seconds.isEmpty else { throw TrainingError.noSpeakers(source: weighted.source.name) }
            return Speakers(contents: contents, seconds: seconds)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let file = try OutputFile(path: path)
        try file.write(Array(encoder.encode(speakers)))
        try file.commit()
        return zip(data, speakers).map { weighted, speakers in
            WeightedSource(
                weighted.source, weight: weighted.weight,
                balance: SpeakerBalance(seconds: speakers.seconds, strength: clips.balance))
        }
    }
}
