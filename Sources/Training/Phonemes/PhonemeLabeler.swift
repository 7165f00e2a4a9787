public import Datasets
public import Phonemes
import Tensor
import Tokenizer

/// The phonemes of clips as entries of a model's inventory: those that the dataset states, else those of the transcripts.
public struct PhonemeLabeler: ClipLabeler {
    public let inventory: PhonemeInventory
    private let reader: IPAReader
    private let transcriber = EspeakTranscriber()

    public init(inventory: PhonemeInventory) {
        self.inventory = inventory
        reader = IPAReader(inventory)
    }

    /// None for a clip without phonemes and without what they can be made of; see ``EspeakTranscriber``.
    ///
    /// - Throws: `EspeakError` where the program is missing or fails.
    public func labels(for clips: [Clip]) throws -> [[Int32]] {
        try transcriber.phonemes(of: clips).map { ipa in
            ipa.map { reader.read($0).indices.map(Int32.init) } ?? []
        }
    }
}

extension Recipe {
    /// Whether the step learns phonemes from the labels of clips.
    func usesLabels(_ configuration: Alpha.Configuration) -> Bool { configuration.phonemes != nil && losses.ctc > 0 }

    /// Whether it learns them from alignments.
    func usesAlignments(_ configuration: Alpha.Configuration) -> Bool {
        configuration.phonemes != nil && losses.phonemeFrames > 0
    }
}

extension Batch {
    /// More phonemes than this nobody says in a second.
    static let fastestSpeech = 25.0

    /// i32 `[batch, labels]`, filled up with 0, as many columns as fast speech needs for the rows' length: batches of one length
    /// have one shape. A clip with more labels than that is taken for one with a wrong transcript, and has none.
    ///
    /// - Parameter frameRate: frames per second.
    func phonemeLabels(frameRate: Double) -> HostArray {
        let width = max(1, Int((Double(frameCount) / frameRate * Self.fastestSpeech).rounded(.up)))
        var rows = [Int32](repeating: 0, count: batchSize * width)
        if let labels {
            let (values, counts) = (labels.values.values(as: Int32.self), labels.counts.values(as: Int32.self))
            let stride = labels.values.shape[1]
            for row in 0..<batchSize where Int(counts[row]) <= width {
                for column in 0..<Int(counts[row]) { rows[row * width + column] = values[row * stride + column] }
            }
        }
        return HostArray(rows, shape: [batchSize, width])
    }

    /// i32 `[batch, frames]`: the entry of what is said at each frame's middle, by the clips' alignments; 0 in silence, -1 where that
    /// is not known: in padding, in clips without an alignment, and for phones that the inventory does not have.
    ///
    /// - Parameters:
    ///   - frameRate: frames per second.
    ///   - delay: how many frames after its sound a phoneme is named.
    func phonemeFrames(_ inventory: PhonemeInventory, frameRate: Double, delay: Int = 0) -> HostArray {
        let rows = zip(clips, lengths.values(as: Int32.self)).flatMap { clip, length in
            let count = Int(length) / hop
            let known =
                clip.phones.map { phones in
                    let segments = phones.map { PhonemeSegment(ipa: $0.ipa, start: $0.start, end: $0.end) }
                    return inventory.frames(of: segments, count: count, frameRate: frameRate, delay: delay).map(
                        Int32.init)
                } ?? [Int32](repeating: -1, count: count)
            return [Int32](repeating: -1, count: frameCount - count) + known
        }
        return HostArray(rows, shape: [batchSize, frameCount])
    }
}
