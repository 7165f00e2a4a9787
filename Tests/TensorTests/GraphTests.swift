import TestSupport
import Testing

@testable import Tensor

@Suite struct GraphTests {
    private let scalar = TensorType(.f64, [])

    @Test func nodesComeAfterWhatTheyRead() {
        let graph = Graph([scalar, scalar]) { inputs in
            let sum = inputs[0] + inputs[1]
            return [sum * sum.sin(), sum.exp()]
        }
        var seen = Set(graph.inputs.map(\.node.id))
        for node in graph.nodes {
            #expect(node.inputs.allSatisfy { seen.contains($0.node.id) })
            #expect(seen.insert(node.id).inserted)
        }
        #expect(graph.nodes.map(\.primitive.name) == ["add", "sine", "multiply", "exponential"])
    }

    @Test func whatLiesAboveAnInputIsCutOff() throws {
        let x = Tensor.input(scalar, name: "x")
        let middle = x.exp()
        let graph = Graph(inputs: [middle], outputs: [middle * 3, middle])
        #expect(graph.nodes.map(\.primitive.name).filter { $0 != "full" } == ["multiply"])
        #expect(graph.freeInputs.isEmpty)
        #expect(try TestBackends.reference.run(graph, [HostArray(2.0)]) == [HostArray(6.0), HostArray(2.0)])
    }

    @Test func inputsThatAreNotListedAreFree() {
        let (x, y) = (Tensor.input(scalar, name: "x"), Tensor.input(scalar, name: "y"))
        #expect(Graph(inputs: [x], outputs: [x * y]).freeInputs.map(\.key) == [y.key])
    }

    @Test func applyingAGraphSubstitutesItsInputsAndSharesTheRest() throws {
        let x = Tensor.input(scalar, name: "x")
        let outer = Tensor.input(scalar, name: "outer")
        let shared = outer.exp()
        let graph = Graph(inputs: [x], outputs: [x.sin() * shared, shared, x])
        let (a, b) = (Tensor.input(scalar, name: "a"), Tensor.input(scalar, name: "b"))
        let applied = graph([a * b])
        #expect(applied[1].key == shared.key)
        #expect(applied[0].node.inputs[1].key == shared.key)
        let values = try TestBackends.reference.run(
            Graph(inputs: [a, b, outer], outputs: applied), [2, 3, 0].map { HostArray($0) })
        expectClose(values[0], HostArray(-0.27941549819892586))
        #expect(values[2] == HostArray(6.0))
    }

    @Test func applyingAGraphReplacesOneOutputOfSeveral() throws {
        let x = Tensor.input(TensorType(.f64, [3]), name: "x")
        let sorted = x.sorted()
        // The sorted values are given instead, and the positions still come from x.
        let graph = Graph(inputs: [x, sorted.values], outputs: [sorted.values * 2, sorted.indices])
        let values = try TestBackends.reference.run(graph, [HostArray([3.0, 1, 2]), HostArray([7.0, 8, 9])])
        #expect(values == [HostArray([14.0, 16, 18]), HostArray([1, 2, 0] as [Int32])])
        let (y, z) = (Tensor.input(x.type, name: "y"), Tensor.input(x.type, name: "z"))
        let applied = Graph(inputs: [y, z], outputs: graph([y, z]))
        #expect(try TestBackends.reference.run(applied, [HostArray([3.0, 1, 2]), HostArray([7.0, 8, 9])]) == values)
    }

    @Test func replacingRecomputesWhatReadsTheReplaced() throws {
        let x = Tensor.input(scalar, name: "x")
        let middle = x.exp()
        let replaced = [middle * x, x].replacing([(middle, Tensor.scalar(5, .f64))])
        #expect(
            try TestBackends.reference.run(Graph(inputs: [x], outputs: replaced), [HostArray(2.0)])[0]
                == HostArray(10.0))
        #expect(replaced[1].key == x.key)
    }

    @Test func aGradientAtAnInnerTensorStopsThere() throws {
        let slopes = try evaluate([HostArray(3.0)]) { inputs in
            let middle = inputs[0] * 2
            let loss = middle * middle * inputs[0]
            return gradient(of: loss, at: [middle, inputs[0]])
        }
        #expect(slopes == [HostArray(36.0), HostArray(108.0)])
    }

    @Test func anInputThatDoesNotCountGetsZeros() throws {
        let slopes = try evaluate([HostArray(3.0), HostArray([1.0, 2.0]), HostArray(4 as Int32)]) { inputs in
            gradient(of: inputs[0].squared + inputs[2].cast(to: .f64), at: inputs)
        }
        #expect(slopes == [HostArray(6.0), HostArray([0.0, 0.0]), HostArray(0 as Int32)])
    }

    @Test func cotangentsWeighTheOutputs() throws {
        let products = try evaluate([HostArray([1.0, 2.0])]) { inputs in
            let outputs = [inputs[0].squared, inputs[0] * 3, inputs[0].exp()]
            return vjp(of: outputs, at: inputs, cotangents: [.constant([1, 10], .f64), .ones(inputs[0].type), nil])
                .compactMap { $0 }
        }
        #expect(products == [HostArray([5.0, 43.0])])
    }

    // Test threads have small stacks, so recursion over a chain would be seen.
    @Test(arguments: [false, true]) func longChainsAreFreedAndDifferentiatedWithoutRecursion(branching: Bool) throws {
        let depth = 100_000
        let x = Tensor.input(scalar, name: "x")
        var y = x
        for _ in 0..<depth { y = branching ? y + y.stoppingGradient : -y }
        let slope = gradient(of: y, at: [x])[0]
        let graph = Graph(inputs: [x], outputs: [slope])
        #expect(graph.nodes.count >= (branching ? 1 : depth))
        if !branching {
            #expect(try TestBackends.reference.run(graph, [HostArray(2.0)])[0] == HostArray(1.0))
        }
    }

    @Test func aMistakeWhileTracingNamesTheShapesAndThePlace() async throws {
        let result = try #require(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                let (x, y) = (Tensor.zeros(TensorType(.f32, [2, 3])), Tensor.zeros(TensorType(.f32, [4, 5])))
                _ = matmul(x, y)
            })
        let message = String(decoding: result.standardErrorContent, as: UTF8.self)
        #expect(message.contains("GraphTests.swift") && message.contains("dot(f32[2, 3], f32[4, 5])"), "\(message)")
    }

    @Test func aGradientIsOfAFloatingScalar() async {
        await #expect(processExitsWith: .failure) {
            let x = Tensor.input(TensorType(.f32, [2]), name: "x")
            _ = gradient(of: x * 2, at: [x])
        }
    }
}
