import ArgumentParser
import Audio
import Checkpoint
import PJRT
import Tensor
import Tokenizer
import XLA

struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what a file is, or which plugin and devices there are.",
        discussion: """
            EXAMPLES
              allophone info talk.allo
              allophone info model.safetensors --json
              allophone info plugin --device cuda
            """)

    @Argument(help: "A token file, a model, a sound file, or the word `plugin`.")
    var subject: String

    @OptionGroup var device: DeviceOptions

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if subject != "plugin" && (device.isAskedFor || device.verbose) {
            throw ValidationError("--device, --plugin and --verbose are of `allophone info plugin`")
        }
    }

    func run() throws {
        if subject == "plugin" { return try show(pluginFacts()) }
        let start = try InputFile(path: subject, ordinary: true).bytes(at: 0, count: 9)
        if start.starts(with: TokenHeader.magic) { return try show(tokenFacts()) }
        // A safetensors file begins with a length of 8 bytes, at most 100 MB, and then a brace.
        // An MP3 may have a brace there too, after bytes that are no such length, or in its tag.
        let isModel = start.count == 9 && start[8] == UInt8(ascii: "{") && start[4..<8].allSatisfy { $0 == 0 }
        if isModel && !start.starts(with: "ID3".utf8) {
            return try show(modelFacts())
        }
        do { try show(soundFacts()) } catch AudioError.notAudio { throw CommandError.unknownKind(path: subject) }
    }

    private func show(_ facts: [(String, Fact)]) throws {
        if json { return try printJSON(Dictionary(uniqueKeysWithValues: facts)) }
        for (name, fact) in facts {
            try printLine(name.leftAligned(in: 18) + fact.text)
        }
    }

    private func tokenFacts() throws -> [(String, Fact)] {
        let reader = try TokenReader(path: subject)
        let header = reader.header
        if header.prior == nil { while try reader.next() != nil {} } else { try reader.skipRest() }
        let bitRate = header.bitRate(codeBytes: reader.codeByteCount, frames: reader.frameCount)
        let seconds = Double(reader.sampleCount ?? 0) / Double(header.sampleRate)
        return [
            ("kind", .text("tokens")), ("sampleRate", .number(Double(header.sampleRate))),
            ("frameRate", .number(header.frameRate)), ("bitRate", .number(bitRate)),
            ("frames", .number(Double(reader.frameCount))), ("seconds", .number(seconds)),
            ("levels", .text(header.layout.levels.map { "\($0)" }.joined(separator: ", "))),
            ("model", .text(header.model.description)),
            ("coding", .text(header.prior == nil ? "numbered" : "with the model's prior")),
        ]
    }

    private func modelFacts() throws -> [(String, Fact)] {
        let file = try ModelFile(path: subject)
        let configuration = file.model.configuration
        let count = file.arrays.values.reduce(0) { $0 + $1.count }
        let text = try ModelFile.metadata(configuration)["configuration"] ?? ""
        // Of most parameters first.
        let shares = Dictionary(grouping: file.storedTypes.keys) { file.storedTypes[$0] ?? .f32 }
            .map { (dtype: $0, count: $1.reduce(0) { $0 + (file.arrays[$1]?.count ?? 0) }) }
            .sorted { ($1.count, $0.dtype.rawValue) < ($0.count, $1.dtype.rawValue) }
        let weights = shares.map { "\($0.count) \($0.dtype.rawValue)" }.joined(separator: ", ")
        return [
            ("kind", .text("model")), ("sampleRate", .number(Double(configuration.sampleRate))),
            ("frameRate", .number(configuration.frameRate)), ("bitRate", .number(configuration.bitRate)),
            // Seconds from a sample to its sound, as a whole frame is heard first.
            ("latency", .number(Double(1 + (configuration.decoderDelay ?? 0)) / configuration.frameRate)),
            ("parameters", .number(Double(count))), ("weights", .text(weights)),
            ("bytes", .number(Double(try byteCount(of: subject)))),
            ("fingerprint", .text(file.fingerprint.description)),
            ("prior", .text(file.prior.map { "\($0.width) units, \($0.past) frames back" } ?? "none")),
            ("configuration", .text(text)),
        ]
    }

    private func soundFacts() throws -> [(String, Fact)] {
        let reader = try AudioReader(path: subject)
        var facts: [(String, Fact)] = [
            ("kind", .text("sound")), ("sampleRate", .number(Double(reader.sampleRate))),
            ("channels", .number(Double(reader.channels))),
        ]
        if let frames = reader.frames { facts.append(("seconds", .number(Double(frames) / Double(reader.sampleRate)))) }
        return facts
    }

    private func pluginFacts() throws -> [(String, Fact)] {
        let engine = try device.engine()
        let plugin = engine.client.plugin
        return [
            ("kind", .text("plugin")), ("path", .text(plugin.path)), ("api", .text(plugin.apiVersion.description)),
            ("platform", .text("\(engine.client.platformName) \(engine.client.platformVersion)")),
            ("devices", .text(engine.client.devices.map { "\($0)" }.joined(separator: ", "))),
        ]
    }
}

/// A number or a text, as JSON has them.
enum Fact: Encodable {
    case number(Double)
    case text(String)

    var text: String {
        switch self {
        case .number(let value): Int(exactly: value).map { "\($0)" } ?? value.fixed(3)
        case .text(let text): text
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .number(let value): try container.encode(value)
        case .text(let text): try container.encode(text)
        }
    }
}
