import Audio
import Checkpoint

/// Held-out clips as the model has them, to listen to and look at: `samples/<clip>/original.flac`, and for each evaluation
/// `step-00001000.flac` with `step-00001000.png`, the spectrograms of original and decoded sound one above the other.
struct SampleFolder {
    let path: String

    /// - Throws: `AudioError`, `FileError`.
    func write(_ clip: Reconstruction, step: Int) throws {
        let name = String(clip.name.split(separator: ".").first ?? "clip").map { $0 == "/" ? "-" : String($0) }.joined()
        let folder = "\(path)/\(name)"
        try Disk.createFolder(folder)
        let digits = String(step)
        let stem = "\(folder)/step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
        let original = "\(folder)/original.flac"
        if !Disk.exists(original) { try write(clip.original, to: original) }
        try write(clip.decoded, to: "\(stem).flac")
        let panels = [
            SpectrogramImage.Panel(title: "original", waveform: clip.original),
            SpectrogramImage.Panel(title: "decoded", waveform: clip.decoded),
        ]
        try SpectrogramImage(panels: panels).write(to: "\(stem).png")
    }

    private func write(_ waveform: Waveform, to path: String) throws {
        let writer = try AudioWriter(path: path, sampleRate: waveform.sampleRate)
        try writer.write(waveform.samples)
        try writer.finish()
    }
}
