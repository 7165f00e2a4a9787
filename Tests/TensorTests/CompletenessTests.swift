import Foundation
import TestSupport
import Testing

@testable import Tensor

/// A primitive that is added must come with a test of its values and of its gradient.
@Suite struct CompletenessTests {
    /// The names of the primitives in graphs, nested ones included.
    private static func names(in graphs: [Graph]) -> Set<String> {
        var names: Set<String> = []
        for graph in graphs {
            for primitive in graph.inputs.map(\.node.primitive) + graph.nodes.map(\.primitive) {
                // A call has the name of what it calls.
                names.insert(primitive is Call ? "call" : primitive.name)
                names.formUnion(Self.names(in: nested(primitive)))
            }
        }
        return names
    }

    private static func nested(_ primitive: any Primitive) -> [Graph] {
        switch primitive {
        case let call as Call: [call.graph]
        case let conditional as Conditional: [conditional.whenTrue, conditional.whenFalse]
        case let loop as While: [loop.condition, loop.body]
        case let scan as Scan: [scan.body]
        default: []
        }
    }

    static let all: Set<String> = Set(
        Unary.Kind.allCases.map { Unary(kind: $0).name } + Binary.Kind.allCases.map { Binary(kind: $0).name }
            + Compare.Direction.allCases.map { Compare(direction: $0).name }
            + Reduce.Kind.allCases.map { Reduce(kind: $0, axes: []).name }
            + Fourier.Kind.allCases.map { Fourier(kind: $0, length: 1).name }
            + [
                "input", "constant", "full", "iota", "select", "convert", "bitcast", "stopGradient", "barrier",
                "reshape",
                "transpose", "broadcast", "slice", "pad", "concatenate", "reverse", "argmax", "sort", "dot",
                "convolution", "dynamicSlice", "dynamicUpdateSlice", "gather", "scatter", "call", "conditional",
                "while",
                "scan",
            ])

    @Test func theValuesOfEveryPrimitiveAreTested() throws {
        let families = [
            (ElementwiseTests.values, ElementwiseTests.fixture), (StructureTests.values, StructureTests.fixture),
            (ReductionTests.values, ReductionTests.fixture), (ProductTests.values, ProductTests.fixture),
            (IndexingTests.values, IndexingTests.fixture), (ControlFlowTests.values, ControlFlowTests.fixture),
            (RandomTests.values, RandomTests.fixture),
        ]
        let tested = try families.map { values, fixture in
            let fixture = try fixture.get()
            return Self.names(in: values.flatMap { $0.graphs(in: fixture) })
        }.reduce(into: Set()) { $0.formUnion($1) }
        #expect(tested.symmetricDifference(Self.all) == [])
    }

    @Test func theGradientOfEveryPrimitiveIsTested() {
        let graphs = GradientTests.everyCase.map { gradientCase in
            Graph(gradientCase.point.map(\.type)) { [gradientCase.function($0)] }
        }
        let missing = Self.all.subtracting(Self.names(in: graphs)).subtracting(GradientTests.withoutGradient)
        #expect(missing == [])
    }

    /// The list above is complete: it has a name for every type that the sources declare.
    @Test func everyDeclaredPrimitiveIsListed() throws {
        let folder = Fixture.folder.deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Sources/Tensor/Primitives")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        let declared = try files.flatMap { file in
            try String(contentsOf: file, encoding: .utf8).matches(of: /struct (\w+): (Constant)?Primitive\b/)
                .map { String($0.output.1) }
        }
        // One list of names for each family with kinds, and one name for each other type.
        let families = ["Unary", "Binary", "Compare", "Reduce", "Fourier"]
        let single = Set(declared).subtracting(families).map {
            $0 == "ArgMax" ? "argmax" : $0.prefix(1).lowercased() + $0.dropFirst()
        }
        #expect(Set(families).isSubset(of: declared))
        #expect(single.allSatisfy(Self.all.contains), "\(Set(single).subtracting(Self.all)) have no tests")
    }
}
