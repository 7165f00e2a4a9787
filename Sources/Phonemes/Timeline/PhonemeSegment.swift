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
        for code in codes { _ = try symbol(code) }
        return segments(known: codes, frameRate: frameRate, delay: delay)
    }

    /// As `segments`, of entries that there are.
    func segments(known codes: [Int], frameRate: Double, delay: Int = 0) -> [PhonemeSegment] {
        runs(codes).compactMap { run in
            guard run.code != Self.blank && run.frames.upperBound > delay else { return nil }
            return PhonemeSegment(
                ipa: symbols[run.code], start: Double(max(0, run.frames.lowerBound - delay)) / frameRate,
                end: Double(run.frames.upperBound - delay) / frameRate)
        }
    }

    private func runs(_ codes: [Int]) -> [(code: Int, frames: Range<Int>)] {
        var runs: [(code: Int, frames: Range<Int>)] = []
        for (frame, code) in codes.enumerated() {
            if let last = runs.last, last.code == code {
                runs[runs.count - 1].frames = last.frames.lowerBound..<frame + 1
            } else {
                runs.append((code, frame..<frame + 1))
            }
        }
        return runs
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
            // Before it is a whole number: a time that a file states may be any.
            func frame(_ seconds: Double) -> Int {
                Int(max(0, min(Double(count), (seconds * frameRate - 0.5).rounded(.up))))
            }
            let (first, end) = (frame(segment.start), frame(segment.end))
            guard first < end else { continue }
            for frame in first..<end {
                let share =
                    (Double(frame) + 0.5 - segment.start * frameRate) / ((segment.end - segment.start) * frameRate)
                // Of endless times it is no number, and the limit is what is left.
                let part = max(0, min(Double(parts.count - 1), share * Double(parts.count)))
                frames[frame] = parts.isEmpty ? -1 : parts[Int(part)]
            }
        }
        return frames
    }
}
