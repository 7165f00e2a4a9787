import Foundation
import Logging
import PJRT
import Tensor
import TestSupport
import Testing
import XLA

/// Executables outlive the process; whatever happens to their files, a function gives its results.
@Suite struct ExecutableCacheTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Runs `x · factor` on an engine of its own; returns what was logged.
    @discardableResult
    private func scale(
        by factor: Double, cache: String? = nil, name: String = "scale", compilation: Function.Compilation = .standard
    ) throws -> LogRecord {
        let (engine, log) = try recordingEngine(cacheFolder: cache ?? folder.path, compilation: compilation)
        let scale = Function(name, on: engine) { .leaf($0["x"].value * factor) }
        let result = try scale.run(["x": .leaf(vector(1, 2, 3))], on: engine)
        #expect(result.value == vector(Float(factor), Float(2 * factor), Float(3 * factor)))
        return log
    }

    private func files() throws -> [String] { try folder.entries().map { folder.file($0) } }

    @Test func anotherEngineFindsTheExecutable() throws {
        #expect(try scale(by: 2).lines.map(\.message) == ["compiled scale"])
        #expect(try scale(by: 2).lines.map(\.message) == ["loaded scale"])
        #expect(try files().count == 1)
    }

    @Test func anotherProgramHasAnotherFile() throws {
        try scale(by: 2)
        #expect(try scale(by: 3).messages(.info) == ["compiled scale"])
        #expect(try scale(by: 2, name: "other").messages(.info) == ["compiled other"])
        #expect(try files().count == 3)
    }

    @Test func whatWasCompiledOtherwiseIsNotTaken() throws {
        try scale(by: 2, compilation: .quick)
        #expect(try scale(by: 2).messages(.info) == ["compiled scale"])
        #expect(try scale(by: 2, compilation: .quick).messages(.debug) == ["loaded scale"])
        #expect(try files().count == 2)
    }

    /// As if the hashes of two programs were one.
    @Test func aFileOfAnotherProgramIsNotTaken() throws {
        try scale(by: 2)
        let first = try #require(files().first)
        let bytes = try contents(of: first)
        try FileManager.default.removeItem(atPath: first)
        try scale(by: 3)
        let second = try #require(files().first)
        try write(bytes, to: second)
        #expect(try scale(by: 3).messages(.info) == ["compiled scale"])
        #expect(try scale(by: 3).messages(.debug) == ["loaded scale"], "and its file is written anew")
    }

    @Test(arguments: ["empty", "cut", "flipped", "garbage", "longer"])
    func aDamagedFileIsCompiledAnew(_ damage: String) throws {
        try scale(by: 2)
        let path = try #require(files().first)
        let good = try contents(of: path)
        var places = [0]
        if damage == "flipped" {
            // Some in the key, most in the machine code.
            var random = Mutator(seed: 3)
            places = [40] + (0..<5).map { _ in Int.random(in: good.indices, using: &random) } + [good.count - 1]
        }
        for place in places {
            var bytes = good
            switch damage {
            case "empty": bytes = []
            case "cut": bytes.removeLast(good.count / 3)
            case "flipped": bytes[place] ^= 4
            case "garbage": bytes = [UInt8](repeating: 0xA5, count: 5000)
            default: bytes.append(0)
            }
            try write(bytes, to: path)
            #expect(try scale(by: 2).messages(.info) == ["compiled scale"], "byte \(place)")
        }
        #expect(try scale(by: 2).messages(.debug) == ["loaded scale"])
    }

    @Test(arguments: ["/bin/false", "/bin/true", "/nowhere/compiler"])
    func aCompilerThatFailsCostsAWarning(path: String) throws {
        let compiler = CompilerProcess(path: path, arguments: [], smallest: 0)
        let (engine, log) = try recordingEngine(cacheFolder: folder.path, compiler: compiler)
        let double = Function("double", on: engine) { .leaf($0["x"].value * 2) }
        #expect(try double.run(["x": .leaf(vector(1, 2))], on: engine).value == vector(2, 4))
        #expect(log.messages(.warning).count == 1 && log.messages(.info) == ["compiled double"])
    }

    @Test func aFolderThatCannotBeWrittenCostsAWarning() throws {
        try write([], to: folder.file("file"))
        for path in [folder.file("file") + "/below", "/proc/nowhere"] {
            let log = try scale(by: 2, cache: path)
            #expect(log.messages(.info) == ["compiled scale"])
            #expect(log.messages(.warning).count == 1 && log.messages(.warning)[0].contains(path))
        }
    }

    @Test func withoutAFolderNothingIsKept() throws {
        let (engine, log) = try recordingEngine(cacheFolder: nil)
        let f = Function("f", on: engine) { .leaf($0["x"].value + 1) }
        _ = try f.run(["x": .leaf(vector(1))], on: engine)
        #expect(log.lines.map(\.message) == ["compiled f"])
    }
}
