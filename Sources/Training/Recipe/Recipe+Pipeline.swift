import Audio
public import Datasets
import Tokenizer

extension Recipe {
    /// How this recipe's batches are made.
    ///
    /// - Throws: `ConfigurationError` for a preset that there is not.
    public func pipelineOptions() throws -> Pipeline.Options {
        let configuration = try model.resolved()
        var augmentation = Augmentation(bandShare: clips.bandShare)
        if clips.speed != Interval(1, 1) { augmentation.speed = clips.speed }
        if clips.gain != Interval(0, 0) { augmentation.gain = clips.gain }
        if clips.equalization > 0 { augmentation.equalization = clips.equalization }
        if clips.bandShare > 0 { augmentation.band = clips.band }
        var options = Pipeline.Options(
            preparation: ClipPreparation(
                sampleRate: configuration.sampleRate,
                level: clips.loudness < 0 ? .loudness(clips.loudness) : .none,
                trimming: clips.trimsSilence ? SilenceTrimming() : nil, augmentation: augmentation,
                expander: clips.expansion > 0 ? Expander(limit: clips.expansion) : nil),
            hop: configuration.hop,
            length: clips.areWhole
                ? .utterances(
                    LengthBuckets(
                        shortest: shortestRow(configuration), longest: configuration.frames(clips.longestSeconds))
                )
                : .segments(frames: shortestRow(configuration)),
            batchSize: batchSize)
        options.seed = seed
        // Segments take little memory, and a clip gives several that had better come apart.
        if !clips.areWhole { options.poolBatches = 64 }
        return options
    }
    /// Frames of the shortest row that a batch may have.
    func shortestRow(_ configuration: Alpha.Configuration) -> Int {
        configuration.frames(clips.areWhole ? min(1, clips.longestSeconds) : segmentSeconds)
    }
}

extension Alpha.Configuration {
    /// In so many seconds, rounded, and 1 at least.
    fileprivate func frames(_ seconds: Double) -> Int { max(1, Int((seconds * frameRate).rounded())) }
}
