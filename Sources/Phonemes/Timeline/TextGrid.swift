/// Labelled stretches of time as a Praat TextGrid, which phoneticians open beside the sound.
public struct TextGrid: Hashable, Sendable {
    /// Labels in time, set one after another; what lies between them is an interval without a label.
    public struct Tier: Hashable, Sendable {
        public var name: String
        public var segments: [PhonemeSegment]

        public init(name: String, segments: [PhonemeSegment]) {
            self.name = name
            self.segments = segments
        }
    }

    public var tiers: [Tier]
    /// Seconds of the sound.
    public var duration: Double

    public init(tiers: [Tier], duration: Double) {
        self.tiers = tiers
        self.duration = duration
    }

    /// The file's content, in Praat's long text format.
    ///
    /// Intervals of a tier must touch: a segment that begins before the one ahead of it ends begins at that end, and one
    /// of which nothing is left goes.
    public var text: String {
        var lines = [
            "File type = \"ooTextFile\"", "Object class = \"TextGrid\"", "", "xmin = 0", "xmax = \(duration)",
            "tiers? <exists>", "size = \(tiers.count)", "item []:",
        ]
        for (number, tier) in tiers.enumerated() {
            let intervals = intervals(of: tier)
            lines += [
                "    item [\(number + 1)]:", "        class = \"IntervalTier\"", "        name = \(quoted(tier.name))",
                "        xmin = 0", "        xmax = \(duration)", "        intervals: size = \(intervals.count)",
            ]
            for (number, interval) in intervals.enumerated() {
                lines += [
                    "        intervals [\(number + 1)]:", "            xmin = \(interval.start)",
                    "            xmax = \(interval.end)", "            text = \(quoted(interval.ipa))",
                ]
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func intervals(of tier: Tier) -> [PhonemeSegment] {
        var intervals: [PhonemeSegment] = []
        var time = 0.0
        for segment in tier.segments {
            let (start, end) = (max(segment.start, time), min(segment.end, duration))
            guard start < end else { continue }
            if time < start { intervals.append(PhonemeSegment(ipa: "", start: time, end: start)) }
            intervals.append(PhonemeSegment(ipa: segment.ipa, start: start, end: end))
            time = end
        }
        if time < duration || intervals.isEmpty {
            intervals.append(PhonemeSegment(ipa: "", start: time, end: duration))
        }
        return intervals
    }

    private func quoted(_ text: String) -> String { "\"\(text.replacing("\"", with: "\"\""))\"" }
}
