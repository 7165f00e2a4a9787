import Foundation
import NN
import PJRT
import Tensor
import TestSupport
import Testing
import XLA

/// The package's own kernels in XLA's programs, against XLA's own convolutions.
@Suite struct KernelTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var batch = 1
        var rows = 300
        var inputs = 32
        var outputs = 32
        var taps = 7
        var dilation = 1
        var padding = (low: 0, high: 0)
        var testDescription: String {
            "\(batch)×\(rows)×\(inputs)→\(outputs), \(taps) taps, dilation \(dilation), padding \(padding)"
        }
    }

    static let shapes = [
        Case(), Case(rows: 350, outputs: 40, dilation: 9), Case(batch: 3, rows: 140, inputs: 48, dilation: 3),
        Case(rows: 280, inputs: 64, outputs: 33, taps: 5, padding: (8, 0)),
        Case(batch: 2, rows: 2000, outputs: 64, taps: 8, dilation: 2, padding: (14, 0)),
        Case(rows: 400, inputs: 16, outputs: 48, taps: 2, padding: (1, 0)),
    ]

    private func gradients(_ shape: Case) -> @Sendable (Tree<Tensor>) -> Tree<Tensor> {
        { arguments in
            let (x, w) = (arguments["x"].value, arguments["w"].value)
            let y = convolve(x, w, padding: [shape.padding], dilation: [shape.dilation])
            let found = gradient(of: (y * y).sum(), at: [x, w])
            return ["y": .leaf(y), "x": .leaf(found[0]), "w": .leaf(found[1])]
        }
    }

    private func arguments(_ shape: Case) -> Tree<HostArray> {
        func noise(_ dimensions: [Int], _ scale: Float) -> HostArray {
            var state: UInt32 = 7
            let values = (0..<dimensions.reduce(1, *)).map { _ -> Float in
                state = state &* 1_664_525 &+ 1_013_904_223
                return (Float(state >> 8) / Float(1 << 23) - 1) * scale
            }
            return HostArray(values, shape: Shape(dimensions))
        }
        return [
            "x": .leaf(noise([shape.batch, shape.rows, shape.inputs], 1)),
            "w": .leaf(noise([shape.taps, shape.inputs, shape.outputs], 0.1)),
        ]
    }

    @Test(arguments: shapes)
    func agreesWithXLA(shape: Case) throws { try agreeWithXLA(shape: shape, paths: ["y", "x", "w"]) }

    private func agreeWithXLA(shape: Case, paths: [String]) throws {
        let plain = try Engine(cacheFolder: nil, usesKernels: false)
        let ours = try Engine(cacheFolder: nil, usesKernels: true)
        let body = gradients(shape)
        let wanted = try Function("plain", on: plain, body: body).run(arguments(shape), on: plain)
        let found = try Function("ours", on: ours, body: body).run(arguments(shape), on: ours)
        for path in paths {
            let (a, b) = (wanted[path].value.values(as: Float.self), found[path].value.values(as: Float.self))
            let size = a.map(abs).max() ?? 0
            let isSame = a == b
            #expect(!isSame || shape.taps < 5, "the kernel was not called for \(path)")
            let difference = zip(a, b).map { abs($0 - $1) }.max() ?? .infinity
            #expect(difference <= 3e-5 * size, "\(path)")
        }
    }

    @Test func theResultIsTheSameEachTime() throws {
        let engine = try Engine(cacheFolder: nil, usesKernels: true)
        let function = Function("repeated", on: engine, body: gradients(Self.shapes[2]))
        let first = try function.run(arguments(Self.shapes[2]), on: engine)["y"].value
        for _ in 0..<10 { #expect(try function.run(arguments(Self.shapes[2]), on: engine)["y"].value == first) }
    }

    /// A matrix product XLA does well; its gradient by the weights, long and narrow, it does not.
    @Test func aPointwiseConvolutionHasAGradient() throws {
        let shape = Case(rows: 400, taps: 1)
        let types = [TensorType(.f32, [1, 400, 32]), TensorType(.f32, [1, 32, 32])]
        let graph = Graph(types) { inputs in
            gradient(of: convolve(inputs[0], inputs[1]).squared.sum(), at: [inputs[1]])
        }
        let text = Program(graph, name: "pointwise", usesKernels: true).text
        #expect(text.contains("@allophone_convolution_gradient(") && !text.contains("@allophone_convolution("))
        try agreeWithXLA(shape: shape, paths: ["w"])
    }

    /// As a discriminator's are, which hears real and generated sound.
    @Test func weightsThatManyConvolutionsHaveArePackedOnce() {
        let types = [TensorType(.f32, [1, 400, 32]), TensorType(.f32, [1, 400, 32]), TensorType(.f32, [7, 32, 32])]
        let graph = Graph(types) { inputs in
            let sounds = inputs.prefix(2).map { convolve($0, inputs[2], dilation: [3]).squared.sum() }
            return gradient(of: sounds[0] + sounds[1], at: Array(inputs.prefix(2)))
        }
        let text = Program(graph, name: "shared", usesKernels: true).text
        func count(_ call: String) -> Int { text.components(separatedBy: "@\(call)(").count - 1 }
        // Their transpose, for the gradients, apart.
        #expect(count("allophone_convolution") == 4 && count("allophone_pack") == 2)
    }

    @Test func onlyWhatIsFasterIsCalled() {
        func text(_ shape: Case, usesKernels: Bool = true, dtype: DType = .f32) -> String {
            let types = [
                TensorType(dtype, [shape.batch, shape.rows, shape.inputs]),
                TensorType(dtype, [shape.taps, shape.inputs, shape.outputs]),
            ]
            let graph = Graph(types) { [convolve($0[0], $0[1], dilation: [shape.dilation])] }
            return Program(graph, name: "convolve", usesKernels: usesKernels).text
        }
        let call = "custom_call @allophone_convolution"
        #expect(text(Case()).contains(call))
        #expect(!text(Case(), usesKernels: false).contains(call))
        for other in [Case(rows: 30), Case(inputs: 8), Case(outputs: 1), Case(taps: 1), Case(taps: 9)] {
            #expect(!text(other).contains(call), "\(other.testDescription)")
        }
        for dtype in [DType.bf16, .f64] { #expect(!text(Case(), dtype: dtype).contains(call)) }
    }

    struct SumCase: Sendable {
        var shape: Shape
        var axes: [Int]
    }

    /// Of an array and of a product, against sums in Double: with rows that no eight divide, and lanes left over.
    @Test(arguments: [
        SumCase(shape: [1, 2003, 40], axes: [0, 1]), SumCase(shape: [1, 24001, 32], axes: [1]),
        SumCase(shape: [5, 129, 515], axes: [0, 1]), SumCase(shape: [3, 700, 33], axes: [0, 1, 2]),
        SumCase(shape: [1 << 16], axes: [0]),
    ])
    func sumsOverRows(_ sum: SumCase) throws {
        let types = [TensorType(.f32, sum.shape), TensorType(.f32, sum.shape)]
        let graph = Graph(types) { [$0[0].sum(axes: sum.axes), ($0[0] * $0[1]).sum(axes: sum.axes)] }
        let text = Program(graph, name: "sums", usesKernels: true).text
        #expect(text.components(separatedBy: "@allophone_sum(").count == 3)
        let engine = try Engine(cacheFolder: nil, usesKernels: true)
        let count = sum.shape.elementCount
        let x = (0..<count).map { Float(($0 * 7919) % 1009) / 1009 - 0.4 }
        let y = (0..<count).map { Float(($0 * 104_729) % 997) / 997 - 0.3 }
        let found = try Function("sums", on: engine) { tree in
            .list(graph([tree["x"].value, tree["y"].value]).map { .leaf($0) })
        }.run(["x": .leaf(HostArray(x, shape: sum.shape)), "y": .leaf(HostArray(y, shape: sum.shape))], on: engine)
        let channels = sum.axes.count == sum.shape.rank ? 1 : sum.shape.dimensions.last!
        for (index, factor) in [[Float](repeating: 1, count: count), y].enumerated() {
            var wanted = [Double](repeating: 0, count: channels)
            for i in 0..<count { wanted[i % channels] += Double(x[i]) * Double(factor[i]) }
            let got = found.leaves[index].values(as: Float.self)
            #expect(got.count == channels)
            #expect(zip(got, wanted).allSatisfy { abs(Double($0) - $1) <= 2e-6 * Double(count / channels) })
        }
    }

    /// Few rows, or a sum over channels, are XLA's.
    @Test func onlySumsOverManyRowsAreCalled() {
        func text(_ shape: Shape, _ axes: [Int]) -> String {
            Program(
                Graph([TensorType(.f32, shape)]) { [$0[0].sum(axes: axes)] }, name: "sum", usesKernels: true
            ).text
        }
        #expect(text([1000, 64], [0]).contains("@allophone_sum("))
        for (shape, axes) in [([100, 64], [0]), ([1000, 64], [1]), ([2, 1000, 64], [1])] as [(Shape, [Int])] {
            #expect(!text(shape, axes).contains("@allophone_sum("))
        }
    }

    private static let newerPlugin = Fixture.folder.appending(path: "../../.xla/skew/pjrt_c_api_cpu_plugin.so").path

    @Test(
        .enabled(
            if: FileManager.default.fileExists(atPath: newerPlugin), "fetch it with Tools/setup/fetch_xla.sh --skew"),
        arguments: [Function.Compilation.standard, .quick, .concurrent])
    func theNewerPluginTakesThem(compilation: Function.Compilation) throws {
        let engine = try Engine(
            pluginPath: Self.newerPlugin, cacheFolder: nil, usesKernels: true, compilation: compilation)
        let plain = try Engine(cacheFolder: nil, usesKernels: false)
        let body = gradients(Self.shapes[0])
        let wanted = try Function("plain", on: plain, body: body).run(arguments(Self.shapes[0]), on: plain)["y"].value
        let found = try Function("ours", on: engine, body: body).run(arguments(Self.shapes[0]), on: engine)["y"].value
        #expect(
            zip(wanted.values(as: Float.self), found.values(as: Float.self)).allSatisfy { abs($0 - $1) <= 1e-4 })
    }
}
