import ArgumentParser
import Foundation
import Logging

@main
struct Allophone: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allophone",
        abstract: "A speech tokenizer: waveform to tokens and back.",
        discussion: """
            EXAMPLES
              allophone train --config alpha-tiny --data .corpus/small --run runs/first
              allophone encode talk.wav talk.allo --model runs/first/model.safetensors
              allophone decode talk.allo talk.out.wav --model runs/first/model.safetensors
              allophone info talk.allo
            """,
        version: version,
        subcommands: [Train.self, Encode.self, Decode.self, Evaluate.self, Info.self])

    static let version = "0.1.0"

    /// Runs the command, and ends with an exit status that says what kind of thing went wrong.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            guard let status = ExitStatus(error) else { exit(withError: error) }
            FileHandle.standardError.write(Data("error: \(error)\n".utf8))
            Foundation.exit(status.rawValue)
        }
    }
}
