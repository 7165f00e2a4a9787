import ArgumentParser

@main
struct Allophone: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "A speech tokenizer: waveform to tokens and back.")
}
