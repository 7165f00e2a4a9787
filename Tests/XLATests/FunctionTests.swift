import Foundation
import Logging
import NN
import PJRT
import Tensor
import TestSupport
import Testing
import XLA

@Suite struct FunctionTests {
    @Test func aFunctionIsTracedOncePerShape() throws {
        let engine = try XLABackend.engine()
        let double = Function("double", on: engine) { ["y": .leaf($0["x"].value * 2)] }
        for value in [1, 2, 3, 4, 5] as [Float] {
            let result = try double.run(["x": .leaf(vector(value, -value))], on: engine)
            #expect(result["y"].value == vector(2 * value, -2 * value))
        }
        #expect(double.traceCount == 1)
        #expect(try double.run(["x": .leaf(vector(1, 2, 3))], on: engine)["y"].value == vector(2, 4, 6))
        #expect(
            try double.run(["x": .leaf(HostArray([1, 2] as [Int32]))], on: engine)["y"].value
                == HostArray([2, 4] as [Int32]))
        #expect(double.traceCount == 3, "another shape and another type are traced again")
        _ = try double.run(["x": .leaf(vector(7, 8))], on: engine)
        #expect(double.traceCount == 3)
    }

    @Test func theLongestUnusedShapeGoesFirst() throws {
        let (engine, log) = try recordingEngine()
        let double = Function("double", on: engine, capacity: 2) { ["y": .leaf($0["x"].value * 2)] }
        func run(_ count: Int) throws {
            _ = try double.run(["x": .leaf(HostArray([Float](repeating: 1, count: count)))], on: engine)
        }
        try run(1)
        try run(2)
        try run(1)
        #expect(double.traceCount == 2 && log.messages(.warning).isEmpty)
        try run(3)
        #expect(log.messages(.warning).count == 1 && log.messages(.warning)[0].contains("more than 2 shapes"))
        try run(1)
        #expect(double.traceCount == 3, "the shape used last is still there")
        try run(2)
        #expect(double.traceCount == 4, "the one unused longest is not")
    }

    @Test func everyCompilationIsLogged() throws {
        let (engine, log) = try recordingEngine()
        let sum = Function("sum", on: engine) { .leaf($0["a"].value + $0["b"]["c"].value) }
        let arguments: Tree<HostArray> = ["a": .leaf(vector(1, 2)), "b": ["c": .leaf(vector(3, 4))]]
        for _ in 0..<2 { #expect(try sum.run(arguments, on: engine).value == vector(4, 6)) }
        let line = try #require(log.lines.first { $0.level == .info })
        #expect(line.message == "compiled sum" && line.metadata["shapes"] == "a f32[2], and 1 more")
        #expect(line.metadata["ms"].flatMap { Int($0) } != nil)
        #expect(log.lines.count == 1, "the second call compiles nothing")
    }

    @Test func preparingLeavesNothingToCompile() throws {
        let (engine, log) = try recordingEngine()
        let double = Function("double", on: engine) { .leaf($0["x"].value * 2) }
        try double.prepare(["x": .leaf(TensorType(.f32, [2]))])
        let count = log.lines.count
        _ = try double.run(["x": .leaf(vector(1, 2))], on: engine)
        #expect(double.traceCount == 1 && log.lines.count == count)
        let executable = try double.executable(for: ["x": .leaf(TensorType(.f32, [2]))])
        let cost = try executable.costAnalysis
        #expect(cost?.flops ?? 0 > 0)
    }

    /// A list's elements by number, not by digits, and a dictionary's by name, whatever order they were written in.
    @Test func leavesKeepTheirPlaces() throws {
        let engine = try XLABackend.engine()
        let items = (0..<12).map { Tree.leaf(HostArray(Float($0))) }
        let arguments: Tree<HostArray> = ["z": .list(items), "a": ["y": .leaf(vector(1)), "b": .leaf(vector(2))]]
        #expect(arguments.paths == ["a.b", "a.y"] + (0..<12).map { "z.\($0)" })
        let shuffle = Function("shuffle", on: engine) { arguments in
            guard case .list(let items) = arguments["z"] else { return [] }
            return [
                "twice": .list(items.map { .leaf($0.value * 2) }), "a": arguments["a"]["b"],
                "nested": ["deep": [arguments["a"]["y"], .leaf(Tensor.scalar(9))]],
            ]
        }
        let result = try shuffle.run(arguments, on: engine)
        #expect(result["twice"].leaves.map { $0.doubles[0] } == (0..<12).map { Double(2 * $0) })
        #expect(result["a"].value == vector(2) && result["nested"]["deep"][0].value == vector(1))
        #expect(result["nested"]["deep"][1].value == HostArray(Float(9)))
    }

    @Test func anArgumentMayBeAResultAndAConstantToo() throws {
        let engine = try XLABackend.engine()
        let same = Function("same", on: engine) { [$0["x"], $0["x"], .leaf(Tensor.zeros(TensorType(.f32, [0, 3])))] }
        let result = try same.run(["x": .leaf(vector(5)), "unused": .leaf(vector(6, 7))], on: engine)
        #expect(result[0].value == vector(5) && result[1].value == vector(5) && result[2].value.count == 0)
    }

    @Test func aModulesParametersAreArguments() throws {
        let engine = try XLABackend.engine()
        let layer = Linear(2, 1)
        let placeholders = Dictionary(uniqueKeysWithValues: layer.parameters.map { ("parameters.\($0)", $1.tensor) })
        let apply = Function("apply", on: engine, placeholders: placeholders) { .leaf(layer($0["x"].value)) }
        let x = HostArray([1, 2] as [Float], shape: [1, 2])
        for scale in [1, 10] as [Float] {
            let parameters: [String: HostArray] = [
                "weight": HostArray([scale, 3], shape: [2, 1]), "bias": vector(0.5),
            ]
            let result = try apply.run(["parameters": Tree(parameters), "x": .leaf(x)], on: engine)
            #expect(result.value == HostArray([scale + 6.5], shape: [1, 1]))
        }
        #expect(apply.traceCount == 1)
    }

    // MARK: - Donation

    private func counter(_ engine: Engine) -> Function {
        Function("counter", on: engine, donating: ["state"]) { arguments in
            let state = arguments["state"]
            return [
                "sum": .leaf(state["a"].value + state["b"].value),
                "state": [
                    "a": .leaf(state["a"].value + arguments["x"].value), "b": .leaf(state["b"].value * 2),
                ],
            ]
        }
    }

    @Test func aDonatedArgumentGivesItsMemoryToTheResultOfItsPath() throws {
        let engine = try XLABackend.engine()
        let vector = TensorType(.f32, [3])
        let program = counter(engine).program(for: [
            "state": ["a": .leaf(vector), "b": .leaf(vector)], "x": .leaf(vector),
        ])
        // Results are state.a, state.b, sum.
        #expect(program.text.contains("%arg0: tensor<3xf32> {tf.aliasing_output = 0 : i32}"))
        #expect(program.text.contains("%arg1: tensor<3xf32> {tf.aliasing_output = 1 : i32}"))
        #expect(program.text.contains("%arg2: tensor<3xf32>)"))
    }

    @Test func aDonatedBufferCannotBeUsedAgain() throws {
        let engine = try XLABackend.engine()
        let counter = counter(engine)
        let x = try engine.upload(vector(1, 1, 1))
        let first = try engine.upload(["a": vector(1, 2, 3), "b": vector(4, 5, 6)])
        let result = try counter(["state": first, "x": .leaf(x)])
        #expect(try result["sum"].value.hostArray() == vector(5, 7, 9))
        #expect(throws: BufferError.self) { try first["a"].value.hostArray() }
        let error = #expect(throws: BufferError.self) { try counter(["state": first, "x": .leaf(x)]) }
        #expect(error?.description.contains("donated") == true)
        let next = try counter(["state": result["state"], "x": .leaf(x)])
        #expect(try next["state"]["a"].value.hostArray() == vector(3, 4, 5))
        #expect(try next["state"]["b"].value.hostArray() == vector(16, 20, 24))
        #expect(try x.hostArray() == vector(1, 1, 1), "what is not donated stays")
    }

    // MARK: - Mistakes

    @Test func aTensorThatIsNoArgumentIsNamed() async throws {
        let result = try #require(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                let stray = Tensor.input(TensorType(.f32, [2]), name: "stray")
                let f = Function("f", on: try XLABackend.engine()) { .leaf($0["x"].value + stray) }
                try f.prepare(["x": .leaf(TensorType(.f32, [2]))])
            })
        #expect(String(decoding: result.standardErrorContent, as: UTF8.self).contains("stray"))
    }

    @Test func anArgumentUnlikeItsPlaceholderIsNamed() async throws {
        let result = try #require(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                let weight = Tensor.input(TensorType(.f32, [2]), name: "weight")
                let f = Function("f", on: try XLABackend.engine(), placeholders: ["w": weight]) { $0["w"] }
                try f.prepare(["w": .leaf(TensorType(.f32, [3]))])
            })
        let message = String(decoding: result.standardErrorContent, as: UTF8.self)
        #expect(message.contains("argument w is f32[3]") && message.contains("f32[2]"), "\(message)")
    }

    /// Of a program that is too large for any machine, a typed error.
    @Test func whatCannotRunIsAnError() throws {
        let engine = try XLABackend.engine()
        let large = Function("large", on: engine) { .leaf($0["x"].value.broadcast(to: [1 << 40, 2]).sin()) }
        #expect(throws: PJRTError.self) { try large.run(["x": .leaf(vector(1, 2))], on: engine) }
    }

    // MARK: - Lifetime

    @Test func everythingIsFreedWithItsEngine() async {
        await #expect(processExitsWith: .success) {
            func work() throws {
                let folder = try TemporaryFolder()
                for _ in 0..<2 {
                    let (engine, _) = try recordingEngine(cacheFolder: folder.path)
                    let f = Function("f", on: engine, donating: ["x"], capacity: 1) { ["x": .leaf($0["x"].value + 1)] }
                    var state = try engine.upload(["x": vector(1, 2)])
                    for _ in 0..<3 { state = try f(state) }
                    #expect(try state["x"].value.hostArray() == vector(4, 5))
                    _ = try f.run(["x": .leaf(vector(1))], on: engine)
                    #expect(LiveObjects.current.executables == 1 && LiveObjects.current.clients == 1)
                }
            }
            try work()
            #expect(LiveObjects.current == .zero, "\(LiveObjects.current)")
        }
    }
}
