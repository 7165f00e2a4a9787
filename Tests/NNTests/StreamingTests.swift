import NN
import Tensor
import TestSupport
import Testing

/// A small codec-like stack: every kind of causal layer, down by 8 and up again.
private struct Stack: Module {
    let input = CausalConv1d(2, 4, kernel: 7)
    let dilated = CausalConv1d(4, 4, kernel: 3, dilation: 9, weightNorm: true)
    let snake = Snake(4)
    let down = [
        CausalConv1d(4, 6, kernel: 4, stride: 2), CausalConv1d(6, 8, kernel: 7, stride: 4, groups: 2),
    ]
    let block = TransformerBlock(8, heads: 2, window: 5, layerScale: 1)
    let up = [CausalConvTranspose1d(8, 6, kernel: 8, stride: 4), CausalConvTranspose1d(6, 4, kernel: 3, stride: 2)]
    let output = CausalConv1d(4, 1, kernel: 5)

    func callAsFunction(_ x: Tensor, _ past: inout Past) -> Tensor {
        var x = input(x, &past)
        x = x + dilated(snake(x), &past)
        for layer in down { x = layer(x, &past) }
        x = block(x, &past)
        for layer in up { x = layer(x, &past) }
        return output(x, &past)
    }
}

/// Layers as a stream meets them: how many input steps go together, and the model.
private func streamingModels() -> [(name: String, channels: Int, step: Int, model: BoundModel)] {
    func bind<Layer: Module>(_ layer: Layer, _ call: @escaping (Layer, Tensor, inout Past) -> Tensor) -> BoundModel {
        BoundModel(layer) { call(layer, $0, &$1) }
    }
    func convolution(_ layer: CausalConv1d) -> BoundModel { bind(layer) { $0($1, &$2) } }
    func transposed(_ layer: CausalConvTranspose1d) -> BoundModel { bind(layer) { $0($1, &$2) } }
    func attention(_ layer: Attention) -> BoundModel { bind(layer) { $0($1, &$2) } }
    return [
        ("pointwise", 4, 1, convolution(CausalConv1d(4, 3, kernel: 1))),
        ("dilated", 4, 1, convolution(CausalConv1d(4, 6, kernel: 3, dilation: 5, groups: 2))),
        ("strided", 4, 3, convolution(CausalConv1d(4, 6, kernel: 7, stride: 3))),
        ("strided in groups", 4, 2, convolution(CausalConv1d(4, 6, kernel: 2, stride: 2, groups: 2))),
        ("transposed", 4, 1, transposed(CausalConvTranspose1d(4, 3, kernel: 7, stride: 3))),
        ("transposed without overlap", 4, 1, transposed(CausalConvTranspose1d(4, 3, kernel: 2, stride: 2))),
        ("attention", 8, 1, attention(Attention(8, heads: 2, keyValueHeads: 1, window: 6))),
        ("attention to itself alone", 8, 1, attention(Attention(8, heads: 2, window: 1))),
        ("transformer", 8, 1, bind(TransformerBlock(8, heads: 2, window: 4, layerScale: 1)) { $0($1, &$2) }),
        ("stack", 2, 8, bind(Stack()) { $0($1, &$2) }),
    ]
}

@Suite struct StreamingTests {
    @Test func streamEqualsOfflineForEveryChunking() throws {
        var random = TestRandom(seed: 11)
        for (name, channels, step, model) in streamingModels() {
            let steps = 24
            let x = random.array([2, steps * step, channels], .f32)
            let chunkings = [[steps], [Int](repeating: 1, count: steps)] + (0..<3).map { _ in split(steps, &random) }
            for backend in TestBackends.all {
                let whole = try model.offline(x, on: backend)
                for chunking in chunkings {
                    let streamed = try model.streaming(x, chunks: chunking.map { $0 * step }, on: backend)
                    expectClose(
                        streamed, whole, relative: 1e-5, absolute: 1e-5, "\(backend.name) \(name) as \(chunking)")
                }
            }
        }
    }

    /// Random positive pieces of `total`.
    private func split(_ total: Int, _ random: inout TestRandom) -> [Int] {
        var pieces: [Int] = []
        var left = total
        while left > 0 {
            let piece = min(left, 1 + Int((random.next() + 1) * 4))
            pieces.append(piece)
            left -= piece
        }
        return pieces
    }

    @Test func longAttentionStreamEqualsItsBandOfBlocks() throws {
        // Offline takes the blockwise path, and the first chunk too; then a stream far beyond the window.
        let layer = Attention(8, heads: 2, window: 10)
        let model = BoundModel(layer) { layer($0, &$1) }
        var random = TestRandom(seed: 12)
        let x = random.array([1, 300, 8], .f32)
        for backend in TestBackends.all {
            let whole = try model.offline(x, on: backend)
            let streamed = try model.streaming(x, chunks: [150] + [Int](repeating: 10, count: 15), on: backend)
            expectClose(streamed, whole, relative: 1e-5, absolute: 1e-5, backend.name)
        }
    }

    @Test func stateIsBoundedByTheWindow() throws {
        let layer = Attention(8, heads: 2, keyValueHeads: 1, window: 6)
        func types(chunk: Int) -> [String: TensorType] {
            Past.initialState { past in
                _ = layer(.input(TensorType(.f32, [3, chunk, 8]), name: "x"), &past)
            }
        }
        #expect(types(chunk: 1) == types(chunk: 40))
        #expect(
            types(chunk: 1) == [
                "000.attention.keys": TensorType(.f32, [3, 5, 1, 4]),
                "000.attention.values": TensorType(.f32, [3, 5, 1, 4]),
                "000.attention.count": TensorType(.i32, [3]),
            ])
    }

    @Test func rowsOfABatchOfStreamsMayBeResetAlone() throws {
        let layer = Attention(8, heads: 2, window: 6)
        let model = BoundModel(layer) { layer($0, &$1) }
        var random = TestRandom(seed: 13)
        let x = random.array([1, 4, 8], .f32)
        let types = Past.initialState { _ = layer(.input(x.type, name: "x"), &$0) }
        var stale = types.mapValues { random.array($0.shape, $0.dtype, low: 1, high: 5) }
        stale["000.attention.count"] = HostArray([0] as [Int32])
        let input = Tensor.constant(x)
        var past = Past(streaming: stale.mapValues { .constant($0) })
        let bound = [layer(input, &past)].replacing(
            model.parameters.map { ($1.tensor, .constant(model.values[$0]!)) })
        expectClose(try evaluate(bound[0]), try model.offline(x, on: TestBackends.reference))
    }

    @Test func paddedBatchGivesWhatEachClipGivesAlone() throws {
        var random = TestRandom(seed: 14)
        for (name, channels, step, model) in streamingModels() {
            let (steps, padding) = (12, [0, 5, 11])
            // What stands in padding must not matter, so it is large.
            let x = random.array([3, steps * step, channels], .f32, low: -9, high: 9)
            let mask = HostArray(
                padding.flatMap { pad in (0..<steps * step).map { Float($0 < pad * step ? 0 : 1) } },
                shape: [3, steps * step])
            for backend in TestBackends.all {
                let batch = try model.offline(x, mask: mask, on: backend)
                let rate = batch.shape[1] / steps
                for (row, pad) in padding.enumerated() {
                    let clip = x.row(row).slicing(time: (pad * step)..<(steps * step))
                    let alone = try model.offline(clip, on: backend)
                    let padded = batch.row(row).slicing(time: (pad * rate)..<(steps * rate))
                    expectClose(padded, alone, relative: 1e-5, absolute: 2e-5, "\(backend.name) \(name), row \(row)")
                }
            }
        }
    }

    @Test func paddingHasNoGradient() throws {
        let stack = Stack()
        let model = BoundModel(stack) { stack($0, &$1) }
        var random = TestRandom(seed: 15)
        let x = random.array([1, 64, 2], .f32)
        let mask = HostArray((0..<64).map { $0 >= 24 }, shape: [1, 64])
        let input = Tensor.input(x.type, name: "x")
        var past = Past.offline(mask: .constant(mask))
        let loss = stack(input, &past).slice(1, 24, 64).squared.sum()
        let paths = model.parameters.keys.sorted()
        let graph = Graph(
            inputs: [input] + paths.map { model.parameters[$0]!.tensor }, outputs: gradient(of: loss, at: [input]))
        for backend in TestBackends.all {
            let slope = try backend.run(graph, [x] + paths.map { model.values[$0]! })[0]
            #expect(slope.slicing(time: 0..<24).floats.allSatisfy { $0 == 0 })
            #expect(slope.slicing(time: 24..<64).floats.contains { $0 != 0 })
        }
    }

    @Test func maskFollowsTheStride() throws {
        let mask = Tensor.constant([0, 0, 0, 1, 1, 1], .f32, shape: [1, 6])
        let past = Past.offline(mask: mask)
        #expect(try evaluate(past.mask(3)!) == HostArray([false, true, true], shape: [1, 3]))
        #expect(
            try evaluate(past.mask(12)!)
                == HostArray((0..<12).map { $0 >= 6 }, shape: [1, 12]))
        #expect(Past.offline().mask(3) == nil)
    }
}
