import Allophone
import Foundation
import TestSupport
import Testing

/// The programs in `Examples`, against what the library gives in this process.
@Suite struct ExampleTests {
    private static let products = (Bundle.main.executableURL ?? Bundle.main.bundleURL).deletingLastPathComponent()
    private static let examples = Fixture.folder.deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Examples")

    private let folder: TemporaryFolder
    private let model: String
    private let samples: [Float]
    private let tokens: TokenFrames
    private let audio: [Float]

    init() throws {
        folder = try TemporaryFolder()
        model = folder.file("model.safetensors")
        let small = try smallModel()
        try ModelFile.write(weights(of: small), of: small, to: model)
        // Of 16 bits, as files hold them.
        samples = sound(24 * 60 + 11, seed: 5).map { Float(Int16($0 * 32767)) / 32768 }
        let codec = try NativeCodec(ModelFile(path: model))
        tokens = try codec.encode(samples)
        audio = try codec.decode(tokens)
    }

    private var lines: [String] {
        (0..<tokens.count).map { frame in (0..<2).map { "\(tokens[frame, $0])" }.joined(separator: " ") }
    }

    /// Runs a program to a good end and returns what it wrote.
    private func run(
        _ arguments: [String], input: String? = nil, environment: [String: String] = [:]
    ) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        for name in ["output", "messages"] { try write([], to: folder.file(name)) }
        process.standardInput = try input.map { try FileHandle(forReadingFrom: URL(filePath: $0)) } ?? .nullDevice
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: folder.file("output")))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: folder.file("messages")))
        try process.run()
        process.waitUntilExit()
        let messages = String(decoding: try contents(of: folder.file("messages")), as: UTF8.self)
        #expect(process.terminationStatus == 0, "\(arguments): \(messages)")
        return try contents(of: folder.file("output"))
    }

    private func writeRaw() throws -> String {
        let path = folder.file("in.f32")
        try write(samples.withUnsafeBytes { Array($0) }, to: path)
        return path
    }

    private func writeWAV() throws -> String {
        let path = folder.file("in.wav")
        let writer = try AudioWriter(path: path, sampleRate: 24000)
        try writer.write(samples)
        try writer.finish()
        #expect(try Waveform.load(path: path).samples == samples)
        return path
    }

    @Test func cStreamsWhatSwiftGives() throws {
        let (program, library) = (folder.file("live"), Self.products.path)
        _ = try run([
            "cc", "-std=c11", "-Wall", "-Wextra", "-Werror", Self.examples.appending(path: "c/live.c").path,
            "-I", Self.examples.deletingLastPathComponent().appending(path: "include").path, "-L", library,
            "-Wl,-rpath,\(library)", "-lCAllophone", "-o", program,
        ])
        let output = try run([program, model, folder.file("codes")], input: writeRaw())
        #expect(output == audio.withUnsafeBytes { Array($0) })
        let codes = String(decoding: try contents(of: folder.file("codes")), as: UTF8.self)
        #expect(codes.split(separator: "\n").map(String.init) == lines)
    }

    @Test func theHeaderIsCPlusPlusToo() throws {
        let source = folder.file("header.cpp")
        try write(Array("#include <allophone.h>\nint main() { return allophone_interface() != 1; }\n".utf8), to: source)
        _ = try run([
            "c++", "-std=c++11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", source, "-I",
            Self.examples.deletingLastPathComponent().appending(path: "include").path,
        ])
    }

    @Test func pythonGivesWhatSwiftGives() throws {
        let output = try run(
            [
                "python3", Self.examples.appending(path: "python/roundtrip.py").path, model, writeWAV(),
                folder.file("out.wav"),
            ],
            environment: [
                "ALLOPHONE_LIBRARY": Self.products.appending(path: "libCAllophone.so").path,
                "PYTHONDONTWRITEBYTECODE": "1",
            ])
        #expect(String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init) == lines)
        let decoded = try Waveform.load(path: folder.file("out.wav")).samples
        #expect(decoded.count == samples.count)
        // Python's file is of 16 bits.
        let worst = zip(decoded, audio).reduce(Float(0)) { max($0, abs($1.0 - max(-1, min(1, $1.1)))) }
        #expect(worst <= 2 / 32768, "\(worst)")
    }

    @Test func theRoundTripGivesWhatTheLibraryGives() throws {
        let output = try run(
            [Self.products.appending(path: "ExampleRoundtrip").path, model, writeWAV(), folder.file("out.wav")])
        let level = tokens.level(0).map(String.init).joined(separator: " ")
        #expect(String(decoding: output, as: UTF8.self).hasSuffix("level 1: \(level)\n"))
        #expect(try Waveform.load(path: folder.file("out.wav")).samples == Array(audio.prefix(samples.count)))
    }

    @Test func theLiveStreamGivesWhatTheLibraryGives() throws {
        let output = try run([Self.products.appending(path: "ExampleLive").path, model], input: writeRaw())
        #expect(output == audio.withUnsafeBytes { Array($0) })
    }
}
