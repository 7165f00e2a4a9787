#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The functions of `Tools/arrow/parquet.cpp`, from the library that `make arrow` builds.
///
/// Arrow is 60 MB and comes from a wheel of Python's, so it is loaded when the first Parquet file is opened: a program without
/// it does all the rest.
struct ParquetLibrary: Sendable {
    typealias Message = UnsafeMutablePointer<CChar>
    let open: @convention(c) (UnsafePointer<CChar>, Message, Int) -> UnsafeMutableRawPointer?
    let close: @convention(c) (UnsafeMutableRawPointer) -> Void
    let columnCount: @convention(c) (UnsafeMutableRawPointer) -> Int32
    let columnName: @convention(c) (UnsafeMutableRawPointer, Int32) -> UnsafePointer<CChar>?
    let columnKind: @convention(c) (UnsafeMutableRawPointer, Int32) -> Int32
    let start: @convention(c) (UnsafeMutableRawPointer, UnsafePointer<Int32>, Int32, Int64, Message, Int) -> Int32
    let next: @convention(c) (UnsafeMutableRawPointer, UnsafeMutablePointer<Int64>, Message, Int) -> Int64
    let value:
        @convention(c) (
            UnsafeMutableRawPointer, Int32, Int64, Int32, UnsafeMutablePointer<UnsafePointer<UInt8>?>,
            UnsafeMutablePointer<Int64>
        ) -> Int32

    /// - Throws: ``SourceError/parquetUnavailable(reason:)``.
    static func loaded() throws(SourceError) -> ParquetLibrary { try shared.get() }

    /// Loaded once; never unloaded, as Arrow keeps threads.
    private static let shared = Result { () throws(SourceError) in
        try ParquetLibrary(candidates: candidates(ProcessInfo.processInfo.environment))
    }

    private static let fileName = "liballophone_parquet.so"

    /// Where the library may be: where `ALLOPHONE_PARQUET` says and nowhere else; beside the program; or in `.arrow/lib` of the
    /// folder that it was built or is run in.
    static func candidates(_ environment: [String: String]) -> [String] {
        if let path = environment["ALLOPHONE_PARQUET"], !path.isEmpty { return [path] }
        let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        var candidates = [program.appending(path: fileName).path]
        for start in [URL(filePath: FileManager.default.currentDirectoryPath), program] {
            var folder = start
            for _ in 0..<6 {
                candidates.append(folder.appending(path: ".arrow/lib/\(fileName)").path)
                folder = folder.deletingLastPathComponent()
            }
        }
        return candidates
    }

    init(candidates: [String]) throws(SourceError) {
        guard let path = candidates.first(where: { access($0, R_OK) == 0 }) else {
            throw .parquetUnavailable(
                reason: candidates.count == 1 ? "there is no \(candidates[0])" : "there is no \(Self.fileName)")
        }
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw .parquetUnavailable(reason: "\(path): \(dlerror().map { String(cString: $0) } ?? "cannot be loaded")")
        }
        func function<Function>(_ name: String, _: Function.Type) throws(SourceError) -> Function {
            guard let symbol = dlsym(handle, "allophone_parquet_\(name)") else {
                throw .parquetUnavailable(reason: "\(path) has no allophone_parquet_\(name)")
            }
            return unsafeBitCast(symbol, to: Function.self)
        }
        let version = try function("version", (@convention(c) () -> Int32).self)()
        guard version == 1 else { throw .parquetUnavailable(reason: "\(path) is of version \(version), and not 1") }
        open = try function("open", type(of: open))
        close = try function("close", type(of: close))
        columnCount = try function("columns", type(of: columnCount))
        columnName = try function("column_name", type(of: columnName))
        columnKind = try function("column_kind", type(of: columnKind))
        start = try function("start", type(of: start))
        next = try function("next", type(of: next))
        value = try function("value", type(of: value))
    }
}
