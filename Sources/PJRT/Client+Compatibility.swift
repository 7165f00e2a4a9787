#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Client {
    /// Two clients with the same key can load each other's serialised executables, so it belongs in the key of any
    /// cache of them.
    ///
    /// Plugins do not promise to notice an executable made by another build or for another processor, and their
    /// `platformVersion` may be no more than the word `cpu`. The key therefore names the plugin's file by size and
    /// time, the kinds of device, on CPU the host's instruction sets, for which XLA generates code, and the `XLA_FLAGS` that
    /// it compiles by.
    public var compatibilityKey: String {
        var parts = [platformName, platformVersion, "\(plugin.apiVersion)", plugin.fileStamp]
        parts += Set(deviceRecords.map(\.kind)).sorted()
        if platformName == "cpu" { parts.append(instructionSets()) }
        if !plugin.environmentFlags.isEmpty { parts.append("XLA_FLAGS=\(plugin.environmentFlags)") }
        return parts.joined(separator: "\n")
    }
}

extension Plugin {
    fileprivate var fileStamp: String {
        var status = stat()
        guard stat(path, &status) == 0 else { return path }
        return "\(status.st_size) bytes \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
    }
}

/// The first processor's features as Linux lists them; empty on other systems.
private func instructionSets() -> String {
    guard let file = fopen("/proc/cpuinfo", "r") else { return "" }
    defer { fclose(file) }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while getline(&line, &capacity, file) > 0, let line {
        let text = String(cString: line)
        if text.hasPrefix("flags") || text.hasPrefix("Features") { return text }
    }
    return ""
}
