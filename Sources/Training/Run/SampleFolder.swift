import Audio
import Checkpoint
import Datasets

/// Held-out clips as the model has them, to listen to and look at: `samples/<clip>/original.flac`, and for each evaluation
/// `step-00001000.flac` with `step-00001000.png`, the spectrograms of original and decoded sound one above the other.
package struct SampleFolder {
    let path: String
    /// Bytes; file systems take 255, and the extension needs some.
    private static let longestName = 200

    /// - Throws: `AudioError`, `FileError`.
    func write(_ clip: Reconstruction, step: Int) throws {
        let folder = "\(path)/\(Self.name(of: clip.name))"
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

    /// What to call the files of a clip: its key, for only the whole of it tells clips apart, but for the extension of a sound file. Of a
    /// long one the beginning and a checksum.
    package static func name(of key: String) -> String {
        let stem = isSound(key) ? key[..<(key.lastIndex(of: ".") ?? key.endIndex)] : key[...]
        let name = stem.split(separator: "/").joined(separator: "-")
        guard name.utf8.count > longestName else { return name }
        let end =
            name.indices.last { name.utf8.distance(from: name.startIndex, to: $0) <= longestName } ?? name.startIndex
        var checksum = CRC32()
        checksum.update(name.utf8)
        return name[..<end] + "-" + String(checksum.value, radix: 16)
    }

    private func write(_ waveform: Waveform, to path: String) throws {
        let writer = try AudioWriter(path: path, sampleRate: waveform.sampleRate)
        try writer.write(waveform.samples)
        try writer.finish()
    }
}
