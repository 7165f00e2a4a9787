import Audio

/// Measures of how much of a recording a reconstruction keeps.
///
/// Each compares a reconstruction with its reference, sample by sample aligned, at the same rate and length.
public enum SpeechQuality {
    /// Two signals that cannot be compared.
    public enum Mismatch: Error, Sendable, Hashable, CustomStringConvertible {
        case rates(reference: Int, degraded: Int)
        case lengths(reference: Int, degraded: Int)
        /// Less than `needed` seconds of the reference are speech.
        case tooShort(needed: Double)
        case silentReference

        public var description: String {
            switch self {
            case .rates(let reference, let degraded):
                "The reference has \(reference) Hz and the other signal \(degraded) Hz. Resample one of them."
            case .lengths(let reference, let degraded):
                "The reference has \(reference) samples and the other signal \(degraded). Align and cut them first."
            case .tooShort(let needed):
                "The reference holds less than \(needed) s of speech. Use a longer clip."
            case .silentReference:
                "The reference is silent, so nothing can be compared with it."
            }
        }
    }

    static func requireComparable(_ reference: Waveform, _ degraded: Waveform) throws {
        guard reference.sampleRate == degraded.sampleRate else {
            throw Mismatch.rates(reference: reference.sampleRate, degraded: degraded.sampleRate)
        }
        guard reference.samples.count == degraded.samples.count else {
            throw Mismatch.lengths(reference: reference.samples.count, degraded: degraded.samples.count)
        }
        guard !reference.samples.isEmpty else { throw Mismatch.tooShort(needed: 1 / Double(reference.sampleRate)) }
    }
}
