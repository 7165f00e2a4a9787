/// A phoneme in time.
public struct PhonemeSegment: Codable, Hashable, Sendable {
    public var ipa: String
    /// Seconds from the beginning of the audio.
    public var start: Double
    public var end: Double

    public init(ipa: String, start: Double, end: Double) {
        self.ipa = ipa
        self.start = start
        self.end = end
    }
}

extension PhonemeInventory {
    /// The greedy reading of CTC: runs of one code are one phoneme, and blanks are none. Graves et al., 2006.
    ///
    /// - Throws: `PhonemeInventoryError.noSuchEntry`.
    public func reading(_ codes: [Int]) throws(PhonemeInventoryError) -> [Int] {
        var phonemes: [Int] = []
        for run in runs(codes) where run.code != Self.blank {
            _ = try symbol(run.code)
            phonemes.append(run.code)
        }
        return phonemes
    }

    /// As `reading`, with times: a phoneme lasts from the first frame of its run to the end of the last.
    ///
    /// - Parameters:
    ///   - codes: one entry a frame.
    ///   - frameRate: frames per second.
    ///   - delay: how many frames after its sound a phoneme is named. One named earlier than that has no time before the beginning.
    /// - Throws: `PhonemeInventoryError.noSuchEntry`.
    public func segments(
        _ codes: [Int], frameRate: Double, delay: Int = 0
    ) throws(PhonemeInventoryError) -> [PhonemeSegment] {
        var segments: [PhonemeSegment] = []
        for run in runs(codes) where run.code != Self.blank {
            let ipa = try symbol(run.code)
            guard run.frames.upperBound > delay else { continue }
            segments.append(
                PhonemeSegment(
                    ipa: ipa, start: Double(max(0, run.frames.lowerBound - delay)) / frameRate,
                    end: Double(run.frames.upperBound - delay) / frameRate))
        }
        return segments
    }

    /// The entry of each of `frames` frames that these segments cover at its middle, blank between them.
    ///
    /// What frame cross-entropy is trained on; symbols that the inventory lacks count as unknown, -1.
    ///
    /// - Parameter delay: how many frames after its sound a phoneme is named; the first frames, in which what was before is named,
    ///   are unknown.
    public func frames(of segments: [PhonemeSegment], count: Int, frameRate: Double, delay: Int = 0) -> [Int] {
        let unknown = min(delay, count)
        return [Int](repeating: -1, count: unknown)
            + frames(of: segments, count: count - unknown, frameRate: frameRate)
    }

    private func frames(of segments: [PhonemeSegment], count: Int, frameRate: Double) -> [Int] {
        let reader = IPAReader(self)
        var frames = [Int](repeating: Self.blank, count: count)
        for segment in segments {
            // A diphthong's parts share its time.
            let parts = reader.read(segment.ipa).indices
            let first = max(0, Int((segment.start * frameRate - 0.5).rounded(.up)))
            let end = min(count, Int((segment.end * frameRate - 0.5).rounded(.up)))
            guard first < end else { continue }
            for frame in first..<end {
                let share =
                    (Double(frame) + 0.5 - segment.start * frameRate) / ((segment.end - segment.start) * frameRate)
                frames[frame] =
                    parts.isEmpty ? -1 : parts[min(parts.count - 1, max(0, Int(share * Double(parts.count))))]
            }
        }
        return frames
    }
}

private func runs(_ codes: [Int]) -> [(code: Int, frames: Range<Int>)] {
    var result: [(code: Int, frames: Range<Int>)] = []
    for (frame, code) in codes.enumerated() {
        if let last = result.last, last.code == code {
            result[result.count - 1].frames = last.frames.lowerBound..<frame + 1
        } else {
            result.append((code, frame..<frame + 1))
        }
    }
    return result
}
