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
        var contents: UInt64
        var balance: SpeakerBalance
    }

    /// The sources with the balance that ``Clips/balance`` asks for.
    ///
    /// - Parameter folder: the run's.
    /// - Throws: `TrainingError.noSpeakers`, `SkippedRecord`, `FileError`.
    func balanced(_ data: [WeightedSource], in folder: String) throws -> [WeightedSource] {
        guard clips.balance > 0 else { return data }
        let path = "\(folder)/speakers.json"
        let decoder = JSONDecoder()
        var kept: [Speakers] = []
        if Disk.exists(path) {
            let file = try InputFile(path: path, ordinary: true)
            // What another version wrote, or nobody, is read anew.
            kept = (try? decoder.decode([Speakers].self, from: Data(file.bytes(at: 0, count: file.byteCount)))) ?? []
        }
        let speakers = try data.enumerated().map { index, weighted in
            let contents = weighted.source.contents
            if kept.indices.contains(index), kept[index].contents == contents,
                kept[index].balance.strength == clips.balance
            {
                return kept[index]
            }
            let balance = try SpeakerBalance(of: weighted.source, strength: clips.balance)
            guard !balance.seconds.isEmpty else { throw TrainingError.noSpeakers(source: weighted.source.name) }
            return Speakers(contents: contents, balance: balance)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let file = try OutputFile(path: path)
        try file.write(Array(encoder.encode(speakers)))
        try file.commit()
        return zip(data, speakers).map { WeightedSource($0.source, weight: $0.weight, balance: $1.balance) }
    }
}
