import ArgumentParser
import PJRT
import Tensor
import XLA

/// Times single operations on XLA's CPU backend, to choose lowerings by measurement.
struct OperationBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operations", abstract: "Single operations on XLA's CPU backend.")

    func run() throws {
        let engine = try Engine(platform: .cpu, cacheFolder: nil)
        func measure(_ name: String, _ types: [TensorType], _ body: @escaping @Sendable ([Tensor]) -> [Tensor]) throws {
            let function = Function(name, on: engine) { .list(body($0.leaves).map { .leaf($0) }) }
            let inputs = try types.map { type -> Tree<Buffer> in
                let values = (0..<type.shape.elementCount).map { Double(($0 * 7919) % 1000) / 1000 }
                return .leaf(try engine.upload(HostArray(values, as: type.dtype, shape: type.shape)))
            }
            let arguments = Tree.list(inputs)
            _ = try function(arguments).hostArrays()
            var best = Double.infinity
            for _ in 0..<7 {
                best = min(
                    best, try time { for leaf in try function(arguments).leaves { try leaf.readyEvent().wait() } })
            }
            print("\(name): \(rounded(best * 1000)) ms")
        }
        for n in [64, 256, 1024, 2048] {
            let frames = 4 * 48000 / n * 4
            try measure("rfft \(n), \(frames) frames (4 s at 48 kHz, quarter hops)", [TensorType(.f32, [frames, n])]) {
                let spectrum = rfft($0[0])
                return [spectrum.real, spectrum.imaginary]
            }
            try measure(
                "the same by a matrix product", [TensorType(.f32, [frames, n]), TensorType(.f32, [n, n + 2])]
            ) {
                [matmul($0[0], $0[1])]
            }
        }
        try measure("sine, 1 M", [TensorType(.f32, [1 << 20])]) { [$0[0].sin()] }
        try measure("exp, 1 M", [TensorType(.f32, [1 << 20])]) { [$0[0].exp()] }
        try measure("tanh, 1 M", [TensorType(.f32, [1 << 20])]) { [$0[0].tanh()] }
        try measure("log, 1 M", [TensorType(.f32, [1 << 20])]) { [$0[0].log()] }
        try measure("rsqrt, 1 M", [TensorType(.f32, [1 << 20])]) { [$0[0].rsqrt()] }
        try measure("random bits, 1 M", [TensorType(.u32, [2])]) { [RandomKey(words: $0[0]).bits([1 << 20])] }
        try measure("sort, 1000 rows of 1024", [TensorType(.f32, [1000, 1024])]) { [$0[0].sorted().values] }
        try measure("argmax, 1000 rows of 1024", [TensorType(.f32, [1000, 1024])]) { [$0[0].argmax(axis: 1)] }
        try measure("cumulative sum, 1000 rows of 1024", [TensorType(.f32, [1000, 1024])]) {
            [$0[0].cumulativeSum(axis: 1)]
        }
        try measure("gather 10,000 of 1024 rows of 64", [TensorType(.f32, [1024, 64]), TensorType(.i32, [10000])]) {
            [$0[0].gathering($0[1])]
        }
        try measure(
            "scatter-add 10,000 into 1024 rows of 64",
            [TensorType(.f32, [1024, 64]), TensorType(.i32, [10000]), TensorType(.f32, [10000, 64])]
        ) { [$0[0].scattering($0[2], at: $0[1], .add)] }
        try measure(
            "scan of 1000 steps over [64] tanh(x·w)", [TensorType(.f32, [1000, 64]), TensorType(.f32, [64, 64])]
        ) {
            arguments in
            let start = Tensor.zeros(TensorType(.f32, [1, 64]))
            return scan([start], over: [arguments[0]]) { state, slices in
                let next = (matmul(state[0], arguments[1]) + slices[0]).tanh()
                return ([next], [next])
            }.results
        }
    }
}
