import Logging
import Tensor
import TestSupport
import Testing
import XLA

extension CommandLineTests {
    /// The program as a compiler for another process: this one.
    @Suite struct CompileTests {
        private let folder: TemporaryFolder

        init() throws { folder = try TemporaryFolder() }

        @Test(arguments: [0, 1 << 30], [Function.Compilation.standard, .concurrent])
        func largeProgramsAreCompiledInAnotherProcess(smallest: Int, compilation: Function.Compilation) throws {
            let compiler = CompilerProcess(path: Program.path, arguments: ["compile-program"], smallest: smallest)
            let (engine, log) = try recordingEngine(cacheFolder: folder.path, compiler: compiler)
            let double = Function("double", on: engine, compilation: compilation) { .leaf($0["x"].value * 2) }
            let result = try double(engine.upload(["x": .leaf(HostArray([Float(1), 2]))])).hostArrays()
            #expect(result.value == HostArray([Float(2), 4]))
            #expect(log.messages(.warning).isEmpty)
            #expect(log.messages(.info) == ["compiled double" + (smallest == 0 ? " in another process" : "")])
        }

        @Test func itIsNoCommandForPeople() throws {
            #expect(try !Program.run(["--help"]).text.contains("compile-program"))
            let outcome = try Program.run(["compile-program", "absent.so", folder.path, "quick", "name"])
            #expect(outcome.status != 0 && outcome.messages.contains("absent.so"))
        }
    }
}
