/// The extensions of sound files that can be decoded.
let soundExtensions: Set<String> = [
    "aif", "aifc", "aiff", "au", "caf", "flac", "mp3", "oga", "ogg", "opus", "rf64", "snd", "w64", "wav",
]

package func isSound(_ path: String) -> Bool { soundExtensions.contains(fileExtension(path)) }

/// What follows the last full stop of a file's name, in lower case; empty where there is none.
func fileExtension(_ path: String) -> String {
    let name = splitPath(path).file
    guard let stop = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return "" }
    return name[name.index(after: stop)...].lowercased()
}
