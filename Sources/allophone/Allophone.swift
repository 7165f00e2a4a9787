import ArgumentParser

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@main
struct Allophone: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allophone",
        abstract: "A speech tokenizer: waveform to tokens and back.",
        discussion: """
            EXAMPLES
              allophone train --config alpha-tiny --data .corpus/small --run runs/tiny
              allophone encode talk.wav talk.allo --model runs/tiny/model.safetensors
              allophone decode talk.allo talk.out.wav --model runs/tiny/model.safetensors
              allophone info talk.allo

            EXIT STATUS
            \(ExitStatus.table)
            """,
        version: version,
        subcommands: [
            Train.self, Encode.self, Decode.self, Transcribe.self, Evaluate.self, Convert.self, Average.self,
            Prior.self,
            DataCommand.self, Info.self, Compile.self,
        ])

    static let version = "0.1.0"

    /// Runs the command, and ends with an exit status that says what kind of thing went wrong.
    static func main() {
        openStandardDescriptors()
        // Left alone these would end the process on the spot, and leave half an output behind; ignored, the write that meets a
        // closed pipe or the limit of `ulimit -f` is an error like others.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            if let signal = fatalSignal(error) { end(by: signal) }
            guard let status = ExitStatus(error) else { exit(withError: error) }
            say("error: \(error)")
            end(with: status.rawValue)
        }
    }
}

/// Puts nothing in the place of a standard stream that the caller closed, lest a file opened later take its number.
private func openStandardDescriptors() {
    for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) == -1 {
        _ = open("/dev/null", O_RDWR)
    }
}

/// Ends the process as the signal would have at first, so that a shell sees what it expects: 130 for Ctrl-C, 141 for a
/// closed pipe.
private func end(by number: Int32) -> Never {
    signal(number, SIG_DFL)
    // Dispatch blocks the signals that it watches for.
    var blocked = sigset_t()
    sigemptyset(&blocked)
    sigaddset(&blocked, number)
    pthread_sigmask(SIG_UNBLOCK, &blocked, nil)
    raise(number)
    end(with: 128 + number)
}

/// Inside a command `exit` is the parser's.
private func end(with status: Int32) -> Never { exit(status) }
