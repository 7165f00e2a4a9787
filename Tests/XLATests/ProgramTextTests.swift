import Foundation
import NN
import Tensor
import TestSupport
import Testing
import XLA

/// The StableHLO that each family of primitives becomes, as text in `Tests/Fixtures/stablehlo`; no plugin is involved.
///
/// What the text computes is compared with JAX in `TensorTests`; this shows what a change of a lowering changes. With
/// `ALLOPHONE_RECORD=1` in the environment the files are written anew, to be read before they are committed.
@Suite struct ProgramTextTests {
    private static let folder = Fixture.folder.appending(path: "stablehlo")

    struct Family: Sendable, CustomTestStringConvertible {
        let name: String
        let types: [TensorType]
        let body: @Sendable ([Tensor]) -> [Tensor]
        var testDescription: String { name }

        init(_ name: String, _ types: [TensorType], _ body: @escaping @Sendable ([Tensor]) -> [Tensor]) {
            self.name = name
            self.types = types
            self.body = body
        }
    }

    private static func f32(_ dimensions: Int...) -> TensorType { TensorType(.f32, Shape(dimensions)) }
    private static func i32(_ dimensions: Int...) -> TensorType { TensorType(.i32, Shape(dimensions)) }

    static let families = [
        Family("constants", []) { _ in
            [
                .constant([1, -0.5, .infinity, -.infinity, .nan], .f32), .constant([1, 0], .bool),
                .constant([1, 2, 3, 4], .i64, shape: [2, 2]), .scalar(0.1), .scalar(.nan, .f64), .scalar(-3, .i8),
                .scalar(1, .bf16), .full(7, TensorType(.u16, [2, 3])), .zeros(TensorType(.bool, [2])),
                .iota(TensorType(.i32, [2, 3]), axis: 1),
            ]
        },
        Family("elementwise", [f32(3), f32(3), i32(3), TensorType(.bool, [3])]) { inputs in
            let (x, y, n, b) = (inputs[0], inputs[1], inputs[2], inputs[3])
            return [
                x + y, x - y, x * y, x / y, x % y, maximum(x, y), minimum(x, y), x.power(y), atan2(x, y), -x, x.exp(),
                x.expm1(), x.log(), x.log1p(), x.sqrt(), x.rsqrt(), x.sin(), x.cos(), x.tanh(), x.sigmoid(), x.abs(),
                x.sign(), x.floor(), x.ceil(), x.rounded(), x.isFinite(), x.equals(y), x.isLess(than: y),
                n.isAtLeast(n), n.cast(to: .u32).isLess(than: n.cast(to: .u32)), b & b, b | b, b ^ b, !b,
                n << 2, n.cast(to: .u32) >> 3, select(b, x, y), x.cast(to: .bf16), x.bitcast(to: .u32),
            ]
        },
        Family("structure", [f32(2, 6), f32(2, 3)]) { inputs in
            let (x, y) = (inputs[0], inputs[1])
            return [
                x.reshaped([3, 4]), x.transposed([1, 0]), y.broadcast(to: [4, 2, 3]), x.slice(1, 1, 5),
                x.padded(low: [0, 1], high: [2, -1]), concatenate([x, y], axis: 1), x.reversed(axes: [1]),
                barrier([x, y])[0], x.stoppingGradient,
            ]
        },
        Family("indexing", [f32(5, 3), i32(2, 2), f32(2, 2, 3), i32()]) { inputs in
            let (x, indices) = (inputs[0], inputs[1])
            let gathered = x.gathering(indices)
            // The gradient of a gather is a scatter.
            let scattered = gradient(of: (gathered * inputs[2]).sum(), at: [x])[0]
            let starts = [inputs[3], Tensor.scalar(0, .i32)]
            let block = x.slice(at: starts, sizes: [2, 3])
            return [
                gathered, scattered, block, x.updating(block * 2, at: starts),
                x.takingAlong(Tensor.constant([1, 0, 2], .i32, shape: [1, 3]), axis: 0),
            ]
        },
        Family("reductions", [f32(2, 3), i32(2, 3), TensorType(.bool, [2, 3])]) { inputs in
            let (x, n, b) = (inputs[0], inputs[1], inputs[2])
            let sorted = x.sorted(axis: 1)
            return [
                x.sum(axes: [1]), x.max(axes: [0]), x.min(axes: [0, 1]), n.max(axes: [1]), n.min(axes: [1]),
                b.any(axes: [1]), b.all(axes: [0]), x.argmax(axis: 1), sorted.values, sorted.indices,
            ]
        },
        Family("products", [f32(2, 8, 4), f32(3, 2, 6), f32(2, 4, 5)]) { inputs in
            let (x, kernel) = (inputs[0], inputs[1])
            let y = convolve(x, kernel, padding: [(2, 0)], dilation: [1], groups: 2)
            return [matmul(x, inputs[2]), y] + gradient(of: y.squared.sum(), at: [x, kernel])
        },
        Family("fourier", [f32(2, 8)]) { inputs in
            let spectrum = rfft(inputs[0])
            let around = ifft(fft(ComplexTensor(inputs[0], inputs[0] * 2)))
            return [spectrum.real, spectrum.imaginary, irfft(spectrum, length: 8), around.real, around.imaginary]
        },
        Family("control", [f32(4, 3), f32(3), TensorType(.bool, [])]) { inputs in
            let (x, w) = (inputs[0], inputs[1])
            let run = scan([Tensor.zeros(TensorType(.f32, [3]))], over: [x]) { carry, slices in
                let next = (carry[0] * w + slices[0]).tanh()
                return ([next], [next * 2])
            }
            let picked = conditional(inputs[2]) {
                [w + 1]
            } whenFalse: {
                [w * 2]
            }
            let looped = whileLoop([Tensor.scalar(0), w]) {
                $0[0].isLess(than: 3)
            } body: {
                [$0[0] + 1, $0[1] * 2]
            }
            return [run.state[0], run.results[0], picked[0], looped[1]]
                + gradient(of: run.state[0].sum(), at: [w])
        },
        Family("composites", [f32(2, 4), f32(4)]) { inputs in
            [snake(inputs[0], alpha: inputs[1]), rmsNorm(inputs[0], scale: inputs[1]), RandomKey(seed: 1).bits([2])]
        },
    ]

    private func expectText(_ text: String, _ name: String) throws {
        let url = Self.folder.appending(path: "\(name).mlir")
        if ProcessInfo.processInfo.environment["ALLOPHONE_RECORD"] == "1" {
            try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        let recorded = try String(contentsOf: url, encoding: .utf8)
        let (old, new) = (recorded.split(separator: "\n"), text.split(separator: "\n"))
        let place = old.indices.first { $0 < new.count && old[$0] != new[$0] } ?? min(old.count, new.count)
        #expect(
            text == recorded,
            "\(name).mlir:\(place + 1) is '\(old.dropFirst(place).first ?? "")', and now '\(new.dropFirst(place).first ?? "")'"
        )
    }

    @Test(arguments: families) func textIsAsRecorded(_ family: Family) throws {
        try expectText(Program(Graph(family.types, family.body), name: family.name).text, family.name)
    }

    /// Another trace of the same model is the same program, which caches rest on.
    @Test(arguments: families) func textIsTheSameForEveryTrace(_ family: Family) {
        let programs = (0..<3).map { _ in Program(Graph(family.types, family.body), name: "f") }
        #expect(Set(programs).count == 1)
    }

    @Test func aliasesStandAtTheirArguments() throws {
        let graph = Graph([Self.f32(3), Self.f32(3)]) { [$0[0] + $0[1], $0[1] * 2] }
        try expectText(Program(graph, name: "it's a name", aliases: [1: 0]).text, "aliases")
    }

    @Test func aProgramWithoutResultsIsOne() {
        let text = Program(Graph([Self.f32(3)]) { _ in [] }, name: "none").text
        #expect(text.contains("-> () {") && text.contains("return\n"))
    }

    @Test func theRecordedTextsAreThoseOfTheTests() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted()
        #expect(files == (Self.families.map(\.name) + ["aliases"]).map { "\($0).mlir" }.sorted())
    }
}
