import CZlib
import Logging
import PJRT
import Tensor

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Executables kept on disk between processes, by program, how it was compiled, plugin and processor.
///
/// A cache is an optimisation: what cannot be read or written is logged and done without.
public struct ExecutableCache: Sendable {
    let folder: String
    let client: Client
    let log: Logger

    /// `$ALLOPHONE_CACHE/xla`, else `$XDG_CACHE_HOME/allophone/xla`, else `~/.cache/allophone/xla`.
    public static var defaultFolder: String? {
        let environment = ProcessInfo.processInfo.environment
        if let folder = environment["ALLOPHONE_CACHE"] { return folder.isEmpty ? nil : "\(folder)/xla" }
        if let folder = environment["XDG_CACHE_HOME"], !folder.isEmpty { return "\(folder)/allophone/xla" }
        return environment["HOME"].map { "\($0)/.cache/allophone/xla" }
    }

    /// The executable of a program, if a file has it whole.
    ///
    /// The file begins with the whole key, so that two programs of one name are told apart, and then has a checksum of
    /// what follows: an executable is machine code, and a plugin runs what it is given.
    func load(_ program: Program, _ compilation: Function.Compilation) -> LoadedExecutable? {
        let key = key(program, compilation)
        let path = path(key)
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        guard data.count > key.count, data.prefix(key.count) == Data(key) else { return nil }
        do {
            let sealed = [UInt8](data.dropFirst(key.count))
            let executable = Array(sealed.dropFirst(MemoryLayout<UInt32>.size))
            guard sealed.starts(with: checksum(executable)) else { throw Damaged() }
            return try client.load(serialized: executable)
        } catch {
            log.warning("\(path): cannot load this cached executable (\(error)); compiling again")
            try? FileManager.default.removeItem(atPath: path)
            return nil
        }
    }

    /// - Parameter bytes: the executable, serialised.
    func store(_ bytes: [UInt8], for program: Program, _ compilation: Function.Compilation, name: String) {
        do {
            let key = key(program, compilation)
            let data = Data(key) + Data(checksum(bytes)) + Data(bytes)
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try data.write(to: URL(fileURLWithPath: path(key)), options: .atomic)
            removeOldest()
        } catch {
            log.warning("\(folder): cannot keep the executable of \(name): \(error)")
        }
    }

    private func key(_ program: Program, _ compilation: Function.Compilation) -> [UInt8] {
        // What a way of compiling means may change, so its name will not do.
        let options = compilation.options(on: client).overrides.sorted { $0.key < $1.key }.map { "\n\($0)=\($1)" }
        return Array((client.compatibilityKey + options.joined() + program.text).utf8)
    }

    private func path(_ key: [UInt8]) -> String {
        "\(folder)/\(String(crc32(key), radix: 16))-\(key.count).xla"
    }

    private func checksum(_ bytes: [UInt8]) -> [UInt8] { withUnsafeBytes(of: crc32(bytes).littleEndian) { Array($0) } }

    /// It spreads file names, and sees what disks do to files.
    private func crc32(_ bytes: [UInt8]) -> UInt32 { UInt32(truncatingIfNeeded: crc32_z(0, bytes, bytes.count)) }

    private struct Damaged: Error, CustomStringConvertible { let description = "its checksum is wrong" }

    /// Keeps the folder under `limit` bytes, oldest out first.
    private func removeOldest(limit: Int = 1 << 30) {
        let manager = FileManager.default
        let names = (try? manager.contentsOfDirectory(atPath: folder)) ?? []
        var files = names.filter { $0.hasSuffix(".xla") }.map { "\(folder)/\($0)" }.compactMap { path in
            (try? manager.attributesOfItem(atPath: path)).map {
                (path, $0[.size] as? Int ?? 0, $0[.modificationDate] as? Date ?? .distantPast)
            }
        }
        files.sort { $0.2 > $1.2 }
        var total = 0
        for (path, size, _) in files {
            total += size
            if total > limit { try? manager.removeItem(atPath: path) }
        }
    }
}
