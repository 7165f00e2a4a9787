import Audio
import Foundation
import TestSupport
import Testing
import Tokenizer

extension CommandLineTests {
    /// Outputs that cannot be written, or are not wanted any more.
    @Suite struct OutputTests {
        let folder: TemporaryFolder
        let model: String

        init() throws {
            folder = try TemporaryFolder()
            model = try TinyModel.write(to: folder)
        }

        private func tokenFile() throws -> String {
            try Program.succeed("encode", Sounds.speechPath, folder.file("t.allo"), "--model", model)
            return folder.file("t.allo")
        }

        @Test func anOutputThatCannotBeMadeIsNamed() throws {
            let tokens = try tokenFile()
            for output in [folder.file("missing/out"), "/proc/out"] {
                try Program.fail(
                    ["encode", Sounds.speechPath, "\(output).allo", "--model", model], status: 73,
                    mentions: ["\(output).allo: cannot create", "folder"], in: folder)
                try Program.fail(
                    ["decode", tokens, "\(output).wav", "--model", model], status: 73, mentions: ["\(output).wav"],
                    in: folder)
            }
            try Program.fail(
                ["encode", Sounds.speechPath, folder.path, "--model", model], status: 73,
                mentions: [folder.path, "That is a folder"], in: folder)
        }

        @Test(.enabled(if: geteuid() != 0, "root may write anywhere"))
        func aFolderWithoutPermissionIsNamed() throws {
            let closed = folder.file("closed")
            try FileManager.default.createDirectory(atPath: closed, withIntermediateDirectories: false)
            try #require(chmod(closed, 0o555) == 0)
            try Program.fail(
                ["encode", Sounds.speechPath, "\(closed)/out.allo", "--model", model], status: 73,
                mentions: [closed, "permissions"], in: folder)
        }

        @Test(arguments: ["out.mp3", "out"])
        func aSoundFormatThatCannotBeWrittenNamesThoseThatCan(name: String) throws {
            let tokens = try tokenFile()
            try Program.fail(
                ["decode", tokens, folder.file(name), "--model", model], status: 64,
                mentions: [folder.file(name), ".wav, .flac or .ogg"], in: folder)
        }

        @Test func optionsThatWouldDoNothingAreRefused() throws {
            for arguments in [
                ["encode", "in.wav", "out.allo", "--raw", "s16le"], ["encode", "-", "out.allo", "--rate", "8000"],
                ["decode", "in.allo", "out.wav", "--raw", "f32le"], ["decode", "in.allo", "-", "--float"],
                ["evaluate", "--model", model], ["evaluate", "a.wav", "--data", "b"],
                ["train", "--config", "a", "--data", "b", "--run", "c", "--steps", "0"],
            ] {
                try Program.fail(arguments, status: 64, mentions: ["Usage: allophone \(arguments[0])"], in: folder)
            }
        }

        // MARK: Full disks

        @Test func aFullDeviceIsAnError() throws {
            let tokens = try tokenFile()
            try Program.fail(
                ["encode", Sounds.speechPath, "/dev/full", "--model", model], status: 73,
                mentions: ["/dev/full", "No space left", "Free some space"], in: folder)
            try FileManager.default.createSymbolicLink(
                atPath: folder.file("full.wav"), withDestinationPath: "/dev/full")
            try Program.fail(
                ["decode", tokens, folder.file("full.wav"), "--model", model], status: 73,
                mentions: [folder.file("full.wav"), "no space left"], in: folder)
        }

        @Test func standardOutputThatIsFullIsAnError() throws {
            let tokens = try tokenFile()
            for command in [
                "encode '\(Sounds.speechPath)' - --model '\(model)'", "decode '\(tokens)' - --model '\(model)'",
                "info '\(tokens)' --json", "info '\(tokens)'",
            ] {
                let outcome = try Program.bash("\"$ALLOPHONE\" \(command) > /dev/full")
                Program.expectFailure(outcome, status: 73, mentions: ["standard output", "o space left"])
            }
        }

        /// As a disk that fills up while the file is written: 1 KiB is allowed.
        @Test func aDiskThatFillsUpLeavesTheEarlierFile() throws {
            let tokens = try tokenFile()
            for (command, output) in [
                ("encode '\(Sounds.speechPath)' --format npy", folder.file("out.npy")),
                ("decode '\(tokens)'", folder.file("out.wav")), ("decode '\(tokens)'", folder.file("out.flac")),
            ] {
                try write(Array("earlier".utf8), to: output)
                let before = try folder.snapshot()
                let outcome = try Program.bash(
                    "ulimit -f 1; \"$ALLOPHONE\" \(command) \"$1\" --model \"$2\"", output, model)
                Program.expectFailure(outcome, status: 73, mentions: [output, "File too large"])
                #expect(try folder.snapshot() == before)
            }
        }

        // MARK: Ends

        @Test func aReaderThatGoesAwayEndsTheProgramQuietly() throws {
            let tokens = try tokenFile()
            // More than a pipe holds, so that the write must meet the closed end.
            let outcome = try Program.bash(
                "\"$ALLOPHONE\" decode \"$1\" - --raw f32le --model \"$2\" | head -c 10 | wc -c; exit ${PIPESTATUS[0]}",
                tokens, model)
            #expect(outcome.text.trimmingCharacters(in: .whitespacesAndNewlines) == "10")
            #expect(outcome.status == 141)
            #expect(outcome.messages.isEmpty, "\(outcome.messages)")
        }

        @Test func aPipeThatIsClosedAlreadyEndsTheProgramQuietly() throws {
            let tokens = try tokenFile()
            for arguments in [["info", tokens, "--json"], ["encode", Sounds.speechPath, "-", "--model", model]] {
                let pipe = Pipe()
                try pipe.fileHandleForReading.close()
                let outcome = try Program.start(arguments, output: pipe.fileHandleForWriting).wait()
                #expect(outcome.signal == SIGPIPE)
                #expect(outcome.messages.isEmpty, "\(outcome.messages)")
            }
        }

        @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
        func aSignalTakesBackWhatWasWritten(signal: Int32) throws {
            let voice = Sounds.voice(count: 24000, rate: 24000)
            let samples = (0..<60).flatMap { _ in voice }
            try Waveform(samples: samples, sampleRate: 24000).write(to: folder.file("long.wav"))
            let before = try folder.snapshot()
            let run = try Program.start(
                ["encode", folder.file("long.wav"), folder.file("out.allo"), "--model", model])
            try run.wait { try folder.hasPartialFile() }
            kill(run.process.processIdentifier, signal)
            #expect(try run.wait().signal == signal)
            #expect(try folder.snapshot() == before)
        }

        @Test func ctrlCEndsARecordingAndKeepsIt() throws {
            let pcm = Sounds.pcm(Sounds.voice(count: 72000, rate: 24000))
            let pipe = Pipe()
            let run = try Program.start(
                ["encode", "--raw", "s16le", "-", folder.file("out.allo"), "--model", model],
                input: pipe.fileHandleForReading)
            // With the program the only reader, a write to one that has ended fails; otherwise it would wait for ever.
            try pipe.fileHandleForReading.close()
            signal(SIGPIPE, SIG_IGN)
            try pipe.fileHandleForWriting.write(contentsOf: pcm)
            try run.wait { try folder.hasPartialFile() }
            kill(run.process.processIdentifier, SIGINT)
            // The recorder, which gets Ctrl-C too, passes on what it has and ends; nobody may be there to take it any more.
            usleep(100_000)
            try? pipe.fileHandleForWriting.write(contentsOf: pcm)
            try pipe.fileHandleForWriting.close()
            let outcome = try run.wait()
            #expect(outcome.status == 0, "\(outcome.messages)")
            let reader = try TokenReader(path: folder.file("out.allo"))
            #expect(try reader.rest().count > 0)
        }

        @Test func ctrlCEndsARecordingFromWhichNothingComes() throws {
            let source = folder.file("in")
            try #require(mkfifo(source, 0o600) == 0)
            // Reading and writing, so that neither end waits for the other, and the program's input never ends.
            let pipe = FileHandle(fileDescriptor: open(source, O_RDWR | O_CLOEXEC), closeOnDealloc: true)
            let run = try Program.start(
                ["encode", "--raw", "s16le", "-", folder.file("out.allo"), "--model", model], input: pipe)
            try pipe.write(contentsOf: Sounds.pcm(Sounds.voice(count: 24000, rate: 24000)))
            // Arrived is what is no longer in the pipe.
            try run.wait {
                var waiting: Int32 = 0
                return try folder.hasPartialFile() && ioctl(pipe.fileDescriptor, UInt(FIONREAD), &waiting) == 0
                    && waiting == 0
            }
            kill(run.process.processIdentifier, SIGINT)
            let outcome = try run.wait()
            #expect(outcome.status == 0, "\(outcome.messages)")
            #expect(try TokenReader(path: folder.file("out.allo")).rest().count == 50)
        }

        @Test(arguments: [["decode", "-", "out.wav"], ["encode", "-", "out.allo"]])
        func aSignalEndsTheWaitForInput(arguments: [String]) throws {
            let source = folder.file("in")
            try #require(mkfifo(source, 0o600) == 0)
            let pipe = FileHandle(fileDescriptor: open(source, O_RDWR | O_CLOEXEC), closeOnDealloc: true)
            let run = try Program.start(
                arguments.map { $0.hasPrefix("out") ? folder.file($0) : $0 } + ["--model", model], input: pipe)
            // Nothing tells that it waits; before it does the signal ends it anyway.
            usleep(500_000)
            kill(run.process.processIdentifier, SIGTERM)
            let outcome = try run.wait()
            #expect(outcome.signal == SIGTERM, "\(outcome.status) \(outcome.messages)")
            #expect(try folder.entries().filter { $0.contains("out") } == [])
        }

        @Test func pipesThatDoNotWaitAreWaitedFor() throws {
            let tokens = try tokenFile()
            let expected = try Program.succeed("decode", tokens, "-", "--model", model).output
            try #require(expected.count > 1 << 16, "more than a pipe holds")
            let (source, sink) = (folder.file("in"), folder.file("out"))
            for path in [source, sink] { try #require(mkfifo(path, 0o600) == 0) }
            // A reader that does not wait can be opened first, and then a writer.
            let input = FileHandle(
                fileDescriptor: open(source, O_RDONLY | O_NONBLOCK | O_CLOEXEC), closeOnDealloc: true)
            let speaker = FileHandle(fileDescriptor: open(source, O_WRONLY | O_CLOEXEC), closeOnDealloc: true)
            let output = open(sink, O_RDWR | O_NONBLOCK | O_CLOEXEC)
            defer { close(output) }
            let run = try Program.start(
                ["decode", "-", "-", "--model", model], input: input,
                output: FileHandle(fileDescriptor: output, closeOnDealloc: false))
            usleep(200_000)
            try speaker.write(contentsOf: contents(of: tokens))
            try speaker.close()
            var heard: [UInt8] = []
            let end = ContinuousClock.now + .seconds(60)
            while heard.count < expected.count && ContinuousClock.now < end {
                usleep(20_000)
                var buffer = [UInt8](repeating: 0, count: 1 << 14)
                let count = read(output, &buffer, buffer.count)
                if count > 0 { heard += buffer[..<count] }
            }
            let isAll = heard == expected
            #expect(isAll, "\(heard.count) bytes of \(expected.count)")
            #expect(try run.wait().status == 0)
        }

        @Test func anOutputThatCannotBeIsFoundOutBeforeTheWork() throws {
            let nowhere = folder.file("absent/out")
            try Program.fail(
                ["prior", model, "--data", folder.path, "--output", nowhere], status: 73, mentions: [nowhere],
                in: folder)
        }

        @Test func aNameMayBeAsLongAsTheSystemAllows() throws {
            // Letters of several scalars each, of which forty are longer than a name may be.
            let name = String(repeating: "क्षि", count: 19)
            try Program.succeed("encode", Sounds.speechPath, folder.file(name + ".allo"), "--model", model)
            try Program.succeed("decode", folder.file(name + ".allo"), folder.file(name + ".wav"), "--model", model)
        }
    }
}
