import Foundation
import Phonemes
import TestSupport
import Testing

/// `make setup-test` installs espeak-ng; without it these are skipped.
@Suite(.enabled(if: installedEspeak != nil, "espeak-ng is not installed"))
struct PhonemizerTests {
    let program: Espeak

    init() throws { program = try #require(installedEspeak) }

    @Test func aBatchGivesWhatEspeakGivesForEachTextAlone() throws {
        let fixture = try EspeakFixture.load()
        let phonemizer = Phonemizer(program: program, cacheFolder: nil)
        for (language, texts) in Dictionary(grouping: fixture.transcripts, by: \.language) {
            let made = try phonemizer.transcripts(of: texts.map(\.text), language: language)
            for (text, ipa) in zip(texts, made) {
                // Other versions pronounce some words otherwise; then the program itself is asked.
                let expected = program.version == fixture.version ? text.ipa : try alone(text.text, voice: text.voice)
                #expect(words(ipa) == words(expected), "\(language): \(text.text)")
            }
        }
    }

    @Test(arguments: ["en", "es", "it", "ru", "cs", "fr", "bg", "ro", "de", "pl", "nl"])
    func everyPhonemeOfALanguageHasAnEntry(language: String) throws {
        let reader = IPAReader(.multilingual)
        let transcripts = try EspeakFixture.load().transcripts.filter { $0.language == language }
        #expect(!transcripts.isEmpty)
        for transcript in transcripts {
            let reading = reader.read(transcript.ipa)
            #expect(reading.unknown == [])
            #expect(reading.indices.count > 10)
        }
    }

    @Test func textThatIsNoSpeechIsHarmless() throws {
        let hostile = [
            "", " \n\t ", "!!! ... —", "[[tptptp]]", "[[h@l]] ]] [[", "<speak><break time='9s'/></speak>",
            "-v ru --phonout=/x",
            "a\u{0}b\u{7}c", "\u{202E}abc\u{FEFF}", "🙂🙂", "&amp;&#0;", "e" + String(repeating: "\u{301}", count: 3000),
            String(repeating: "word ", count: 3900), String(repeating: "x", count: 15000), "one\ntwo\r\nthree",
            "it's fine",
        ]
        let phonemizer = Phonemizer(program: program, cacheFolder: nil)
        let together = try phonemizer.transcripts(of: hostile, language: "en")
        #expect(together.count == hostile.count)
        #expect(together[0] == "" && together[1] == "")
        for (text, ipa) in zip(hostile, together) {
            #expect(try phonemizer.transcripts(of: [text], language: "en") == [ipa], "\(text.prefix(40))")
        }
        let (three, fine) = (try alone("one two three", voice: "en-us"), try alone("it's fine", voice: "en-us"))
        #expect(words(together[14]) == words(three))
        #expect(words(together[15]) == words(fine))
        // No word is lost or cut where lines are broken.
        #expect(words(together[12]).count == 3900)
    }

    @Test func aTextBeyondAllBoundsIsRefused() {
        let phonemizer = Phonemizer(program: program, cacheFolder: nil)
        #expect(throws: EspeakError.textTooLong(characters: 20_001, limit: 20_000)) {
            try phonemizer.transcripts(of: [String(repeating: "a", count: 20_001)], language: "en")
        }
    }

    @Test(arguments: [
        ("en", "en-us"), ("en-GB", "en-gb"), ("EN_us", "en-us"), ("fr", "fr-fr"), ("zh", "cmn"), ("no", "nb"),
        ("pt-BR", "pt-br"), ("ru", "ru"), ("de-AT", "de"),
    ])
    func aLanguageHasItsVoice(language: String, voice: String) throws {
        #expect(try program.voice(for: language) == voice)
    }

    @Test(arguments: ["xx", "", "-", "tlh-x", "../en", "en-us; rm"])
    func aLanguageWithoutVoiceIsNamed(language: String) {
        if language == "en-us; rm" {
            // A region that nobody knows leaves the language.
            #expect((try? program.voice(for: language)) == "en-us")
        } else {
            #expect(throws: EspeakError.unknownLanguage(language, path: program.path)) {
                try program.voice(for: language)
            }
        }
    }

    @Test func transcriptsAreRememberedByVersionVoiceAndText() throws {
        let folder = try TemporaryFolder()
        let first = try Phonemizer(program: program, cacheFolder: folder.path)
            .transcripts(of: ["hello", "world", "hello"], language: "en")
        let file = "espeak-ng-\(program.version)-en-us.jsonl"
        #expect(try folder.entries() == [file])
        // What the file says is believed: the text is not read again. A torn line is passed over.
        var lines = String(decoding: try contents(of: folder.file(file)), as: UTF8.self)
        lines += "{\"ipa\":\"k_æ_t\",\"text\":\"dog\"}\n{\"ipa\":\"torn"
        try write(Array(lines.utf8), to: folder.file(file))
        let again = Phonemizer(program: program, cacheFolder: folder.path)
        let torn = try alone("torn", voice: "en-us")
        #expect(try again.transcripts(of: ["hello", "dog", "torn"], language: "en") == [first[0], "k_æ_t", torn])
        let third = Phonemizer(program: program, cacheFolder: folder.path)
        #expect(try third.transcripts(of: ["dog"], language: "en") == ["k_æ_t"])
        #expect(try third.transcripts(of: ["dog"], language: "en-GB") != ["k_æ_t"])
        let hello = try alone("hello", voice: "en-us")
        #expect(first[0] == hello && first[2] == hello)
    }

    @Test func twoThatAppendByTurnsFindTheirOwnLines() throws {
        let folder = try TemporaryFolder()
        let both = (0..<2).map { _ in Phonemizer(program: program, cacheFolder: folder.path) }
        let words = [["one", "two"], ["three"], ["four", "five"], ["six"]]
        for (turn, texts) in words.enumerated() { _ = try both[turn % 2].transcripts(of: texts, language: "en") }
        for (turn, texts) in words.enumerated() {
            let expected = try texts.map { try alone($0, voice: "en-us") }
            #expect(try both[turn % 2].transcripts(of: texts, language: "en") == expected)
        }
        // A text that was not found would have been read, and written, once more.
        let lines = String(decoding: try contents(of: folder.file(try folder.entries()[0])), as: UTF8.self)
            .split(separator: "\n")
        #expect(lines.count == 6 && Set(lines).count == 6)
    }

    @Test func aFolderThatCannotBeWrittenIsDoneWithout() throws {
        let phonemizer = Phonemizer(program: program, cacheFolder: "/proc/nowhere")
        let hello = try alone("hello", voice: "en-us")
        #expect(try phonemizer.transcripts(of: ["hello"], language: "en") == [hello])
    }

    private func alone(_ text: String, voice: String) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: program.path)
        process.arguments = ["-q", "-b", "1", "--ipa", "--sep=_", "-v", voice, text]
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return words(String(decoding: data, as: UTF8.self)).joined(separator: " ")
    }

    private func words(_ ipa: String) -> [String] { ipa.split(whereSeparator: \.isWhitespace).map(String.init) }
}

struct EspeakProgramTests {
    /// A program that is not espeak-ng, but a script.
    private func script(_ text: String, in folder: TemporaryFolder) throws -> String {
        let path = folder.file("espeak-ng")
        try write(Array("#!/bin/sh\n\(text)\n".utf8), to: path)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return path
    }

    private static let greeting = """
        case "$1" in
        --version) echo "eSpeak NG text-to-speech: 1.51  Data at: /nowhere"; exit;;
        --voices) echo "Pty Language Age/Gender VoiceName File Other"; echo " 5  xx --/M Xish f/xx"; exit;;
        esac
        """

    @Test func aMissingProgramIsToldWithTheRemedy() {
        let error = #expect(throws: EspeakError.self) { try Espeak(environment: ["PATH": "/nowhere"]) }
        #expect(error == .missing(path: nil))
        #expect("\(error!)".contains("apt-get install espeak-ng"))
        #expect(throws: EspeakError.missing(path: "/no/espeak")) { try Espeak(path: "/no/espeak") }
        #expect(throws: EspeakError.missing(path: "/no/other")) {
            try Espeak(environment: ["ALLOPHONE_ESPEAK": "/no/other"])
        }
    }

    @Test func anotherProgramIsNotTakenForEspeak() throws {
        let folder = try TemporaryFolder()
        let path = try script("echo hello", in: folder)
        #expect(throws: EspeakError.notEspeak(path: path, said: "hello")) { try Espeak(path: path) }
    }

    @Test func anOldVersionIsRefused() throws {
        let folder = try TemporaryFolder()
        let path = try script("echo 'eSpeak NG text-to-speech: 1.49.2  Data at: x'", in: folder)
        #expect(throws: EspeakError.tooOld(path: path, version: "1.49.2")) { try Espeak(path: path) }
    }

    @Test func itsComplaintIsPassedOn() throws {
        let folder = try TemporaryFolder()
        let program = try Espeak(path: script("\(Self.greeting)\necho 'no data' >&2; exit 3", in: folder))
        #expect(throws: EspeakError.failed(path: program.path, status: 3, said: "no data")) {
            try Phonemizer(program: program, cacheFolder: nil).transcripts(of: ["a"], language: "xx")
        }
    }

    @Test func aFileThatIsNoProgramHasNoStatus() throws {
        let folder = try TemporaryFolder()
        let path = try script("", in: folder)
        try write([0x7F], to: path)
        #expect(throws: EspeakError.notRun(path: path, reason: String(cString: strerror(ENOEXEC)))) {
            try Espeak(path: path)
        }
    }

    @Test func aProgramThatHangsIsEnded() throws {
        let folder = try TemporaryFolder()
        let program = try Espeak(path: script("\(Self.greeting)\nexec sleep 60", in: folder))
        let start = ContinuousClock.now
        #expect(throws: EspeakError.timedOut(path: program.path, seconds: 0.5)) {
            try Phonemizer(program: program, cacheFolder: nil, timeout: 0.5).transcripts(of: ["a"], language: "xx")
        }
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test func textsAreTakenOneByOneWhereDividersAreLost() throws {
        let folder = try TemporaryFolder()
        // Echoes the lines, and loses every divider.
        let program = try Espeak(path: script("\(Self.greeting)\ngrep -v tptptp", in: folder))
        let made = try Phonemizer(program: program, cacheFolder: nil).transcripts(
            of: ["a", "b c", "d"], language: "xx")
        #expect(made == ["a", "b c", "d"])
    }
}
