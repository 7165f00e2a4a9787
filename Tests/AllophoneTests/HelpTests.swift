import TestSupport
import Testing

extension CommandLineTests {
    @Suite struct HelpTests {
        @Test(
            arguments: [
                "", "train", "encode", "decode", "evaluate", "phonemes", "prior", "convert", "average", "info", "data",
                "data inspect", "data preview", "data prepare",
            ])
        func everyCommandHelpsWithExamples(command: String) throws {
            let outcome = try Program.run(command.split(separator: " ").map(String.init) + ["--help"])
            #expect(outcome.status == 0 && outcome.messages.isEmpty)
            #expect(outcome.text.contains("EXAMPLES\n") && outcome.text.contains("  allophone \(command)"))
        }

        @Test func helpListsTheExitStatuses() throws {
            let text = try Program.run(["--help"]).text
            for status in ["0", "64", "65", "66", "69", "70", "73", "78"] { #expect(text.contains("\n  \(status) ")) }
        }

        @Test func aCommandThatThereIsNotPrintsTheUsage() throws {
            let outcome = try Program.run(["transmogrify"])
            #expect(outcome.status == 64 && outcome.output.isEmpty)
            #expect(outcome.messages.contains("Usage: allophone"))
        }
    }
}
