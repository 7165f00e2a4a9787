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

    /// Compiles `Examples/c/live.c`.
    private func makeLive() throws -> String {
        let (program, library) = (folder.file("live"), Self.products.path)
        _ = try run([
            "cc", "-std=c11", "-Wall", "-Wextra", "-Werror", Self.examples.appending(path: "c/live.c").path,
            "-I", Self.examples.deletingLastPathComponent().appending(path: "include").path, "-L", library,
            "-Wl,-rpath,\(library)", "-lCAllophone", "-o", program,
        ])
        return program
    }

    private func python(_ arguments: [String]) throws -> String {
        let output = try run(
            ["python3"] + arguments,
            environment: [
                "ALLOPHONE_LIBRARY": Self.products.appending(path: "libCAllophone.so").path,
                "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": Self.examples.appending(path: "python").path,
            ])
        return String(decoding: output, as: UTF8.self)
    }

    @Test func cStreamsWhatSwiftGives() throws {
        let output = try run([makeLive(), model, folder.file("codes")], input: writeRaw())
        #expect(output == audio.withUnsafeBytes { Array($0) })
        let codes = String(decoding: try contents(of: folder.file("codes")), as: UTF8.self)
        #expect(codes.split(separator: "\n").map(String.init) == lines)
    }

    @Test func cFailsWhereItCannotReadOrWrite() throws {
        let (program, input) = (try makeLive(), try writeRaw())
        for (call, file) in [
            (#""$0" "$1" 2>&1 > /dev/full < "$2""#, "standard output"),
            (#""$0" "$1" /dev/full 2>&1 > /dev/null < "$2""#, "/dev/full"),
            (#""$0" "$1" 2>&1 > /dev/null < /"#, "standard input"),
        ] {
            let output = try run(["sh", "-c", call + "; [ $? = 1 ]", program, model, input])
            let message = String(decoding: output, as: UTF8.self)
            #expect(message.hasPrefix(file + ": "), "\(message)")
        }
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
        let output = try python([
            Self.examples.appending(path: "python/roundtrip.py").path, model, writeWAV(), folder.file("out.wav"),
        ])
        #expect(output.split(separator: "\n").map(String.init) == lines)
        let decoded = try Waveform.load(path: folder.file("out.wav")).samples
        #expect(decoded.count == samples.count)
        // Python's file is of 16 bits.
        let worst = zip(decoded, audio).reduce(Float(0)) { max($0, abs($1.0 - max(-1, min(1, $1.1)))) }
        #expect(worst <= 2 / 32768, "\(worst)")
    }

    @Test func pythonRefusesFramesThatAreNotWhole() throws {
        let script = """
            import allophone, array, sys
            codec = allophone.Codec(sys.argv[1])
            for decode in codec.decode, codec.decoder().push:
                try:
                    decode(array.array("Q", [1, 2, 3]))
                except ValueError as error:
                    print(error)
            """
        let output = try python(["-c", script, model])
        #expect(output == String(repeating: "3 codes are no whole frames of 2\n", count: 2))
    }

    /// A child has none of the threads that share its codec's work.
    @Test func aForkedChildGivesTheSame() throws {
        let script = """
            import allophone, array, os, signal, sys
            samples = array.array("f", open(sys.argv[2], "rb").read())
            codec = allophone.Codec(sys.argv[1], threads=2)
            codes = codec.encode(samples)
            child = os.fork()
            if child == 0:
                signal.alarm(60)
                os._exit(0 if codec.encode(samples) == codes else 1)
            status = os.waitpid(child, 0)[1]
            sys.exit(status and f"the child ended with {status}")
            """
        _ = try python(["-c", script, model, writeRaw()])
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
