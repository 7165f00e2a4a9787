import Foundation
import TestSupport
import Testing

extension CommandLineTests {
    /// Raw PCM through `encode - - | decode - -`, as a microphone gives it and a loudspeaker takes it.
    @Suite struct LivePipeTests {
        let folder: TemporaryFolder
        let model: String
        private let hop = 480

        init() throws {
            folder = try TemporaryFolder()
            model = try TinyModel.write(to: folder)
        }

        /// Both programs between two named pipes, whose other ends are this process's. Anonymous ones would be inherited by what
        /// other tests start meanwhile, and never end.
        private struct Line {
            let running: Program.Running
            let input: FileHandle
            private let output: Int32

            init(_ folder: TemporaryFolder, model: String) throws {
                let (source, sink) = (folder.file("in"), folder.file("out"))
                for path in [source, sink] { try #require(mkfifo(path, 0o600) == 0) }
                output = open(sink, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
                input = FileHandle(fileDescriptor: open(source, O_RDWR | O_CLOEXEC), closeOnDealloc: true)
                running = try Program.startBash(
                    """
                    set -o pipefail
                    "$ALLOPHONE" encode --raw s16le - - -m "$1" < "$2" | "$ALLOPHONE" decode - - -m "$1" > "$3"
                    """, [model, source, sink])
            }

            /// The bytes that have come, once there are `count` of them.
            func read(_ count: Int) throws -> [UInt8] {
                var bytes: [UInt8] = []
                try running.wait {
                    var buffer = [UInt8](repeating: 0, count: 1 << 16)
                    let read = Glibc.read(output, &buffer, buffer.count)
                    if read > 0 { bytes += buffer[..<read] }
                    return bytes.count >= count
                }
                return bytes
            }

            /// What is left when all has ended.
            func rest() throws -> [UInt8] {
                var bytes: [UInt8] = []
                while running.process.isRunning { bytes += available(); usleep(5000) }
                return bytes + available()
            }

            private func available() -> [UInt8] {
                var buffer = [UInt8](repeating: 0, count: 1 << 16)
                return Array(buffer[..<max(0, Glibc.read(output, &buffer, buffer.count))])
            }

            func close() { Glibc.close(output) }
        }

        @Test func aFrameIsHeardBeforeTheNextIsSpoken() throws {
            let pcm = Sounds.pcm(try Sounds.speech(seconds: 0.5, rate: 24000))
            let line = try Line(folder, model: model)
            defer { line.close() }
            let frames = pcm.count / (2 * hop)
            var heard: [UInt8] = []
            for frame in 0..<frames {
                // In pieces that are not whole samples.
                for piece in [0..<1, 1..<701, 701..<2 * hop] {
                    let start = frame * 2 * hop
                    try line.input.write(contentsOf: pcm[start + piece.lowerBound..<start + piece.upperBound])
                }
                let sound = try line.read(2 * hop)
                #expect(sound.count == 2 * hop, "frame \(frame)")
                if sound.count != 2 * hop { break }
                heard += sound
            }
            // And a few samples more, which are a frame when the microphone is switched off.
            try line.input.write(contentsOf: Sounds.pcm([0.1, 0.2, 0.3]))
            try line.input.close()
            let tail = try line.rest()
            let outcome = try line.running.wait()
            #expect(outcome.status == 0, "\(outcome.messages)")
            #expect(tail.count == 2 * hop)

            try write(pcm.prefix(frames * 2 * hop) + Sounds.pcm([0.1, 0.2, 0.3]), to: folder.file("in.raw"))
            try Program.succeed(
                "encode", "--raw", "s16le", "-", folder.file("t.allo"), "-m", model, input: folder.reading("in.raw"))
            let whole = try Program.succeed("decode", folder.file("t.allo"), "-", "-m", model).output
            #expect(whole.count == (frames * hop + 3) * 2)
            #expect(Array((heard + tail).prefix(whole.count)) == whole)
        }
    }
}
